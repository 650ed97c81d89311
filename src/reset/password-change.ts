import { changePassword, recordEmailProved, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { EndSessions } from '../accounts/end-sessions.js';
import type { Audit } from '../audit/audit.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import type { EnrolmentTickets } from '../devices/enrolment-tickets.js';
import type { Clock } from '../kernel/clock.js';
import type { Queryable } from '../storage/database.js';
import type { Visitor } from '../throttle/visitor.js';

export interface PasswordChange {
  /**
   * Sets the new password and all that follows from it, in the caller's transaction: sessions, tokens and mailed
   * codes end, the person is told, and a person without a second factor may enrol one in this browser.
   * False, with nothing done, when the account's credentials have changed since it was read.
   */
  apply(
    tx: Queryable,
    change: { account: Account; passwordHash: string; by: 'reset' | 'weak'; hasDevice: boolean },
    visitor: Visitor,
  ): Promise<boolean>;
}

export function createPasswordChange(parts: {
  endSessions: EndSessions;
  codes: MailedCodes;
  tickets: EnrolmentTickets;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): PasswordChange {
  const { endSessions, codes, tickets, accountMail, audit, clock } = parts;
  return {
    async apply(tx, { account, passwordHash, by, hasDevice }, { browserId, requestId }) {
      const now = clock.now();
      const isActivation = by === 'reset' && account.activatedAt === undefined;
      const { id: accountId, credEpoch } = account;
      if ((await changePassword(tx, { accountId, passwordHash, credEpoch, now })) === undefined) return false;
      if (by === 'reset' && !account.emailProved) await recordEmailProved(tx, accountId);
      await endSessions.ofAccounts(tx, [account.id]);
      await codes.voidAll(tx, account.id);
      await tickets.voidAll(tx, account.id);
      // Only the mailed code proves the mailbox; an old password does not.
      if (by === 'reset' && !hasDevice) await tickets.issue(tx, account.id, browserId);
      const about = { accountId: account.id, requestId };
      await audit.record(tx, { type: 'password.changed', detail: { by: isActivation ? 'activation' : by }, ...about });
      if (isActivation) await audit.record(tx, { type: 'account.activated', detail: {}, ...about });
      await accountMail.queue(tx, { account, mail: 'password-changed', data: { at: now } });
      return true;
    },
  };
}
