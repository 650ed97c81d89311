import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/**
 * Ends what an account has open; implemented by the OpenID provider's stores. Relying parties are told once the
 * caller's transaction has committed.
 */
export interface EndSessions {
  /**
   * Ends every single sign-on session, half-finished sign-in, grant and token of the accounts, in the
   * caller's transaction: after the commit none of them works any more. A sign-in under way may be left; or, for
   * what a person changes on our own pages, the session that they sit in, with nothing but these pages (R-11: "keep this
   * one"), raised to the account's credential epoch of now.
   */
  ofAccounts(
    tx: Queryable,
    accounts: readonly AccountId[],
    options?: { readonly exceptAttempt?: AttemptId; readonly exceptSession?: string },
  ): Promise<void>;
  /**
   * Whether the account's session still lives as this transaction sees it. Asked with the account held: what a session
   * that has just been ended had under way changes nothing any more.
   */
  isOpen(tx: Queryable, session: { readonly uid: string; readonly accountId: AccountId }): Promise<boolean>;
  /**
   * Holds the half-finished sign-ins of an account until the transaction ends, right after the account itself: a
   * sign-in holds its row before it takes a factor, and who changes a factor would wait for it the other way round.
   */
  holdSignIns(tx: Queryable, account: AccountId): Promise<void>;
  /** Ends one single sign-on session with all that hangs on it. False when there was none. */
  one(tx: Queryable, sessionUid: string): Promise<boolean>;
  /** The same for a session of this account alone: one statement asks whose it is and ends it. */
  ofOwner(tx: Queryable, session: OwnedSession): Promise<boolean>;
  /** Ends an application of this account that stays logged in without a session. False when there was none. */
  stayingApp(tx: Queryable, app: { readonly accountId: AccountId; readonly id: string }): Promise<boolean>;
  /**
   * Ends every session of the account but this one, and every grant that is not this one's: also those of applications
   * that stay signed in longer than a session. Answers how many sessions ended.
   */
  othersOf(tx: Queryable, session: OwnedSession): Promise<number>;
}

export interface OwnedSession {
  readonly accountId: AccountId;
  readonly sessionUid: string;
}
