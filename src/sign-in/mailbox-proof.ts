import type { Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AttemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { MailsAfterPassword } from '../throttle/mails-after-password.js';
import type { Spending } from '../throttle/quotas.js';
import type { Visitor } from '../throttle/visitor.js';

const TTL_SECONDS = 15 * 60;

/** The mailed code without which nobody enrols an authenticator: a password alone may be stolen. */
export interface MailboxProof {
  /**
   * What a code belongs to: the attempt, the account and its address, so that it serves neither another person's
   * password nor a mailbox that was the account's before (A6, R-24).
   */
  flowOf(attempt: AttemptId, account: Account): string;
  /** Mails a new code, which voids the older one. `exhausted` when the account had its share of mail. */
  send(tx: Queryable, to: { attempt: AttemptId; account: Account }, visitor: Visitor): Promise<Spending>;
}

export function createMailboxProof(parts: {
  codes: MailedCodes;
  accountMail: AccountMail;
  audit: Audit;
  mails: MailsAfterPassword;
  clock: Clock;
}): MailboxProof {
  const { codes, accountMail, audit, mails, clock } = parts;
  const flowOf = (attempt: AttemptId, { id, email }: Account): string => `${attempt}|${id}|${email ?? ''}`;
  return {
    flowOf,
    async send(tx, { attempt, account }, visitor) {
      if (account.email === undefined) return { kind: 'spent' };
      const now = clock.now();
      const addressKey = mails.addressKeyOf(visitor);
      const spending = await mails.spend(tx, { accountId: account.id, visitor, addressKey, now });
      if (spending.kind === 'exhausted') return spending;
      const code = await codes.issue(tx, {
        flow: flowOf(attempt, account),
        purpose: 'mailbox',
        accountId: account.id,
        ttlSeconds: TTL_SECONDS,
        now,
      });
      const expiresAt = secondsAfter(now, TTL_SECONDS);
      await accountMail.queue(tx, {
        account,
        mail: 'enrolment-code',
        data: { code, expiresAt, at: now },
        locale: visitor.locale,
        expiresAt,
      });
      await audit.record(tx, {
        type: 'sign_in.mailbox_code_sent',
        detail: {},
        accountId: account.id,
        requestId: visitor.requestId,
        agent: visitor.agent,
      });
      return spending;
    },
  };
}
