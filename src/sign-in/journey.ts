/**
 * @file The sign-in journey: what a person must still prove before we vouch for them.
 *
 * Pages never send the browser to one another. Each records what was proved and asks {@link nextStep}, the only
 * place that decides where the browser goes next.
 */

export type Step =
  | 'password'
  | 'second-factor'
  /** A passkey is asked for and there is none: the end of the way, until the person has added one. */
  | 'passkey-missing'
  /** All there is was closed by wrong codes: the end of the way, until a reset has ended it. */
  | 'factors-closed'
  | 'prove-mailbox'
  | 'enrol-device'
  | 'save-codes'
  | 'change-password'
  | 'done';

/** The evidence of one attempt; it holds no verdict. */
export interface Evidence {
  /** A live session needs nothing but a second factor (a relying party's `x.max_age_seconds`, or `phr`). */
  readonly factorOnly: boolean;
  readonly passwordAt: Date | undefined;
  /** The password no longer meets the rules. */
  readonly passwordWeak: boolean;
  /** A passkey that verified its user stood for both factors (R-02, ADR 0013). */
  readonly passkeyAt: Date | undefined;
  readonly mailboxAt: Date | undefined;
  readonly factorAt: Date | undefined;
  /** Recovery codes were shown and not yet said to be saved. */
  readonly codesToSave: boolean;
  /** One that can be asked for. */
  readonly hasDevice: boolean;
  /** One that is bound and closed: it proves nothing, and is no reason to bind another with the mailbox. */
  readonly hasClosed: boolean;
  readonly hasPasskey: boolean;
  /** No other factor gives what the relying party asks for. */
  readonly wantsPasskey: boolean;
}

/** A right password opens the page for the code for so long... */
const PASSWORD_SECONDS = 5 * 60;
/** ...and the way through mailbox and enrolment for so long. */
const ENROLMENT_SECONDS = 30 * 60;

function passwordHolds({ passwordAt, hasDevice, factorAt }: Evidence, now: Date): boolean {
  if (passwordAt === undefined) return false;
  const limitSeconds = hasDevice && factorAt === undefined ? PASSWORD_SECONDS : ENROLMENT_SECONDS;
  return now.getTime() - passwordAt.getTime() <= limitSeconds * 1000;
}

/** It was both factors or nothing: it opens no way to mailbox and enrolment. */
const passkeyHolds = ({ passkeyAt, factorAt }: Evidence, now: Date): boolean =>
  passkeyAt !== undefined && factorAt !== undefined && now.getTime() - passkeyAt.getTime() <= ENROLMENT_SECONDS * 1000;

/**
 * Whether the person may show an officer that they are there: a right password of the last half hour, and a second factor
 * that is bound and was not proved. However long its codes wait: it is for those who cannot type one.
 */
export const mayShowPresence = ({ passwordAt, factorAt, hasDevice, hasClosed }: Evidence, now: Date): boolean =>
  passwordAt !== undefined &&
  factorAt === undefined &&
  (hasDevice || hasClosed) &&
  now.getTime() - passwordAt.getTime() <= ENROLMENT_SECONDS * 1000;

/**
 * The one next step. `done` only with a second factor and a password, or a session that had both, or a passkey that
 * was both.
 */
export function nextStep(evidence: Evidence, now: Date): Step {
  // A session whose factors were all taken away is no session to build on: then everything is asked.
  const firstGiven =
    (evidence.factorOnly && evidence.hasDevice) || passwordHolds(evidence, now) || passkeyHolds(evidence, now);
  if (!firstGiven) return 'password';
  if (evidence.factorAt === undefined) {
    if (evidence.hasClosed && !evidence.hasDevice) return 'factors-closed';
    // Before anything else is asked in vain.
    if (evidence.wantsPasskey && !evidence.hasPasskey) return 'passkey-missing';
    if (evidence.hasDevice) return 'second-factor';
    return evidence.mailboxAt === undefined ? 'prove-mailbox' : 'enrol-device';
  }
  if (evidence.codesToSave) return 'save-codes';
  if (evidence.passwordWeak) return 'change-password';
  return 'done';
}
