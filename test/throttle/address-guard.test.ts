import { createHash, randomBytes } from 'node:crypto';
import { secondsAfter, type Clock } from '#src/kernel/clock.js';
import { openInProcess } from '#src/storage/in-process.js';
import { KeyValueUnavailable, type KeyValue } from '#src/storage/key-value.js';
import { addressGuard, type AddressGuard } from '#src/throttle/address-guard.js';

// Shortly before a window of the guard ends, so that every test crosses its edge.
const start = new Date('2026-11-20T00:39:50Z');
let now: Date;
const clock: Clock = { now: () => now };
const bucket = randomBytes(32);
const name = (text: string): Buffer => createHash('sha256').update(text).digest();

const gone = (): Promise<never> => Promise.reject(new KeyValueUnavailable(new Error('away')));
const away: KeyValue = {
  get: gone,
  set: gone,
  take: gone,
  increment: gone,
  addDistinct: gone,
  countDistinct: gone,
  delete: gone,
  close: () => Promise.resolve(),
};

let guard: AddressGuard;
beforeEach(() => {
  now = start;
  guard = addressGuard({ keyValue: openInProcess(clock), clock });
});

const isFree = async (): Promise<boolean> => (await guard.check(bucket)).kind === 'free';

/** Wrong tries with a different name each, as long as they are let through; one a second. */
async function failuresUntilBlocked(most: number): Promise<number> {
  for (let tries = 0; tries < most; tries += 1) {
    if (!(await isFree())) return tries;
    await guard.recordFailure(bucket, name(`wrong ${tries}`));
    now = secondsAfter(now, 1);
  }
  return most;
}

it('never slows 2,000 right logins from one address', async () => {
  for (let person = 0; person < 2_000; person += 1) {
    expect(await isFree()).toBe(true);
    await guard.recordSuccess(bucket, name(`person ${person}`));
    now = secondsAfter(now, 0.3);
  }
});

it('stops a list of names within fifty (R-21)', async () => {
  const tries = await failuresUntilBlocked(200);
  expect(tries).toBeGreaterThan(20);
  expect(tries).toBeLessThan(50);
  expect(await guard.check(bucket)).toEqual({ kind: 'waiting', until: secondsAfter(now, 599) });
  now = secondsAfter(now, 600);
  expect(await isFree()).toBe(true);
});

it('lets a hundred people of a large office mistype while their colleagues get in', async () => {
  // The window ends when most of them have come.
  now = secondsAfter(start, -540);
  for (let person = 0; person < 2_000; person += 1) {
    if (person % 20 === 0) await guard.recordFailure(bucket, name(`mistyped ${person}`));
    await guard.recordSuccess(bucket, name(`person ${person}`));
    now = secondsAfter(now, 0.3);
    expect(await isFree()).toBe(true);
  }
});

it('does not take one person who gets in often for many', async () => {
  for (let login = 0; login < 2_000; login += 1) await guard.recordSuccess(bucket, name('attacker'));
  expect(await failuresUntilBlocked(200)).toBeLessThan(50);
});

it('counts names, not tries', async () => {
  for (let tries = 0; tries < 200; tries += 1) await guard.recordFailure(bucket, name('forgetful'));
  expect(await isFree()).toBe(true);
});

it('forgets failures after its window', async () => {
  for (let round = 0; round < 6; round += 1) {
    for (let person = 0; person < 30; person += 1) await guard.recordFailure(bucket, name(`${round} ${person}`));
    now = secondsAfter(now, 1_200);
  }
  expect(await isFree()).toBe(true);
});

it('counts every address for itself', async () => {
  await failuresUntilBlocked(50);
  expect(await guard.check(randomBytes(32))).toEqual({ kind: 'free' });
});

it('goes on alone with half the limits while the key-value store is away (R-63)', async () => {
  const whole = await failuresUntilBlocked(200);
  guard = addressGuard({ keyValue: away, clock });
  await guard.recordSuccess(bucket, name('person'));
  expect(await failuresUntilBlocked(200)).toBeLessThanOrEqual(whole / 2);
});

it('asks the store once to check, and all at once to record', async () => {
  let turns = 0;
  const store = openInProcess(clock);
  let waiting: (() => void)[] = [];
  // Every call waits for the next turn of the event loop, as it would for one round trip.
  const inTurn = (): Promise<void> =>
    new Promise((resolve) => {
      if (waiting.length === 0) {
        setImmediate(() => {
          turns += 1;
          const due = waiting;
          waiting = [];
          for (const next of due) next();
        });
      }
      waiting.push(resolve);
    });
  const counted: KeyValue = {
    ...store,
    get: (key) => inTurn().then(() => store.get(key)),
    addDistinct: (key, member, ttlSeconds) => inTurn().then(() => store.addDistinct(key, member, ttlSeconds)),
    countDistinct: (key) => inTurn().then(() => store.countDistinct(key)),
  };
  const watched = addressGuard({ keyValue: counted, clock });
  await watched.check(bucket);
  expect(turns).toBe(1);
  await watched.recordFailure(bucket, name('a'));
  expect(turns).toBe(2);
  await watched.recordSuccess(bucket, name('b'));
  expect(turns).toBe(3);
});
