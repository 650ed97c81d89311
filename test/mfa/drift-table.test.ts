import { randomUUID } from 'node:crypto';
import { secretContext } from '#src/devices/device.js';
import { createDevices } from '#src/devices/devices.js';
import { accountId, attemptId, deviceId, type AccountId } from '#src/kernel/ids.js';
import { createMetrics } from '#src/metrics/metrics.js';
import { createGuesses } from '#src/mfa/guesses.js';
import { createOtpCheck, type OtpVerdict } from '#src/mfa/otp.js';
import { newSecret } from '#src/mfa/totp.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { addAgencies, addPerson } from '../accounts/people.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import { totp } from '../support/totp.js';

/**
 * The diagnosis of a wrong clock for every minute from -130 to +130, with the real store: one code never reveals
 * anything, a drifted or replayed code is never accepted, and after the diagnosis the next right code is.
 */
const START = new Date('2026-11-23T01:15:15Z').getTime();
const STEP_MS = 30_000;
const REACH_MINUTES = 130;
const MINUTES = Array.from({ length: 2 * REACH_MINUTES + 1 }, (_, index) => index - REACH_MINUTES);

let db: Database & TestDatabase;
const clock = { at: START, now: () => new Date(clock.at) };
const key = Buffer.alloc(32, 7);
const box = createSealedBox(parseKeyRing(`k1:${key.toString('base64')}`));
const devices = createDevices(clock);
const metrics = createMetrics();
const otp = createOtpCheck({
  devices,
  guesses: createGuesses({ keyed: createKeyedDigest(key), clock }),
  box,
  clock,
  metrics,
});

beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
});
afterAll(() => db.drop());

/** A secret whose codes do not meet by chance within the time that a row of the table looks at. */
function plainSecret(): string {
  for (;;) {
    const secret = newSecret();
    const steps = (REACH_MINUTES * 60_000) / STEP_MS + 20;
    const codes = Array.from({ length: 4 * steps }, (_, index) =>
      totp(secret, new Date(START + (index - 2 * steps) * STEP_MS)),
    );
    if (new Set(codes).size === codes.length) return secret;
  }
}
const SECRET = plainSecret();

let numbered = 0;
async function addPhone(): Promise<AccountId> {
  numbered += 1;
  const id = accountId(await addPerson(db, `1980${String(numbered).padStart(14, '0')}`));
  const device = deviceId(randomUUID());
  await db.transaction(async (tx) => {
    const sealedSecret = box.seal(SECRET, secretContext(device));
    await devices.addPending(tx, { id: device, accountId: id, attempt: attemptId(device), sealedSecret });
    await devices.confirm(tx, { device, name: 'Ponsel', step: 1 });
  });
  return id;
}

const check = (id: AccountId, typed: string): Promise<OtpVerdict> =>
  db.transaction((tx) => otp.check(tx, { accountId: id, typed }));

async function diagnosesCounted(): Promise<Record<string, number>> {
  const { body } = await metrics.render();
  return Object.fromEntries(
    [...body.matchAll(/^sso_clock_drifts_total\{kind="(\w+)"\} (\d+)$/gm)].map(([, kind, count]) => [
      kind ?? '',
      Number(count),
    ]),
  );
}

/** Walks one row of the table; answers what the diagnosis said, in minutes. */
async function walk(driftMs: number): Promise<number> {
  clock.at = START;
  const id = await addPhone();
  const phone = (): string => totp(SECRET, new Date(clock.at + driftMs));
  const first = phone();
  // One code, however often: nothing but wrong.
  expect(await check(id, first)).toEqual({ kind: 'mismatch', failures: 1 });
  clock.at += STEP_MS + 1000;
  expect(await check(id, first)).toEqual({ kind: 'mismatch', failures: 2 });
  // The second code of the same phone is diagnosed, and not accepted either; nor again.
  const second = phone();
  expect(second).not.toBe(first);
  const verdict = await check(id, second);
  expect(verdict).toMatchObject({ kind: 'drift', failures: 3 });
  const minutes = verdict.kind === 'drift' ? verdict.minutes : Number.NaN;
  expect(await check(id, second)).toEqual({ kind: 'mismatch', failures: 4 });
  // The clock put right, the next code is taken at once, and once.
  const right = totp(SECRET, clock.now());
  expect(await check(id, right)).toMatchObject({ kind: 'accepted' });
  expect(await check(id, right)).toEqual({ kind: 'reused' });
  // What the phone showed too early is not taken either when its time has come: it was seen by who looked on.
  for (const code of driftMs > 0 ? [first, second] : []) {
    clock.at = START + driftMs + (code === first ? 0 : STEP_MS + 1000);
    expect((await check(id, code)).kind).not.toBe('accepted');
  }
  return minutes;
}

describe('a phone that is off by', () => {
  const wrong = MINUTES.filter((minutes) => minutes !== 0);
  it.each(wrong)('%i minutes', async (minutes) => {
    const told = await walk(minutes * 60_000);
    expect(Math.abs(told - minutes)).toBeLessThanOrEqual(1);
    expect(Math.sign(told)).toBe(Math.sign(minutes));
  });

  it.each([-7_790, -3_601, -1_817, -433, -95, 95, 433, 1_817, 3_601, 7_790])('%i seconds', async (seconds) => {
    expect(Math.abs((await walk(seconds * 1000)) - seconds / 60)).toBeLessThanOrEqual(1);
  });

  it.each([-30, 0, 30])('%i seconds is not off', async (seconds) => {
    clock.at = START;
    const id = await addPhone();
    expect(await check(id, totp(SECRET, new Date(clock.at + seconds * 1000)))).toMatchObject({ kind: 'accepted' });
  });

  it.each([131, -131, 24 * 60])('%i minutes is not looked for', async (minutes) => {
    clock.at = START;
    const id = await addPhone();
    for (let turn = 1; turn <= 3; turn += 1) {
      const code = totp(SECRET, new Date(clock.at + minutes * 60_000));
      expect(await check(id, code)).toEqual({ kind: 'mismatch', failures: turn });
      clock.at += STEP_MS;
    }
  });
});

it('counts each diagnosis by its kind, and nothing of whom (R-42)', async () => {
  const counted = await diagnosesCounted();
  // Within five minutes of one or two whole hours, either way.
  const wholeHours = 4 * 11;
  expect(Object.keys(counted).sort()).toEqual(['minutes', 'whole_hours']);
  expect((counted.minutes ?? 0) + (counted.whole_hours ?? 0)).toBe(MINUTES.length - 1 + 10);
  expect(Math.abs((counted.whole_hours ?? 0) - wholeHours - 2)).toBeLessThanOrEqual(8);
});
