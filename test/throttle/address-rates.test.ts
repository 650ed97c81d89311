import { beforeEach, expect, it } from '@jest/globals';
import { secondsAfter, type Clock } from '#src/kernel/clock.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { openInProcess } from '#src/storage/in-process.js';
import { KeyValueUnavailable, type KeyValue } from '#src/storage/key-value.js';
import { createAddressRates } from '#src/throttle/address-rates.js';

const QUOTA = { scope: 'test', limit: 6, windowSeconds: 60 };
const keyed = createKeyedDigest(Buffer.alloc(32, 5));
let now: Date;
const clock: Clock = { now: () => now };
beforeEach(() => {
  now = new Date('2026-11-20T00:00:20Z');
});

const taken = async (keyValue: KeyValue, address = '203.0.113.7'): Promise<(number | undefined)[]> => {
  const rates = createAddressRates({ keyValue, keyed, clock });
  const answers: (number | undefined)[] = [];
  for (let time = 0; time < 8; time += 1) answers.push(await rates.take(QUOTA, address));
  return answers;
};
const free = (times: number): undefined[] => Array.from({ length: times }, () => undefined);

it('lets so many through, and says when there is room again', async () => {
  const store = openInProcess(clock);
  expect(await taken(store)).toEqual([...free(6), 40, 40]);
  expect((await taken(store, '203.0.113.8'))[0]).toBeUndefined();
  now = secondsAfter(now, 40);
  expect((await taken(store))[0]).toBeUndefined();
});

it('counts the whole of a household', async () => {
  const store = openInProcess(clock);
  await taken(store, '2001:db8:1:2::1');
  expect((await taken(store, '2001:db8:1:2:ffff::9'))[0]).toBe(40);
  expect((await taken(store, '2001:db8:1:3::1'))[0]).toBeUndefined();
});

it('counts alone, with half the limit, while the store is away (R-63)', async () => {
  const away = { ...openInProcess(clock), increment: () => Promise.reject(new KeyValueUnavailable(new Error('away'))) };
  expect(await taken(away)).toEqual([...free(3), 40, 40, 40, 40, 40]);
});
