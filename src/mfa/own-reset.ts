import { renewCredentials, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import type { AuditDetails } from '../audit/events.js';
import type { Clock } from '../kernel/clock.js';
import type { AttemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import { createEndFactors, type EndedFactors, type EndFactorsParts } from './end-factors.js';

export interface GrantedOwnReset {
  /** As it was read when its password was proved. */
  readonly account: Account;
  readonly by: AuditDetails['self_reset.done']['by'];
  readonly but?: NonNullable<EndedFactors['but']>;
  readonly exceptAttempt?: AttemptId | undefined;
  readonly trace: Trace;
}

/** What a person's own reset of second factors does, whichever way it was earned. */
export interface OwnReset {
  /**
   * Ends the factors and all that hangs on them, voids the credentials' epoch, writes the audit rows and tells the
   * person, in the caller's transaction (R-11). Answers the new epoch; undefined, with nothing done, when the
   * account's credentials have changed since it was read, or it is frozen or inactive now.
   */
  apply(tx: Queryable, granted: GrantedOwnReset): Promise<number | undefined>;
}

export interface OwnResetParts extends EndFactorsParts {
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly clock: Clock;
}

export function createOwnReset(parts: OwnResetParts): OwnReset {
  const { accountMail, audit, clock } = parts;
  const endFactors = createEndFactors(parts);
  return {
    async apply(tx, { account, by, but, exceptAttempt, trace }) {
      const { id: accountId, credEpoch } = account;
      const now = clock.now();
      const renewed = await renewCredentials(tx, { accountId, credEpoch, now });
      if (renewed === undefined) return undefined;
      const ended = await endFactors.apply(tx, {
        accountId,
        reason: 'self_reset',
        ...(but && { but }),
        ...(exceptAttempt && { exceptAttempt }),
      });
      const about = { accountId, ...trace };
      await audit.record(
        tx,
        { type: 'self_reset.done', detail: { devices: ended.length, by }, ...about },
        ...ended.map((device) => ({
          type: 'device.ended' as const,
          detail: { device, reason: 'self_reset' as const },
          ...about,
        })),
      );
      await accountMail.queue(tx, {
        account,
        mail: 'mfa-own-reset',
        data: { at: now, left: but === undefined ? 'none' : 'some' },
      });
      return renewed;
    },
  };
}
