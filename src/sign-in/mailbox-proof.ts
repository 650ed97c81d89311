import type { Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { randomId } from '../security/secrets.js';
import type { Queryable } from '../storage/database.js';
import type { MailsAfterPassword } from '../throttle/mails-after-password.js';
import type { Spending } from '../throttle/quotas.js';
import type { Visitor } from '../throttle/visitor.js';
import type { Attempt } from './attempt.js';
import * as attempts from './attempt-store.js';

const TTL_SECONDS = 15 * 60;
/** A code that lives so much longer is not mailed anew: there is time to find the mail and type it. */
const ENOUGH_SECONDS = 5 * 60;

/** `kept`: the code mailed to this browser before is the one to type. */
export type MailboxAsked =
  { readonly kind: 'mailed' } | { readonly kind: 'kept' } | Exclude<Spending, { kind: 'spent' }>;

type Flowing = Pick<Attempt, 'uid' | 'mailboxFlow'>;
interface To {
  readonly attempt: Flowing;
  readonly account: Account;
}

/** The mailed code without which nobody enrols an authenticator: a password alone may be stolen. */
export interface MailboxProof {
  /**
   * What a code belongs to: attempts of one browser, the account and its address, so that it serves neither another
   * person's password nor a mailbox that was the account's before (A6, R-24).
   */
  flowOf(attempt: Flowing, account: Account): string;
  /**
   * Asks for the code after a right password. Who logs in again in the same browser within minutes goes on with the
   * code that was mailed, whose wrong tries stay counted; only without one is a new one mailed. `exhausted` when
   * there is none and the account had its share of mail.
   */
  begin(tx: Queryable, to: To, visitor: Visitor): Promise<MailboxAsked>;
  /** Mails a new code, which voids the older one. `exhausted` when the account had its share of mail. */
  send(tx: Queryable, to: To, visitor: Visitor): Promise<Spending>;
}

export function createMailboxProof(parts: {
  codes: MailedCodes;
  accountMail: AccountMail;
  audit: Audit;
  mails: MailsAfterPassword;
  clock: Clock;
}): MailboxProof {
  const { codes, accountMail, audit, mails, clock } = parts;
  const bound = (flow: string, { id, email }: Account): string => `${flow}|${id}|${email ?? ''}`;
  const flowOf: MailboxProof['flowOf'] = ({ uid, mailboxFlow }, account) => bound(mailboxFlow ?? uid, account);

  const send: MailboxProof['send'] = async (tx, { attempt, account }, visitor) => {
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
  };

  /** The newest code of this browser for this account and address that can still be typed. */
  async function findKept(
    tx: Queryable,
    account: Account,
    { browserId }: Visitor,
  ): Promise<{ name: string; expiresAt: Date } | undefined> {
    const now = clock.now();
    const names = await attempts.mailboxFlowsOf(tx, { accountId: account.id, browserId, now });
    const flows = names.map((name) => ({ name, flow: bound(name, account), purpose: 'mailbox' as const }));
    const open = await codes.findOpen(tx, { flows, now });
    return open && { name: open.flow.name, expiresAt: open.expiresAt };
  }

  return {
    flowOf,
    send,
    async begin(tx, { attempt: { uid }, account }, visitor) {
      const kept = account.email === undefined ? undefined : await findKept(tx, account, visitor);
      const goOn = async (mailboxFlow: string, kind: 'mailed' | 'kept'): Promise<MailboxAsked> => {
        await attempts.recordMailboxFlow(tx, uid, mailboxFlow);
        return { kind };
      };
      if (kept !== undefined && kept.expiresAt >= secondsAfter(clock.now(), ENOUGH_SECONDS)) {
        return goOn(kept.name, 'kept');
      }
      const mailboxFlow = randomId();
      const sent = await send(tx, { attempt: { uid, mailboxFlow }, account }, visitor);
      if (sent.kind === 'spent') return goOn(mailboxFlow, 'mailed');
      return kept === undefined ? sent : goOn(kept.name, 'kept');
    },
  };
}
