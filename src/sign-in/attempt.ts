import type { DeviceKind } from '../devices/device.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Evidence } from './journey.js';
import type { SealedPlace } from '../security/sealed-place.js';

/** One person's way through one authorization request: what was asked and what was proved so far. */
export interface Attempt {
  readonly uid: AttemptId;
  /** The relying party that asks. */
  readonly clientId: string;
  /** It is for a device that asked elsewhere: nothing in this browser waits for its end. */
  readonly isForDevice: boolean;
  /** Why the provider asks: `no_session`, `max_age`, `factor_age`, ... */
  readonly reasons: readonly string[];
  /** Who is signed in already, when somebody is. */
  readonly sessionAccountId: AccountId | undefined;
  readonly sessionName: string | undefined;
  /** Who proved the password here. */
  readonly accountId: AccountId | undefined;
  readonly credEpoch: number | undefined;
  readonly passwordAt: Date | undefined;
  readonly passwordWeak: boolean;
  readonly mailboxAt: Date | undefined;
  /** What its mailed code belongs to; attempts of one person in one browser may share it. */
  readonly mailboxFlow: string | undefined;
  readonly factorAt: Date | undefined;
  readonly factorMethod: FactorMethod | undefined;
  /** When a passkey stood for both factors: no password was asked. */
  readonly passkeyAt: Date | undefined;
  /** How the session that it may build on was begun (RFC 8176). */
  readonly sessionAmr: readonly string[];
  /** Recovery codes just made, sealed. */
  readonly pendingCodes: string | undefined;
  /** When a reset of this person's factors is due that waits: to take effect, or to be stopped by this login. */
  readonly waitingResetDueAt: Date | undefined;
  /** Whether a recovery code of this person could still be used. */
  readonly hasRecoveryCodes: boolean;
  /** Until when no code of the person who proved the password here is looked at; it may be over. */
  readonly codesWaitUntil: Date | undefined;
  /** The authenticators bound to the person it is about, the last used first; closed ones too. */
  readonly devices: readonly BoundDevice[];
  readonly answered: Answered | undefined;
  readonly finishedAt: Date | undefined;
}

export interface BoundDevice {
  readonly name: string;
  readonly kind: DeviceKind;
  /** Too many wrong codes: it proves nothing any more, and nobody may bind another one in its place. */
  readonly isClosed: boolean;
}

/** A passkey is told by whether it can leave the device that made it. */
export type FactorMethod = 'otp' | 'recovery_code' | 'device_passkey' | 'synced_passkey';

/** The last code tried and what came of it: a double tap gets the same answer. */
export interface Answered {
  readonly digest: Buffer;
  readonly at: Date;
  readonly answer: string;
}

/** The provider's reasons that a second factor alone answers: it is too old, or it was no passkey. */
const FACTOR_REASONS = ['factor_age', 'phishing_resistant'];

/** A live session that lacks nothing but a second factor, fresh or better. */
export const asksFactorOnly = ({ reasons, sessionAccountId }: Pick<Attempt, 'reasons' | 'sessionAccountId'>): boolean =>
  sessionAccountId !== undefined && reasons.length > 0 && reasons.every((reason) => FACTOR_REASONS.includes(reason));

/** Nothing but a passkey gives the authentication class that was asked for (`phr`). */
export const wantsPasskey = ({ reasons }: Pick<Attempt, 'reasons'>): boolean => reasons.includes('phishing_resistant');

/** Whose attempt it is: who proved the password, or whose session it builds on. */
export const personOf = (attempt: Pick<Attempt, 'accountId' | 'reasons' | 'sessionAccountId'>): AccountId | undefined =>
  attempt.accountId ?? (asksFactorOnly(attempt) ? attempt.sessionAccountId : undefined);

/** Those that can be asked for. */
export const usableOf = ({ devices }: Pick<Attempt, 'devices'>): readonly BoundDevice[] =>
  devices.filter(({ isClosed }) => !isClosed);

export const evidenceOf = (attempt: Attempt): Evidence => ({
  factorOnly: asksFactorOnly(attempt),
  passwordAt: attempt.passwordAt,
  passwordWeak: attempt.passwordWeak,
  passkeyAt: attempt.passkeyAt,
  mailboxAt: attempt.mailboxAt,
  factorAt: attempt.factorAt,
  codesToSave: attempt.pendingCodes !== undefined,
  hasDevice: usableOf(attempt).length > 0,
  hasClosed: attempt.devices.some(({ isClosed }) => isClosed),
  hasPasskey: attempt.devices.some(({ kind }) => kind === 'passkey'),
  wantsPasskey: wantsPasskey(attempt),
});

export const SEALED_ATTEMPT_CODES: SealedPlace = {
  table: 'sign_in_attempts',
  column: 'pending_codes',
  row: ['uid'],
  context: (uid = '') => `sign_in_attempts|${uid}|codes`,
};
/** What sealed recovery codes of an attempt are bound to. */
export const codesContext = (uid: AttemptId): string => SEALED_ATTEMPT_CODES.context(uid);
