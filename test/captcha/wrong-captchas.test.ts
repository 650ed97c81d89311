import { randomBytes } from 'node:crypto';
import { captchas } from '#src/captcha/captchas.js';
import { createWrongCaptchas } from '#src/captcha/wrong-captchas.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { openInProcess } from '#src/storage/in-process.js';
import { KeyValueUnavailable, type KeyValue } from '#src/storage/key-value.js';

const NIP = '199001012023211001';
const clock = { at: new Date('2026-11-20T03:00:00Z'), now: () => clock.at };
const keyed = createKeyedDigest(randomBytes(32));
const browser = 'browser-of-the-person';

let keys: string[];
let store: KeyValue;
const setUp = () => {
  const wrong = createWrongCaptchas({ keyValue: store, keyed });
  const service = captchas({ keyValue: store, clock, testAnswer: 'AbDe23', onWrong: (beside) => wrong.count(beside) });
  const type = async (answer: string, beside: string | undefined, from = browser) => {
    const { id } = await service.issue({ browser, addressBucket: randomBytes(32) });
    return service.redeem({ id, browser: from, answer, beside });
  };
  return { wrong, service, type };
};
beforeEach(() => {
  clock.at = new Date('2026-11-20T03:00:00Z');
  keys = [];
  const memory = openInProcess(clock);
  store = {
    ...memory,
    increment: (key, ttlSeconds) => {
      keys.push(key);
      return memory.increment(key, ttlSeconds);
    },
  };
});

it('counts wrong letters beside a name, for half an hour', async () => {
  const { wrong, type } = setUp();
  expect(await type('abde23', NIP)).toBe(false);
  expect(await type('', NIP)).toBe(false);
  expect(await type('abde23', 'siti.aminah')).toBe(false);
  expect(await wrong.countOf([NIP])).toBe(2);
  expect(await wrong.countOf([NIP, 'siti.aminah', 'nobody'])).toBe(3);
  clock.at = new Date(clock.at.getTime() + 1_801_000);
  expect(await wrong.countOf([NIP, 'siti.aminah'])).toBe(0);
});

it('counts nothing for the right letters, without a name, from another browser or for a captcha that is none', async () => {
  const { wrong, service, type } = setUp();
  expect(await type('AbDe23', NIP)).toBe(true);
  expect(await type('abde23', undefined)).toBe(false);
  expect(await type('abde23', NIP, 'another')).toBe(false);
  expect(await service.redeem({ id: 'A'.repeat(22), browser, answer: 'x', beside: NIP })).toBe(false);
  expect(await wrong.countOf([NIP])).toBe(0);
});

it('keeps no name', async () => {
  const { type } = setUp();
  await type('abde23', NIP);
  const kept = keys.filter((key) => key.startsWith('wrong-captchas:'));
  expect(kept).toHaveLength(1);
  expect(kept[0]).not.toContain(NIP);
});

it('is none while the store is away', async () => {
  store = { ...store, get: () => Promise.reject(new KeyValueUnavailable(undefined)) };
  expect(await createWrongCaptchas({ keyValue: store, keyed }).countOf([NIP])).toBe(0);
  store = { ...store, get: () => Promise.reject(new Error('a bug')) };
  await expect(createWrongCaptchas({ keyValue: store, keyed }).countOf([NIP])).rejects.toThrow('a bug');
});
