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
  mailboxAt: undefined,
  factorAt: undefined,
  codesToSave: false,
  hasDevice: false,
};

describe('journey of a sign-in', () => {
  const device = { hasDevice: true };
  const password = { passwordAt: FRESH };
  const factor = { factorAt: FRESH };
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
    ['such a session, after the password', { factorOnly: true, ...password }, 'prove-mailbox'],
  ])('%s', (_, proved, step) => {
    expect(nextStep({ ...nothing, ...proved }, now)).toBe(step);
  });

  it.each<[string, Partial<Evidence>, number, Step]>([
    ['for the code', { hasDevice: true }, 300, 'second-factor'],
    ['for the code', { hasDevice: true }, 300.001, 'password'],
    ['through mailbox and enrolment', {}, 1_800, 'prove-mailbox'],
    ['through mailbox and enrolment', {}, 1_800.001, 'password'],
    ['through mailbox and enrolment', { mailboxAt: FRESH }, 1_800, 'enrol-device'],
    ['through mailbox and enrolment', { mailboxAt: FRESH }, 1_800.001, 'password'],
    ['to the end', { hasDevice: true, factorAt: FRESH }, 1_800, 'done'],
    ['to the end', { hasDevice: true, factorAt: FRESH }, 1_800.001, 'password'],
  ])('the password holds so long %s (R-02): %j after %d s', (_, proved, seconds, step) => {
    expect(nextStep({ ...nothing, ...proved, passwordAt: ago(seconds) }, now)).toBe(step);
  });
});

const flag = [false, true];
const times = [undefined, FRESH, STALE, DEAD];
const all: Evidence[] = flag.flatMap((factorOnly) =>
  times.flatMap((passwordAt) =>
    flag.flatMap((passwordWeak) =>
      [undefined, FRESH].flatMap((mailboxAt) =>
        [undefined, FRESH].flatMap((factorAt) =>
          flag.flatMap((codesToSave) =>
            flag.map((hasDevice) => ({
              factorOnly,
              passwordAt,
              passwordWeak,
              mailboxAt,
              factorAt,
              codesToSave,
              hasDevice,
            })),
          ),
        ),
      ),
    ),
  ),
);

/** The journey once more, as a list read from the top. */
function expected({ factorOnly, passwordAt, mailboxAt, factorAt, hasDevice, ...rest }: Evidence): Step {
  const waitsForCode = hasDevice && factorAt === undefined;
  const given = passwordAt === FRESH || (passwordAt === STALE && !waitsForCode) || (factorOnly && hasDevice);
  const steps: [boolean, Step][] = [
    [!given, 'password'],
    [waitsForCode, 'second-factor'],
    [factorAt === undefined && mailboxAt === undefined, 'prove-mailbox'],
    [factorAt === undefined, 'enrol-device'],
    [rest.codesToSave, 'save-codes'],
    [rest.passwordWeak, 'change-password'],
  ];
  return steps.find(([applies]) => applies)?.[1] ?? 'done';
}

it('every combination of evidence has its step', () => {
  expect(all).toHaveLength(256);
  for (const evidence of all)
    expect({ ...evidence, step: nextStep(evidence, now) }).toEqual({ ...evidence, step: expected(evidence) });
  expect(new Set(all.map((evidence) => nextStep(evidence, now))).size).toBe(7);
});

describe('whatever was proved, and whenever', () => {
  const moment = fc.option(fc.integer({ min: -10, max: 7_200 }).map(ago), { nil: undefined });
  const evidence: fc.Arbitrary<Evidence> = fc.record({
    factorOnly: fc.boolean(),
    passwordAt: moment,
    passwordWeak: fc.boolean(),
    mailboxAt: moment,
    factorAt: moment,
    codesToSave: fc.boolean(),
    hasDevice: fc.boolean(),
  });

  it('nobody is done without a second factor and a password, or a session that had one (R-02)', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        if (nextStep(given, now) !== 'done') return;
        expect(given.factorAt).toBeDefined();
        expect(given.passwordAt !== undefined || (given.factorOnly && given.hasDevice)).toBe(true);
        expect(given.codesToSave || given.passwordWeak).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('nobody enrols without password and mailbox, nor while a device could be asked for (R-03)', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        if (nextStep(given, now) !== 'enrol-device') return;
        expect([given.passwordAt, given.mailboxAt]).not.toContain(undefined);
        expect(given.hasDevice).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('another proof never leads further from the end, but for what it brings to light', () => {
    const order: readonly Step[] = [
      'password',
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
