import { randomBytes } from 'node:crypto';
import { secondsAfter } from '#src/kernel/clock.js';
import { clearFailures, giveBackFailure, reserveFailure } from '#src/throttle/failures.js';
import {
  OTP_FAILURES,
  PASSWORD_FAILURES,
  TRUSTED_BROWSER_FAILURES,
  type FailurePolicy,
} from '#src/throttle/policies.js';
import { openTestDatabase } from '../support/test-database.js';

const start = new Date('2026-11-20T00:30:00Z');
const at = (seconds: number): Date => secondsAfter(start, seconds);
const hours = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / 3_600_000;

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let key: Buffer;
beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(() => {
  key = randomBytes(32);
});
afterAll(() => db.drop());

const reserve = (policy: FailurePolicy, now: Date) => reserveFailure(db, { policy, key, now });

/** Fails as fast as the policy allows and tells when each failure was. */
async function failAsFastAsAllowed(policy: FailurePolicy, times: number): Promise<Date[]> {
  const failed: Date[] = [];
  let now = start;
  while (failed.length < times) {
    const answer = await reserve(policy, now);
    if (answer.kind === 'reserved') failed.push(now);
    else now = answer.until;
  }
  return failed;
}

describe('failure counters', () => {
  it.each([PASSWORD_FAILURES, OTP_FAILURES])('let five of 200 parallel guesses pass: $scope', async (policy) => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => reserve(policy, start)));
    const reserved = answers.flatMap((answer) => (answer.kind === 'reserved' ? [answer.failures] : []));
    expect(reserved.sort()).toEqual([1, 2, 3, 4, 5]);
    const untils = new Set(answers.flatMap((answer) => (answer.kind === 'waiting' ? [answer.until.getTime()] : [])));
    expect([...untils]).toEqual([at(policy === OTP_FAILURES ? 900 : 30).getTime()]);
  });

  it.each([
    [PASSWORD_FAILURES, 5, 30],
    [PASSWORD_FAILURES, 19, 30],
    [PASSWORD_FAILURES, 20, 300],
    [PASSWORD_FAILURES, 49, 300],
    [PASSWORD_FAILURES, 50, 3_600],
    [PASSWORD_FAILURES, 99, 3_600],
    [OTP_FAILURES, 5, 900],
    [TRUSTED_BROWSER_FAILURES, 10, 30 * 86_400],
  ])('%j: after failure %i the next comes %i s later', async (policy, failures, seconds) => {
    const failed = await failAsFastAsAllowed(policy, failures + 1);
    expect(failed.at(-1)).toEqual(secondsAfter(failed.at(-2) ?? start, seconds));
  });

  it('reach 100 wrong passwords in a row not before 48 hours (R-20)', async () => {
    const failed = await failAsFastAsAllowed(PASSWORD_FAILURES, 100);
    expect(hours(start, failed.at(-1) ?? start)).toBeGreaterThan(48);
    expect(PASSWORD_FAILURES.disableAt).toBe(100);
  });

  it('allow at most five codes in any quarter of an hour and ten in any hour (R-07)', async () => {
    const failed = await failAsFastAsAllowed(OTP_FAILURES, 50);
    const within = (minutes: number): number[] =>
      failed.map(
        (first) => failed.filter((other) => other >= first && other < secondsAfter(first, minutes * 60)).length,
      );
    expect(Math.max(...within(15))).toBe(5);
    expect(Math.max(...within(60))).toBe(10);
    expect(OTP_FAILURES.disableAt).toBe(50);
  });

  it('count nothing during a wait', async () => {
    await failAsFastAsAllowed(PASSWORD_FAILURES, 5);
    for (let second = 0; second < 30; second += 1) {
      expect(await reserve(PASSWORD_FAILURES, at(second))).toEqual({ kind: 'waiting', until: at(30) });
    }
    expect(await reserve(PASSWORD_FAILURES, at(30))).toEqual({ kind: 'reserved', failures: 6 });
  });

  it('begin anew after a success', async () => {
    await failAsFastAsAllowed(PASSWORD_FAILURES, 5);
    await clearFailures(db, { policy: PASSWORD_FAILURES, key, now: at(1) });
    expect(await reserve(PASSWORD_FAILURES, at(2))).toEqual({ kind: 'reserved', failures: 1 });
  });

  it('forget a reservation that was given back, and the wait that it cost', async () => {
    await failAsFastAsAllowed(OTP_FAILURES, 5);
    await giveBackFailure(db, { policy: OTP_FAILURES, key, now: at(1) });
    expect(await reserve(OTP_FAILURES, at(2))).toEqual({ kind: 'reserved', failures: 5 });
    expect(await reserve(OTP_FAILURES, at(3))).toEqual({ kind: 'waiting', until: at(902) });
  });

  it('never fall below zero', async () => {
    await reserve(OTP_FAILURES, start);
    for (let i = 0; i < 3; i += 1) await giveBackFailure(db, { policy: OTP_FAILURES, key, now: start });
    expect(await reserve(OTP_FAILURES, start)).toEqual({ kind: 'reserved', failures: 1 });
  });

  it('do not count successes against the hour, but keep its failures through them', async () => {
    for (let second = 0; second < 12; second += 1) {
      expect(await reserve(OTP_FAILURES, at(second))).toMatchObject({ kind: 'reserved' });
      await clearFailures(db, { policy: OTP_FAILURES, key, now: at(second) });
    }
    for (let second = 20; second < 30; second += 1) {
      // A stranger guesses, the owner gets in after every guess but the last.
      expect(await reserve(OTP_FAILURES, at(second))).toMatchObject({ kind: 'reserved' });
      if (second === 29) break;
      expect(await reserve(OTP_FAILURES, at(second))).toMatchObject({ kind: 'reserved' });
      await clearFailures(db, { policy: OTP_FAILURES, key, now: at(second) });
    }
    expect(await reserve(OTP_FAILURES, at(30))).toEqual({ kind: 'waiting', until: at(3_620) });
    expect(await reserve(OTP_FAILURES, at(3_620))).toMatchObject({ kind: 'reserved' });
  });

  it('are apart for every scope and key', async () => {
    await failAsFastAsAllowed(PASSWORD_FAILURES, 5);
    expect(await reserve(OTP_FAILURES, start)).toEqual({ kind: 'reserved', failures: 1 });
    const other = { policy: PASSWORD_FAILURES, key: randomBytes(32), now: start };
    expect(await reserveFailure(db, other)).toEqual({ kind: 'reserved', failures: 1 });
  });
});
