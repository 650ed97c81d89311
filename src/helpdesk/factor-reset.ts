import type { Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { ActingOfficer } from '../accounts/freezing.js';
import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import { createEndFactors, type EndFactorsParts } from '../mfa/end-factors.js';
import type { Queryable } from '../storage/database.js';

export interface FactorResetParts extends EndFactorsParts {
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly clock: Clock;
}

interface GrantedReset {
  readonly account: Account;
  readonly resetId: string;
  readonly method: string;
  /** Absent: whoever operates the server. */
  readonly by?: ActingOfficer;
}

/** What a reset that was granted does to the account. */
export interface FactorReset {
  /**
   * Ends every factor and all that was begun with one, writes the audit rows and tells the person, in the caller's
   * transaction. Answers how many authenticators ended.
   */
  apply(tx: Queryable, reset: GrantedReset): Promise<number>;
}

export function createFactorReset(parts: FactorResetParts): FactorReset {
  const { accountMail, audit, clock } = parts;
  const endFactors = createEndFactors(parts);
  return {
    async apply(tx, { account, resetId, method, by }) {
      const ended = await endFactors.apply(tx, { accountId: account.id, reason: 'helpdesk_reset' });
      const about = { accountId: account.id, agencyCode: account.agency.code, ...by };
      await audit.record(
        tx,
        { type: 'mfa_reset.done', detail: { reset: resetId, devices: ended.length, method }, ...about },
        ...ended.map((device) => ({
          type: 'device.ended' as const,
          detail: { device, reason: 'helpdesk_reset' as const },
          ...about,
        })),
      );
      await accountMail.queue(tx, { account, mail: 'mfa-reset', data: { at: clock.now(), by: by?.told } });
      return ended.length;
    },
  };
}
