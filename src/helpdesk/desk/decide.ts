import type { LastMail } from '../../mail/last-mails.js';
import type { PersonStatus } from './desk.js';
import type { Attempt, Finding, Outcome, Step } from './diagnosis.js';

/** All that is looked at. */
export interface Facts {
  readonly status: PersonStatus;
  readonly hasEmail: boolean;
  /** False while an address that an import brought was never proved. */
  readonly emailProved: boolean;
  /** Authenticators that prove something, and those that too many wrong codes closed. */
  readonly factors: { readonly open: number; readonly closed: number };
  readonly passwordDisabled: boolean;
  /** The last reset of the second factors by an officer. */
  readonly lastReset: OfficersReset | undefined;
  readonly passwordWaitUntil: Date | undefined;
  readonly codeWaitUntil: Date | undefined;
  readonly lastMail: LastMail | undefined;
  /** Wrong captchas typed beside this person's name within the last half hour. */
  readonly wrongCaptchas: number;
  /** Newest first. */
  readonly attempts: readonly Attempt[];
  readonly now: Date;
}

export interface OfficersReset {
  readonly at: Date;
  /** None for who runs the server. */
  readonly officer: string | undefined;
  readonly verification: 'photo_id' | 'presence' | 'operator';
}

/** What was tried longer ago says nothing of today's call. */
const RECENT_MS = 24 * 3600 * 1000;
/** A mail and the event that tells of it are written together. */
const TOGETHER_MS = 60 * 1000;
/** A mail that nobody got matters as long as somebody may still wait for it. */
const MAIL_MATTERS_MS = 7 * 24 * 3600 * 1000;

interface Recent {
  /** Of today, since the last login: newest first. */
  readonly attempts: readonly Attempt[];
  /** What was refused at this step since it was last accepted. */
  readonly refusedAt: (...steps: readonly Step[]) => readonly Attempt[];
}

/** Of factors that an officer's reset has ended. */
const isOver = ({ step, at }: Attempt, lastReset: OfficersReset | undefined): boolean =>
  lastReset !== undefined && at < lastReset.at && (step === 'code' || step === 'recovery_code' || step === 'passkey');

function recentOf({ attempts: all, lastReset, now }: Facts): Recent {
  const since = now.getTime() - RECENT_MS;
  const loggedIn = all.findIndex(({ step, outcome }) => step === 'sign_in' && outcome === 'accepted');
  const attempts = (loggedIn < 0 ? all : all.slice(0, loggedIn)).filter(
    (attempt) => attempt.at.getTime() >= since && !isOver(attempt, lastReset),
  );
  return {
    attempts,
    refusedAt(...steps) {
      const there = attempts.filter(({ step, outcome }) => steps.includes(step) && outcome !== 'sent');
      const accepted = there.findIndex(({ outcome }) => outcome === 'accepted');
      return accepted < 0 ? there : there.slice(0, accepted);
    },
  };
}

const has = (attempts: readonly Attempt[], ...outcomes: readonly Outcome[]): boolean =>
  attempts.some(({ outcome }) => outcomes.includes(outcome));
const latestIs = ([latest]: readonly Attempt[], ...outcomes: readonly Outcome[]): boolean =>
  latest !== undefined && outcomes.includes(latest.outcome);

/**
 * Whether the last mail reached nobody: it was given up, or a code was mailed later than the last mail that a server
 * took and waits no more: it was too old to be sent.
 */
function mailFailed({ lastMail, now }: Facts, { attempts }: Recent): boolean {
  if (lastMail === undefined) return false;
  if (lastMail.fate === 'failed') return now.getTime() - lastMail.at.getTime() <= MAIL_MATTERS_MS;
  const asked = attempts.find(({ outcome }) => outcome === 'sent');
  if (asked === undefined || lastMail.fate !== 'sent') return false;
  return asked.at.getTime() - lastMail.at.getTime() > TOGETHER_MS;
}

/** A code was mailed and none has been typed since. */
function waitsForMail({ attempts }: Recent): boolean {
  const [latest] = attempts.filter(({ step }) => step === 'mailed_code' || step === 'new_password');
  return latest?.outcome === 'sent';
}

const later = (until: Date | undefined, now: Date): until is Date => until !== undefined && until > now;

const finding = (cause: Finding['cause'], tell: Finding['tell']): Finding => ({ cause, tell, resetNeeded: false });

type Rule = (facts: Facts, recent: Recent) => Finding | undefined;

/**
 * The causes in the order in which it is useful to know them: what nobody can do anything about by trying again; then
 * what has to be set right first; then what stands in the way for a while; then what was mistyped.
 */
const RULES: readonly Rule[] = [
  ({ status }) => (status === 'inactive' ? finding('inactive', 'ask_personnel') : undefined),
  ({ status }) => (status === 'disabled' ? finding('disabled', 'come_in_person') : undefined),
  ({ status }) => (status === 'frozen' ? finding('frozen', 'come_in_person') : undefined),
  // Without an address nobody sets a first password, makes a new one or binds a first authenticator.
  ({ hasEmail, status, factors, passwordDisabled }) =>
    !hasEmail && (status === 'not_activated' || factors.open === 0 || passwordDisabled)
      ? finding('no_email', status === 'not_activated' ? 'come_for_slip' : 'register_email')
      : undefined,
  (facts, recent) =>
    facts.hasEmail && mailFailed(facts, recent) ? finding('mail_failed', 'correct_email') : undefined,
  ({ status, hasEmail }) => (status === 'not_activated' && hasEmail ? finding('not_activated', 'activate') : undefined),
  ({ factors }) =>
    factors.open === 0 && factors.closed > 0
      ? { cause: 'factors_closed', tell: 'register_authenticator_anew', resetNeeded: true }
      : undefined,
  ({ passwordDisabled }) => (passwordDisabled ? finding('password_disabled', 'reset_password') : undefined),
  (_, { refusedAt }) => {
    const drifted = refusedAt('code').filter(({ outcome }) => outcome === 'clock_drift');
    if (drifted.length === 0) return undefined;
    const minutes = drifted.find((attempt) => attempt.minutes !== undefined)?.minutes;
    return { ...finding('clock_drift', 'set_clock_automatic'), ...(minutes === undefined ? {} : { minutes }) };
  },
  ({ codeWaitUntil, now }) =>
    later(codeWaitUntil, now) ? { ...finding('waiting', 'wait'), until: codeWaitUntil, waitsFor: 'code' } : undefined,
  ({ passwordWaitUntil, now }) =>
    later(passwordWaitUntil, now)
      ? { ...finding('waiting', 'wait'), until: passwordWaitUntil, waitsFor: 'password' }
      : undefined,
  ({ hasEmail, emailProved, status }, recent) =>
    hasEmail && !emailProved && status === 'active' && waitsForMail(recent)
      ? finding('mailbox_changed', 'prove_mailbox')
      : undefined,
  // What is left to do after an officer's reset: the new authenticator.
  ({ lastReset, factors, status }) => {
    if (lastReset === undefined || factors.open + factors.closed > 0 || status !== 'active') return undefined;
    const { at, officer, verification } = lastReset;
    const tell = verification === 'photo_id' ? 'reset_then_enrol' : 'enrol_anew';
    return { ...finding('just_reset', tell), at, ...(officer === undefined ? {} : { officer }) };
  },
  (_, { refusedAt }) =>
    latestIs(refusedAt('code'), 'reused') ? finding('code_reused', 'wait_for_next_code') : undefined,
  (_, { refusedAt }) =>
    latestIs(refusedAt('code', 'recovery_code'), 'wrong', 'refused', 'throttled')
      ? finding('code_wrong', 'take_the_right_entry')
      : undefined,
  (_, { refusedAt }) =>
    latestIs(refusedAt('mailed_code', 'new_password'), 'wrong', 'exhausted')
      ? finding('mailed_code_wrong', 'take_the_latest_mail')
      : undefined,
  (_, { refusedAt }) =>
    has(refusedAt('passkey'), 'refused') ? finding('passkey_refused', 'use_the_same_device') : undefined,
  (_, { attempts }) => {
    // A right address is told by the code that is mailed to it.
    const [latest] = attempts.filter(
      ({ during, step }) => during === 'reset_password' && /^(email|mailed_code)$/.test(step),
    );
    return latest?.step === 'email' && latest.outcome === 'wrong'
      ? finding('email_mistyped', 'type_the_registered_email')
      : undefined;
  },
  ({ wrongCaptchas }) => (wrongCaptchas > 0 ? finding('captcha_wrong', 'hear_the_captcha') : undefined),
  (_, { refusedAt }) =>
    has(refusedAt('password'), 'wrong') ? finding('password_wrong', 'retype_password') : undefined,
  (_, recent) => (waitsForMail(recent) ? finding('code_mailed', 'look_in_mailbox') : undefined),
];

/** What stands in somebody's way, the most useful to know first; `all_well` alone when nothing does. */
export function decide(facts: Facts): readonly [Finding, ...Finding[]] {
  const recent = recentOf(facts);
  const [first, ...others] = RULES.flatMap((rule) => rule(facts, recent) ?? []);
  return first === undefined ? [finding('all_well', 'try_again')] : [first, ...others];
}
