import type { Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import { createEndFactors, type EndFactorsParts } from '../mfa/end-factors.js';
import type { Queryable } from '../storage/database.js';

export interface FactorResetParts extends EndFactorsParts {
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Whom the person is told of. */
interface ActingOfficer {
  readonly actorId: AccountId;
  readonly clientId: string;
  readonly name: string;
  /** The agency in whose name they acted; a national operator has none. */
  readonly agency: string | undefined;
}

interface GrantedReset {
  readonly account: Account;
  readonly resetId: string;
  readonly method: string;
  /** Absent: whoever operates the server. */
  readonly by?: ActingOfficer;
  readonly requestId?: string;
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
    async apply(tx, { account, resetId, method, by, requestId }) {
      const ended = await endFactors.apply(tx, { accountId: account.id, reason: 'helpdesk_reset' });
      const about = {
        accountId: account.id,
        actorId: by?.actorId,
        agencyCode: account.agency.code,
        clientId: by?.clientId,
        requestId,
      };
      await audit.record(
        tx,
        { type: 'mfa_reset.done', detail: { reset: resetId, devices: ended.length, method }, ...about },
        ...ended.map((device) => ({
          type: 'device.ended' as const,
          detail: { device, reason: 'helpdesk_reset' as const },
          ...about,
        })),
      );
      const officer = by?.agency === undefined ? undefined : { officer: by.name, agency: by.agency };
      await accountMail.queue(tx, { account, mail: 'mfa-reset', data: { at: clock.now(), by: officer } });
      return ended.length;
    },
  };
}
