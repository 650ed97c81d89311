import { recordEmailProved, recordEmailUnproved, type Account } from '../accounts/accounts.js';
import type { NewPassword } from '../accounts/new-password.js';
import type { Audit } from '../audit/audit.js';
import type { EnrolmentTickets } from '../devices/enrolment-tickets.js';
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
    change: { account: Account; passwordHash: string; by: 'reset' | 'weak' | 'slip'; hasDevice: boolean },
    visitor: Visitor,
  ): Promise<boolean>;
}

export function createPasswordChange(parts: {
  newPassword: NewPassword;
  tickets: EnrolmentTickets;
  audit: Audit;
}): PasswordChange {
  const { newPassword, tickets, audit } = parts;
  return {
    async apply(tx, { account, passwordHash, by, hasDevice }, visitor) {
      const isActivation = by === 'slip' || (by === 'reset' && account.activatedAt === undefined);
      const reason = isActivation ? 'activation' : by;
      const set = await newPassword.set(tx, { account, passwordHash, by: reason, trace: visitor });
      if (set === undefined) return false;
      if (by === 'reset' && !account.emailProved) await recordEmailProved(tx, account.id);
      // Paper proves no mailbox, and the account counts as activated from now on.
      if (by === 'slip') await recordEmailUnproved(tx, account.id);
      await tickets.voidAll(tx, account.id);
      // Only the mailed code proves the mailbox, and the slip stands for it; an old password does not.
      if (by !== 'weak' && !hasDevice) await tickets.issue(tx, account.id, visitor.browserId);
      if (isActivation) {
        const { requestId, agent } = visitor;
        await audit.record(tx, { type: 'account.activated', detail: {}, accountId: account.id, requestId, agent });
      }
      return true;
    },
  };
}
