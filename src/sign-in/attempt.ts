import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Evidence } from './journey.js';

/** One person's way through one authorization request: what was asked and what was proved so far. */
export interface Attempt {
  readonly uid: AttemptId;
  /** The relying party that asks. */
  readonly clientId: string;
  /** Why the provider asks: `no_session`, `max_age`, `factor_age`, ... */
  readonly reasons: readonly string[];
  /** Who is signed in already, when somebody is. */
  readonly sessionAccountId: AccountId | undefined;
  /** Who proved the password here. */
  readonly accountId: AccountId | undefined;
  readonly credEpoch: number | undefined;
  readonly passwordAt: Date | undefined;
  readonly passwordWeak: boolean;
  readonly mailboxAt: Date | undefined;
  readonly factorAt: Date | undefined;
  readonly factorMethod: FactorMethod | undefined;
  /** Recovery codes just made, sealed. */
  readonly pendingCodes: string | undefined;
  /** Names of the active authenticators of the person it is about, oldest first. */
  readonly deviceNames: readonly string[];
  /** When a reset of this person's factors is due that waits: to take effect, or to be stopped by this login. */
  readonly waitingResetDueAt: Date | undefined;
  readonly answered: Answered | undefined;
  readonly finishedAt: Date | undefined;
}

export type FactorMethod = 'otp' | 'recovery_code';

/** The last code tried and what came of it: a double tap gets the same answer. */
export interface Answered {
  readonly digest: Buffer;
  readonly at: Date;
  readonly answer: string;
}

/** A live session that lacks nothing but a fresh second factor. */
export const asksFactorOnly = ({ reasons, sessionAccountId }: Pick<Attempt, 'reasons' | 'sessionAccountId'>): boolean =>
  sessionAccountId !== undefined && reasons.length > 0 && reasons.every((reason) => reason === 'factor_age');

/** Whose attempt it is: who proved the password, or whose session it builds on. */
export const personOf = (attempt: Pick<Attempt, 'accountId' | 'reasons' | 'sessionAccountId'>): AccountId | undefined =>
  attempt.accountId ?? (asksFactorOnly(attempt) ? attempt.sessionAccountId : undefined);

export const evidenceOf = (attempt: Attempt): Evidence => ({
  factorOnly: asksFactorOnly(attempt),
  passwordAt: attempt.passwordAt,
  passwordWeak: attempt.passwordWeak,
  mailboxAt: attempt.mailboxAt,
  factorAt: attempt.factorAt,
  codesToSave: attempt.pendingCodes !== undefined,
  hasDevice: attempt.deviceNames.length > 0,
});

/** What sealed recovery codes of an attempt are bound to. */
export const codesContext = (uid: AttemptId): string => `sign_in_attempts|${uid}|codes`;
