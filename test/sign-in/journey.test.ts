import fc from 'fast-check';
import { secondsAfter } from '#src/kernel/clock.js';
import { nextStep, type Evidence, type Step } from '#src/sign-in/journey.js';

const now = new Date('2026-11-23T01:15:42Z');
const ago = (seconds: number): Date => secondsAfter(now, -seconds);
const [FRESH, STALE, DEAD] = [ago(60), ago(5 * 60 + 1), ago(30 * 60 + 1)];

const nothing: Evidence = {
  factorOnly: false,
  passwordAt: undefined,
  passwordWeak: false,
  passkeyAt: undefined,
  mailboxAt: undefined,
  factorAt: undefined,
  codesToSave: false,
  hasDevice: false,
  hasClosed: false,
  hasPasskey: false,
  wantsPasskey: false,
};

describe('journey of a sign-in', () => {
  const device = { hasDevice: true };
  const password = { passwordAt: FRESH };
  const passkey = { passkeyAt: FRESH };
  const wanted = { wantsPasskey: true };
  const factor = { factorAt: FRESH };
  const closed = { hasClosed: true };
  it.each<[string, Partial<Evidence>, Step]>([
    ['nothing', {}, 'password'],
    ['nothing, with a device', device, 'password'],
    ['a device and a mailbox without a password', { ...device, mailboxAt: FRESH }, 'password'],
    ['a factor without a password', { ...device, ...factor }, 'password'],
    ['a weak password that was not given', { ...device, passwordWeak: true }, 'password'],
    ['the password', { ...password, ...device }, 'second-factor'],
    ['the password, no device (R-03)', password, 'prove-mailbox'],
    ['the mailbox', { ...password, mailboxAt: FRESH }, 'enrol-device'],
    [
      'an old proof of the mailbox does not help who has a device',
      { ...password, ...device, mailboxAt: FRESH },
      'second-factor',
    ],
    ['both factors', { ...password, ...device, ...factor }, 'done'],
    ['codes just made', { ...password, ...device, ...factor, codesToSave: true }, 'save-codes'],
    ['a weak password', { ...password, ...device, ...factor, passwordWeak: true }, 'change-password'],
    [
      'codes first, then the weak password',
      { ...password, ...device, ...factor, codesToSave: true, passwordWeak: true },
      'save-codes',
    ],
    ['a session that lacks a fresh factor', { factorOnly: true, ...device }, 'second-factor'],
    ['such a session with the factor', { factorOnly: true, ...device, ...factor }, 'done'],
    ['a session whose factors were taken away', { factorOnly: true }, 'password'],
    ['a passkey for both factors', { ...device, ...passkey, ...factor }, 'done'],
    ['such a passkey whose device was taken away meanwhile', { ...passkey, ...factor }, 'done'],
    ['nothing, where only a passkey will do', wanted, 'password'],
    [
      'the password, where only a passkey will do',
      { ...password, ...device, hasPasskey: true, ...wanted },
      'second-factor',
    ],
    ['the password, and no passkey where only that will do', { ...password, ...device, ...wanted }, 'passkey-missing'],
    ['the password, and no device where only a passkey will do', { ...password, ...wanted }, 'passkey-missing'],
    [
      'a session, and no passkey where only that will do',
      { factorOnly: true, ...device, ...wanted },
      'passkey-missing',
    ],
    ['such a session with a passkey', { factorOnly: true, ...device, hasPasskey: true, ...wanted }, 'second-factor'],
    ['such a session, after the password', { factorOnly: true, ...password }, 'prove-mailbox'],
    ['the password, where all there is was closed', { ...password, ...closed }, 'factors-closed'],
    [
      'the same with the mailbox: it binds nothing in its place (R-09)',
      { ...password, ...closed, mailboxAt: FRESH },
      'factors-closed',
    ],
    ['the same where only a passkey will do', { ...password, ...closed, ...wanted }, 'factors-closed'],
    ['the password, where one was closed and another is left', { ...password, ...closed, ...device }, 'second-factor'],
    ['a closed device without a password', closed, 'password'],
    ['a session of which all was closed', { factorOnly: true, ...closed }, 'password'],
    ['a passkey beside a closed device', { ...closed, ...device, ...passkey, ...factor }, 'done'],
  ])('%s', (_, proved, step) => {
    expect(nextStep({ ...nothing, ...proved }, now)).toBe(step);
  });

  it.each<[string, Partial<Evidence>, number, Step]>([
    ['for the code', { hasDevice: true }, 300, 'second-factor'],
    ['for the code', { hasDevice: true }, 300.001, 'password'],
    ['to read what was closed', { hasClosed: true }, 1_800, 'factors-closed'],
    ['through mailbox and enrolment', {}, 1_800, 'prove-mailbox'],
    ['through mailbox and enrolment', {}, 1_800.001, 'password'],
    ['through mailbox and enrolment', { mailboxAt: FRESH }, 1_800, 'enrol-device'],
    ['through mailbox and enrolment', { mailboxAt: FRESH }, 1_800.001, 'password'],
    ['to the end', { hasDevice: true, factorAt: FRESH }, 1_800, 'done'],
    ['to the end', { hasDevice: true, factorAt: FRESH }, 1_800.001, 'password'],
  ])('the password holds so long %s (R-02): %j after %d s', (_, proved, seconds, step) => {
    expect(nextStep({ ...nothing, ...proved, passwordAt: ago(seconds) }, now)).toBe(step);
  });

  it.each<[number, Step]>([
    [1_800, 'done'],
    [1_800.001, 'password'],
  ])('a passkey holds to the end for as long, %d s', (seconds, step) => {
    const proved = { hasDevice: true, factorAt: FRESH, passkeyAt: ago(seconds) };
    expect(nextStep({ ...nothing, ...proved }, now)).toBe(step);
  });

  it('a passkey opens no enrolment: it was both factors, or nothing', () => {
    expect(nextStep({ ...nothing, passkeyAt: FRESH, mailboxAt: FRESH }, now)).toBe('password');
  });
});

const flag = [false, true];
const times = [undefined, FRESH, STALE, DEAD];
const choices: { readonly [Name in keyof Evidence]: readonly Evidence[Name][] } = {
  factorOnly: flag,
  passwordAt: times,
  passwordWeak: flag,
  passkeyAt: [undefined, STALE, DEAD],
  mailboxAt: [undefined, FRESH],
  factorAt: [undefined, FRESH],
  codesToSave: flag,
  hasDevice: flag,
  hasClosed: flag,
  hasPasskey: flag,
  wantsPasskey: flag,
};
const all = Object.entries(choices).reduce<readonly Partial<Evidence>[]>(
  (some, [name, values]) => some.flatMap((one) => values.map((value) => ({ ...one, [name]: value }))),
  [{}],
) as readonly Evidence[];

/** The journey once more, as a list read from the top. */
function expected({ factorOnly, passwordAt, passkeyAt, mailboxAt, factorAt, hasDevice, ...rest }: Evidence): Step {
  const waitsForCode = hasDevice && factorAt === undefined;
  const given =
    passwordAt === FRESH ||
    (passwordAt === STALE && !waitsForCode) ||
    (passkeyAt === STALE && factorAt !== undefined) ||
    (factorOnly && hasDevice);
  const steps: [boolean, Step][] = [
    [!given, 'password'],
    [factorAt === undefined && rest.hasClosed && !hasDevice, 'factors-closed'],
    [factorAt === undefined && rest.wantsPasskey && !rest.hasPasskey, 'passkey-missing'],
    [waitsForCode, 'second-factor'],
    [factorAt === undefined && mailboxAt === undefined, 'prove-mailbox'],
    [factorAt === undefined, 'enrol-device'],
    [rest.codesToSave, 'save-codes'],
    [rest.passwordWeak, 'change-password'],
  ];
  return steps.find(([applies]) => applies)?.[1] ?? 'done';
}

it('every combination of evidence has its step', () => {
  expect(all).toHaveLength(6_144);
  const wrong = all.filter((evidence) => nextStep(evidence, now) !== expected(evidence));
  expect(wrong).toEqual([]);
  expect(new Set(all.map((evidence) => nextStep(evidence, now))).size).toBe(9);
});

describe('whatever was proved, and whenever', () => {
  const moment = fc.option(fc.integer({ min: -10, max: 7_200 }).map(ago), { nil: undefined });
  const evidence: fc.Arbitrary<Evidence> = fc.record({
    factorOnly: fc.boolean(),
    passwordAt: moment,
    passwordWeak: fc.boolean(),
    passkeyAt: moment,
    mailboxAt: moment,
    factorAt: moment,
    codesToSave: fc.boolean(),
    hasDevice: fc.boolean(),
    hasClosed: fc.boolean(),
    hasPasskey: fc.boolean(),
    wantsPasskey: fc.boolean(),
  });

  it('nobody is done without a second factor and a password, or a session or passkey in its place (R-02)', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        if (nextStep(given, now) !== 'done') return;
        expect(given.factorAt).toBeDefined();
        const first = given.passwordAt ?? given.passkeyAt;
        expect(first !== undefined || (given.factorOnly && given.hasDevice)).toBe(true);
        expect(given.codesToSave || given.passwordWeak).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('nobody enrols without password and mailbox, nor while a device is bound, closed or not (R-03, R-09)', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        if (nextStep(given, now) !== 'enrol-device') return;
        expect([given.passwordAt, given.mailboxAt]).not.toContain(undefined);
        expect(given.hasDevice || given.hasClosed).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('another proof never leads further from the end, but for what it brings to light', () => {
    const order: readonly Step[] = [
      'password',
      'factors-closed',
      'passkey-missing',
      'prove-mailbox',
      'enrol-device',
      'second-factor',
      'save-codes',
      'change-password',
      'done',
    ];
    fc.assert(
      fc.property(evidence, (given) => {
        const before = order.indexOf(nextStep(given, now));
        expect(order.indexOf(nextStep({ ...given, passwordAt: now }, now))).toBeGreaterThanOrEqual(before);
        expect(order.indexOf(nextStep({ ...given, mailboxAt: now }, now))).toBeGreaterThanOrEqual(before);
        expect(order.indexOf(nextStep({ ...given, factorAt: now }, now))).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 5_000 },
    );
  });
});
