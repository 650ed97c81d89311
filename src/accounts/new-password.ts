import type { Audit } from '../audit/audit.js';
import type { AuditDetails } from '../audit/events.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import type { Clock } from '../kernel/clock.js';
import type { AttemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import type { AccountMail } from './account-mail.js';
import { changePassword, type Account } from './accounts.js';
import type { EndSessions } from './end-sessions.js';

export interface NewPasswordOrder {
  /** As it was read when the person proved who they are. */
  readonly account: Account;
  readonly passwordHash: string;
  readonly by: AuditDetails['password.changed']['by'];
  /** What of all that the account has open goes on: what the person changes the password in. */
  readonly keep?: { readonly exceptAttempt?: AttemptId; readonly exceptSession?: string };
  readonly clientId?: string | undefined;
  readonly trace: Trace;
}

/** A new password and what follows from it, however the person came to it. */
export interface NewPassword {
  /**
   * Sets it in the caller's transaction: what the account has open and the codes mailed to it end, the audit trail
   * has its row and the person is told. Answers the new credential epoch; undefined, with nothing done,
   * when the account's credentials have changed since it was read.
   */
  set(tx: Queryable, order: NewPasswordOrder): Promise<number | undefined>;
}

export function createNewPassword(parts: {
  endSessions: EndSessions;
  codes: MailedCodes;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): NewPassword {
  const { endSessions, codes, accountMail, audit, clock } = parts;
  return {
    async set(tx, { account, passwordHash, by, keep, clientId, trace }) {
      const now = clock.now();
      const { id: accountId, credEpoch: known } = account;
      const credEpoch = await changePassword(tx, { accountId, passwordHash, credEpoch: known, now });
      if (credEpoch === undefined) return undefined;
      await endSessions.ofAccounts(tx, [accountId], keep);
      await codes.voidAll(tx, accountId);
      await audit.record(tx, { type: 'password.changed', detail: { by }, accountId, clientId, ...trace });
      await accountMail.queue(tx, { account, mail: 'password-changed', data: { at: now } });
      return credEpoch;
    },
  };
}
