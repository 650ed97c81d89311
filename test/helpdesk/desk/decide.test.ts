import fc from 'fast-check';
import { DETAILS } from '../../account/audit-samples.js';
import type { AuditType } from '#src/audit/events.js';
import { attemptOf, ATTEMPT_TYPES } from '#src/helpdesk/desk/attempts.js';
import { decide, type Facts } from '#src/helpdesk/desk/decide.js';
import {
  ADVICE,
  CAUSES,
  OUTCOMES,
  PASSAGES,
  STEPS,
  type Attempt,
  type Cause,
  type Finding,
} from '#src/helpdesk/desk/diagnosis.js';
import { PERSON_STATUSES } from '#src/helpdesk/desk/desk.js';

const now = new Date('2026-11-20T03:00:00Z');
const ago = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000);
const ahead = (minutes: number): Date => ago(-minutes);

const FINE: Facts = {
  status: 'active',
  hasEmail: true,
  emailProved: true,
  factors: { open: 1, closed: 0 },
  passwordDisabled: false,
  lastReset: undefined,
  passwordWaitUntil: undefined,
  codeWaitUntil: undefined,
  lastMail: { at: ago(3000), fate: 'sent' },
  wrongCaptchas: 0,
  attempts: [],
  now,
};

/** `step outcome minutes-ago`, newest first. */
type Line = readonly [step: Attempt['step'], outcome: Attempt['outcome'], at: number, more?: Partial<Attempt>];
const tried = (...lines: readonly Line[]): Attempt[] =>
  lines.map(([step, outcome, minutes, more]) => ({
    step,
    outcome,
    at: ago(minutes),
    during: 'sign_in',
    browser: 'Chrome',
    system: 'Android',
    ...more,
  }));
const ofReset = { during: 'reset_password' } as const;

const CASES: readonly [name: string, change: Partial<Facts>, causes: readonly Cause[], main?: Partial<Finding>][] = [
  ['nothing was tried', {}, ['all_well'], { tell: 'try_again' }],
  ['a login that went well', { attempts: tried(['sign_in', 'accepted', 5], ['code', 'accepted', 5]) }, ['all_well']],
  [
    'what was wrong before the last login',
    {
      attempts: tried(['sign_in', 'accepted', 5], ['code', 'clock_drift', 6], ['password', 'wrong', 9]),
    },
    ['all_well'],
  ],
  [
    'an officer’s reset, and no authenticator since: what was typed of the old one is over',
    {
      factors: { open: 0, closed: 0 },
      lastReset: { at: ago(9), officer: 'Petugas', verification: 'presence' },
      attempts: tried(['code', 'clock_drift', 20], ['password', 'accepted', 21]),
    },
    ['just_reset'],
    { tell: 'enrol_anew', at: ago(9), officer: 'Petugas' },
  ],
  [
    'a reset by photo card, of somebody who forgot the password',
    {
      factors: { open: 0, closed: 0 },
      lastReset: { at: ago(9), officer: 'Petugas', verification: 'photo_id' },
      attempts: tried(['password', 'wrong', 20]),
    },
    ['just_reset', 'password_wrong'],
    { tell: 'reset_then_enrol' },
  ],
  [
    'a reset, and a new authenticator since',
    { lastReset: { at: ago(90), officer: undefined, verification: 'operator' } },
    ['all_well'],
  ],
  ['what was wrong yesterday', { attempts: tried(['password', 'wrong', 1441]) }, ['all_well']],
  [
    'left the service',
    { status: 'inactive', attempts: tried(['password', 'inactive', 1]) },
    ['inactive'],
    {
      tell: 'ask_personnel',
    },
  ],
  ['closed by an officer', { status: 'disabled' }, ['disabled'], { tell: 'come_in_person' }],
  [
    'frozen, and mistyping besides',
    { status: 'frozen', attempts: tried(['password', 'wrong', 1]) },
    ['frozen', 'password_wrong'],
  ],
  [
    'never activated',
    { status: 'not_activated', factors: { open: 0, closed: 0 } },
    ['not_activated'],
    {
      tell: 'activate',
    },
  ],
  [
    'never activated, no address',
    { status: 'not_activated', hasEmail: false, factors: { open: 0, closed: 0 } },
    ['no_email'],
    { tell: 'come_for_slip' },
  ],
  [
    'never activated, and the mail came back',
    {
      status: 'not_activated',
      lastMail: { at: ago(3), fate: 'failed' },
      factors: { open: 0, closed: 0 },
    },
    ['mail_failed', 'not_activated'],
  ],
  ['no address, but an authenticator', { hasEmail: false }, ['all_well']],
  ['no address and no authenticator', { hasEmail: false, factors: { open: 0, closed: 0 } }, ['no_email']],
  [
    'no address and a disabled password',
    { hasEmail: false, passwordDisabled: true },
    ['no_email', 'password_disabled'],
  ],
  ['the mail was given up', { lastMail: { at: ago(10), fate: 'failed' } }, ['mail_failed'], { tell: 'correct_email' }],
  ['a mail given up two weeks ago', { lastMail: { at: ago(20_000), fate: 'failed' } }, ['all_well']],
  [
    'a code was mailed, but the last mail that left is older',
    {
      lastMail: { at: ago(300), fate: 'sent' },
      attempts: tried(['mailed_code', 'sent', 20, ofReset]),
    },
    ['mail_failed', 'code_mailed'],
  ],
  [
    'a code was mailed and left',
    {
      lastMail: { at: ago(20), fate: 'sent' },
      attempts: tried(['mailed_code', 'sent', 20, ofReset]),
    },
    ['code_mailed'],
    { tell: 'look_in_mailbox' },
  ],
  [
    'a code was mailed and still waits',
    {
      lastMail: { at: ago(2), fate: 'waiting' },
      attempts: tried(['mailed_code', 'sent', 2, ofReset]),
    },
    ['code_mailed'],
  ],
  [
    'a code was mailed to an address that an import brought',
    {
      emailProved: false,
      lastMail: { at: ago(20), fate: 'sent' },
      attempts: tried(['mailed_code', 'sent', 20, ofReset]),
    },
    ['mailbox_changed', 'code_mailed'],
    { tell: 'prove_mailbox' },
  ],
  [
    'every app closed',
    { factors: { open: 0, closed: 1 } },
    ['factors_closed'],
    {
      resetNeeded: true,
      tell: 'register_authenticator_anew',
    },
  ],
  ['one app closed, a passkey left', { factors: { open: 1, closed: 1 } }, ['all_well']],
  [
    'the password disabled',
    { passwordDisabled: true, attempts: tried(['password', 'disabled', 1]) },
    ['password_disabled'],
    { tell: 'reset_password' },
  ],
  [
    'a clock of unknown distance',
    { attempts: tried(['code', 'clock_drift', 3]) },
    ['clock_drift'],
    {
      tell: 'set_clock_automatic',
    },
  ],
  [
    'a clock 61 minutes behind, the last code only wrong',
    {
      attempts: tried(['code', 'wrong', 1], ['code', 'clock_drift', 3, { minutes: -61 }], ['password', 'accepted', 4]),
    },
    ['clock_drift', 'code_wrong'],
    { minutes: -61, resetNeeded: false },
  ],
  [
    'a clock that is right again',
    { attempts: tried(['code', 'accepted', 1], ['code', 'clock_drift', 3]) },
    ['all_well'],
  ],
  [
    'codes wait, because of the clock',
    {
      codeWaitUntil: ahead(12),
      attempts: tried(['code', 'throttled', 1], ['code', 'clock_drift', 3, { minutes: 7 }]),
    },
    ['clock_drift', 'waiting', 'code_wrong'],
    { minutes: 7 },
  ],
  ['codes wait', { codeWaitUntil: ahead(12) }, ['waiting'], { waitsFor: 'code', until: ahead(12), tell: 'wait' }],
  ['a wait that is over', { codeWaitUntil: now, passwordWaitUntil: ago(1) }, ['all_well']],
  ['the password waits', { passwordWaitUntil: ahead(1) }, ['waiting'], { waitsFor: 'password', until: ahead(1) }],
  [
    'a code typed twice',
    { attempts: tried(['code', 'reused', 1], ['password', 'accepted', 2]) },
    ['code_reused'],
    {
      tell: 'wait_for_next_code',
    },
  ],
  ['a wrong code', { attempts: tried(['code', 'wrong', 1]) }, ['code_wrong'], { tell: 'take_the_right_entry' }],
  ['a wrong recovery code', { attempts: tried(['recovery_code', 'wrong', 1]) }, ['code_wrong']],
  [
    'a wrong code of the mail',
    {
      attempts: tried(['mailed_code', 'wrong', 1, ofReset], ['mailed_code', 'sent', 2, ofReset]),
      lastMail: { at: ago(2), fate: 'sent' },
    },
    ['mailed_code_wrong'],
    { tell: 'take_the_latest_mail' },
  ],
  ['a passkey of another device', { attempts: tried(['passkey', 'refused', 1]) }, ['passkey_refused']],
  [
    'another address than the registered one',
    { attempts: tried(['email', 'wrong', 1, ofReset]) },
    ['email_mistyped'],
    {
      tell: 'type_the_registered_email',
    },
  ],
  [
    'another address, then the right one',
    {
      attempts: tried(['mailed_code', 'sent', 1, ofReset], ['email', 'wrong', 2, ofReset]),
      lastMail: { at: ago(1), fate: 'sent' },
    },
    ['code_mailed'],
  ],
  ['wrong captchas', { wrongCaptchas: 2 }, ['captcha_wrong'], { tell: 'hear_the_captcha' }],
  ['a wrong password', { attempts: tried(['password', 'wrong', 1]) }, ['password_wrong'], { tell: 'retype_password' }],
  [
    'a wrong password, then the right one',
    {
      attempts: tried(['password', 'accepted', 1], ['password', 'wrong', 2]),
    },
    ['all_well'],
  ],
];

describe('the diagnosis', () => {
  it.each(CASES)('%s', (_, change, causes, main = {}) => {
    const findings = decide({ ...FINE, ...change });
    expect(findings.map(({ cause }) => cause)).toEqual(causes);
    expect(findings[0]).toMatchObject(main);
  });

  it('has a case for every cause and every advice', () => {
    const found = CASES.flatMap(([, change]) => decide({ ...FINE, ...change }));
    expect(new Set(found.map(({ cause }) => cause))).toEqual(new Set(CAUSES));
    expect(new Set(found.map(({ tell }) => tell))).toEqual(new Set(ADVICE));
  });

  it('asks for a reset of factors only where nothing else helps', () => {
    const attempt = fc.record({
      at: fc.integer({ min: 0, max: 3000 }).map(ago),
      step: fc.constantFrom(...STEPS),
      during: fc.constantFrom(...PASSAGES),
      outcome: fc.constantFrom(...OUTCOMES),
      browser: fc.constant(''),
      system: fc.constant(''),
    });
    const until = fc.option(fc.integer({ min: -100, max: 100 }).map(ago), { nil: undefined });
    const facts: fc.Arbitrary<Facts> = fc.record({
      status: fc.constantFrom(...PERSON_STATUSES),
      hasEmail: fc.boolean(),
      emailProved: fc.boolean(),
      factors: fc.record({ open: fc.nat(2), closed: fc.nat(2) }),
      passwordDisabled: fc.boolean(),
      lastReset: fc.option(
        fc.record({
          at: fc.nat(3000).map(ago),
          officer: fc.option(fc.constant('Petugas'), { nil: undefined }),
          verification: fc.constantFrom('photo_id', 'presence', 'operator'),
        }),
        { nil: undefined },
      ),
      passwordWaitUntil: until,
      codeWaitUntil: until,
      lastMail: fc.option(
        fc.record({ at: fc.nat(3000).map(ago), fate: fc.constantFrom('sent', 'waiting', 'failed') }),
        { nil: undefined },
      ),
      wrongCaptchas: fc.nat(2),
      attempts: fc.array(attempt, { maxLength: 12 }).map((all) => all.sort((a, b) => b.at.getTime() - a.at.getTime())),
      now: fc.constant(now),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const findings = decide(given);
        const resets = findings.filter(({ resetNeeded }) => resetNeeded);
        expect(resets.length > 0).toBe(given.factors.open === 0 && given.factors.closed > 0);
        expect(new Set(findings.map(({ cause, waitsFor }) => `${cause} ${waitsFor ?? ''}`)).size).toBe(findings.length);
        if (findings.some(({ cause }) => cause === 'all_well')) expect(findings).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });
});

describe('an attempt', () => {
  const event = (type: string, detail: object) => ({
    id: '1',
    at: now,
    type,
    detail: { browser: 'Chrome', system: 'Android', ...detail },
    actorId: undefined,
    agencyCode: undefined,
    clientId: undefined,
  });

  it.each(ATTEMPT_TYPES)('is made of every %s', (type) => {
    for (const detail of DETAILS[type]) {
      expect(attemptOf(event(type, detail))).toMatchObject({ at: now, browser: 'Chrome', system: 'Android' });
    }
  });

  it('is made of nothing else, and of no code of another version', () => {
    const others = (Object.keys(DETAILS) as AuditType[]).filter((type) => !ATTEMPT_TYPES.includes(type));
    for (const type of others)
      for (const detail of DETAILS[type]) expect(attemptOf(event(type, detail))).toBeUndefined();
    for (const type of ['reset.code_refused', 'sign_in.otp_refused', 'sign_in.password_refused', 'reset.otp_refused'])
      expect(attemptOf(event(type, { cause: 'toString' }))).toBeUndefined();
    expect(attemptOf(event('constructor', {}))).toBeUndefined();
  });

  it.each(['account.frozen', 'desk.refused', 'role.granted', 'mfa_reset.done'])('is none of %s', (type) => {
    expect(ATTEMPT_TYPES).not.toContain(type);
  });

  it('tells how far the clock was off', () => {
    expect(attemptOf(event('sign_in.otp_refused', { cause: 'drift', drift_minutes: -61 }))).toMatchObject({
      step: 'code',
      during: 'sign_in',
      outcome: 'clock_drift',
      minutes: -61,
    });
  });
});
