import { randomUUID } from 'node:crypto';
import type { KeyValue } from '#src/storage/key-value.js';

export interface OpenedKeyValue {
  readonly keyValue: KeyValue;
  /** Resolves when that much of the store's time has passed. */
  readonly pass: (seconds: number) => Promise<void>;
}

/** What every key-value store must do. Run once per implementation; leaves no key behind that does not expire. */
export function keyValueContract(open: () => Promise<OpenedKeyValue>): void {
  describe('key-value contract', () => {
    let store: KeyValue;
    let pass: OpenedKeyValue['pass'];
    let key: string;
    beforeAll(async () => {
      ({ keyValue: store, pass } = await open());
    });
    beforeEach(() => {
      key = `contract:${randomUUID()}`;
    });
    afterAll(() => store.close());

    it('answers what was set last, and nothing for an unknown key', async () => {
      expect(await store.get(key)).toBeUndefined();
      await store.set(key, 'one', 60);
      await store.set(key, 'two ✓', 60);
      expect(await store.get(key)).toBe('two ✓');
    });

    it('forgets what was deleted', async () => {
      await store.set(key, 'value', 60);
      await store.delete(key);
      expect(await store.get(key)).toBeUndefined();
    });

    it('forgets a value, a counter and a set when their time is over, and not before', async () => {
      await store.set(`${key}:value`, 'value', 1);
      await store.set(`${key}:longer`, 'value', 60);
      await store.increment(`${key}:counter`, 1);
      await store.addDistinct(`${key}:set`, 'a', 1);
      expect(await store.get(`${key}:value`)).toBe('value');
      await pass(1.05);
      expect(await store.get(`${key}:value`)).toBeUndefined();
      expect(await store.take(`${key}:value`)).toBeUndefined();
      expect(await store.increment(`${key}:counter`, 60)).toBe(1);
      expect(await store.countDistinct(`${key}:set`)).toBe(0);
      expect(await store.get(`${key}:longer`)).toBe('value');
    });

    it('starts the time to live with the first increment and the first member: later ones do not prolong it', async () => {
      await store.increment(`${key}:counter`, 1);
      await store.addDistinct(`${key}:set`, 'a', 1);
      await store.increment(`${key}:counter`, 60);
      await store.addDistinct(`${key}:set`, 'b', 60);
      await pass(1.05);
      expect(await store.get(`${key}:counter`)).toBeUndefined();
      expect(await store.countDistinct(`${key}:set`)).toBe(0);
    });

    it('gives the value to exactly one of sixteen racing takes', async () => {
      await store.set(key, 'value', 60);
      const taken = await Promise.all(Array.from({ length: 16 }, () => store.take(key)));
      expect(taken.filter((value) => value === 'value')).toHaveLength(1);
      expect(taken.filter((value) => value === undefined)).toHaveLength(15);
      expect(await store.get(key)).toBeUndefined();
    });

    it('gives each of sixteen racing increments a number of its own', async () => {
      const counts = await Promise.all(Array.from({ length: 16 }, () => store.increment(key, 60)));
      expect(new Set(counts).size).toBe(16);
      expect(Math.max(...counts)).toBe(16);
      expect(await store.get(key)).toBe('16');
    });

    it('counts a member once, however often it is added', async () => {
      expect(await store.countDistinct(key)).toBe(0);
      const counts = await Promise.all(['a', 'b', 'a', 'c', 'b'].map((member) => store.addDistinct(key, member, 60)));
      expect(Math.max(...counts)).toBe(3);
      expect(await store.countDistinct(key)).toBe(3);
    });
  });
}
