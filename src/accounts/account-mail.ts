import { randomUUID } from 'node:crypto';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { accountId, type AccountId } from '../kernel/ids.js';
import type { Mailer } from '../mail/mailer.js';
import type { MailKind, Mails, NoticeEvent, NoticeKind } from '../mail/mails.js';
import { isNotice, isUrgent } from '../mail/wording.js';
import type { Outbox } from '../outbox/outbox.js';
import type { OutboxHandler } from '../outbox/worker.js';
import type { SealedBox } from '../security/sealed-box.js';
import { sealedColumn } from '../security/sealed-place.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Expiry } from '../storage/expiry.js';
import type { Account } from './accounts.js';
import type { Disavowals } from './disavowals.js';
import { insertNotice, takeNotices, type WaitingNotice } from './notice-store.js';
import { lastThreeOf } from './nip.js';

export interface AccountNotice<Kind extends MailKind> {
  /** As it was before what is told of. Undefined for a decoy, which does the same work and reaches nobody. */
  readonly account: Pick<Account, 'id' | 'email' | 'name' | 'nip'> | undefined;
  readonly mail: Kind;
  /** What this mail tells besides whose account it is. */
  readonly data: Omit<Mails[Kind], 'nipEnding'>;
  readonly locale?: 'id' | 'en';
  /** A mail with a code is not sent any more once the code has expired (F-11). */
  readonly expiresAt?: Date;
}

/** Mail to the person behind an account, at the address on file in the caller's transaction. */
export interface AccountMail {
  /**
   * Does nothing for an account without an address. Mails with codes leave at once. Notices wait a few minutes for
   * others of the account and become one mail with them (docs/adr/0014); urgent ones leave at once and take along what
   * waits.
   */
  queue<Kind extends MailKind>(tx: Queryable, notice: AccountNotice<Kind>): Promise<void>;
  /** Queues what waits for the account as one mail an address, once one of it is due; nothing when another has. */
  queueWaiting(tx: Queryable, accountId: AccountId): Promise<void>;
}

/** The kind of outbox messages that say: look whether notices of this account wait. */
export const NOTICES = 'notices';

/** About a freeze itself: also what leaves with it has no link, whichever address it goes to. */
const WITHOUT_LINK: ReadonlySet<NoticeKind> = new Set(['account-frozen', 'account-unfrozen']);

/** A notice to one address. */
interface Addressed {
  readonly address: string;
  readonly name: string;
  readonly locale: 'id' | 'en';
  readonly event: NoticeEvent;
}

/** JSON has no dates: those of the data are told apart from what people typed by their form. */
const packed = ({ event, ...to }: Addressed): string => {
  const entries = Object.entries(event.data).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Date ? { date: value.getTime() } : value,
  ]);
  return JSON.stringify({ ...to, kind: event.kind, data: Object.fromEntries(entries) as unknown });
};

const isDate = (value: unknown): value is { date: number } =>
  typeof value === 'object' && value !== null && 'date' in value && typeof value.date === 'number';

function unpacked(text: string): Addressed {
  const { kind, data, ...to } = JSON.parse(text) as Omit<Addressed, 'event'> & { kind: string; data: object };
  const entries = Object.entries(data).map(([name, value]: [string, unknown]) => [
    name,
    isDate(value) ? new Date(value.date) : value,
  ]);
  return { ...to, event: { kind, data: Object.fromEntries(entries) as unknown } as NoticeEvent };
}

export interface AccountMailParts {
  readonly mailer: Mailer;
  readonly outbox: Outbox;
  readonly disavowals: Disavowals;
  readonly box: SealedBox;
  readonly clock: Clock;
  /** For how long a notice waits for others; 0: each leaves at once, by itself. */
  readonly mergeSeconds: number;
}

export const SEALED_NOTICE = sealedColumn('account_notices', 'notice');
const contextOf = (id: string): string => SEALED_NOTICE.context(id);

export function createAccountMail(parts: AccountMailParts): AccountMail {
  const { mailer, outbox, disavowals, box, clock, mergeSeconds } = parts;
  const opened = ({ id, notice }: WaitingNotice): Addressed => unpacked(box.open(notice, contextOf(id)).toString());

  /** One mail for each address: it may have changed between two events. */
  async function send(tx: Queryable, account: AccountId, notices: readonly Addressed[]): Promise<void> {
    const links = notices.every(({ event }) => !WITHOUT_LINK.has(event.kind));
    for (const [address, told] of Map.groupBy(notices, (notice) => notice.address)) {
      const events = told.map(({ event }) => event);
      const last = told.at(-1);
      if (last === undefined) continue;
      const disavow = links ? await disavowals.issue(tx, { accountId: account, events, address }) : undefined;
      const to = { address, name: last.name };
      await mailer.queueNotices(tx, { to, accountId: account, locale: last.locale, events, disavow });
    }
  }

  const waitingOf = async (tx: Queryable, account: AccountId, dueBy?: Date): Promise<Addressed[]> =>
    (await takeNotices(tx, account, dueBy)).map(opened);

  async function keep(tx: Queryable, account: AccountId, notice: Addressed): Promise<void> {
    const id = randomUUID();
    const now = clock.now();
    const dueAt = secondsAfter(now, mergeSeconds);
    await insertNotice(tx, { id, accountId: account, notice: box.seal(packed(notice), contextOf(id)), now, dueAt });
    // One for each notice, none for another's sake: whichever is due first takes all, the others find nothing. A shared
    // one might be handled just before this transaction commits, and nobody would come for this notice.
    await outbox.add(tx, { kind: NOTICES, payload: { accountId: account }, notBefore: dueAt });
  }

  return {
    async queue(tx, { account, mail, data, locale = 'id', expiresAt }) {
      if (account !== undefined && account.email === undefined) return;
      const about = { ...data, nipEnding: account === undefined ? '000' : lastThreeOf(account.nip) };
      if (!isNotice(mail)) {
        const to = account?.email === undefined ? undefined : { address: account.email, name: account.name };
        await mailer.queue(tx, {
          to,
          accountId: account?.id,
          mail,
          data: about,
          locale,
          ...(expiresAt === undefined ? {} : { expiresAt }),
        });
        return;
      }
      if (account?.email === undefined) throw new Error('a notice has no decoys');
      const event = { kind: mail, data: about } as unknown as NoticeEvent;
      const notice: Addressed = { address: account.email, name: account.name, locale, event };
      if (mergeSeconds === 0) await send(tx, account.id, [notice]);
      else if (isUrgent(mail)) await send(tx, account.id, [...(await waitingOf(tx, account.id)), notice]);
      else await keep(tx, account.id, notice);
    },

    async queueWaiting(tx, account) {
      await send(tx, account, await waitingOf(tx, account, clock.now()));
    },
  };
}

/** Sends what waits: taking and queueing are one transaction, so that a kill between them loses and repeats nothing. */
export const createNoticeHandler =
  ({ db, accountMail }: { db: Database; accountMail: AccountMail }): OutboxHandler =>
  async ({ payload }) => {
    const { accountId: account } = payload as { accountId: string };
    await db.transaction((tx) => accountMail.queueWaiting(tx, accountId(account)));
    return { kind: 'delivered' };
  };

/** What no process could send in two days; links a day after their end. */
export const NOTICE_EXPIRIES: readonly Expiry[] = [
  { table: 'account_notices', where: `happened_at < $1::timestamptz - interval '2 days'` },
  { table: 'disavowals', where: `expires_at < $1::timestamptz - interval '1 day'` },
];
