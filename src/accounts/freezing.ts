import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Trace, Visitor } from '../throttle/visitor.js';
import type { AccountMail } from './account-mail.js';
import { getById } from './accounts.js';
import type { Disavowal, Disavowals } from './disavowals.js';
import type { EndSessions } from './end-sessions.js';
import { closeCases, freezeAccount, openCase, thawAccount } from './freezing-store.js';

/**
 * Ends something that an account has under way, in the caller's transaction: codes, tickets, waiting resets. `trace`
 * where a browser asked for it.
 */
export type EndUnderWay = (tx: Queryable, accountId: AccountId, trace?: Trace) => Promise<void>;

interface Order {
  readonly accountId: AccountId;
  /** Why, and how it was checked; kept with the case. */
  readonly reason: string;
}

interface OwnersDisavowal {
  readonly accountId: AccountId;
  /** What the person was told of and has not done. */
  readonly events: Disavowal['events'];
  /** Where they were told. */
  readonly address: string | undefined;
}

/**
 * Freezing an account until an officer has looked at it: nobody can get in, the owner included. Each of these happens
 * once, whoever asks at the same time, and leaves its audit row, its case and its mail in the same transaction.
 */
export interface Freezing {
  /**
   * "Bukan saya": by whoever holds the link of a notice mail. `frozen` also for the second half of a double tap, and
   * when it was frozen already; `gone` when the link is unknown, too old or voided.
   */
  disavow(token: string, visitor: Trace & Pick<Visitor, 'locale'>): Promise<{ readonly kind: 'frozen' | 'gone' }>;
  /** The same by the person, who is logged in. */
  byOwner(accountId: AccountId, visitor: Trace & Pick<Visitor, 'locale'>): Promise<void>;
  byOperator(order: Order): Promise<{ readonly kind: 'frozen' | 'already' }>;
  /** Closes every case of the account and voids the links of older mails. */
  lift(order: Order): Promise<{ readonly kind: 'lifted'; readonly cases: number } | { readonly kind: 'not_frozen' }>;
}

export function createFreezing(parts: {
  db: Database;
  disavowals: Disavowals;
  endSessions: EndSessions;
  /** Everything else that must not outlive the freeze. */
  underWay: readonly EndUnderWay[];
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): Freezing {
  const { db, disavowals, endSessions, underWay, accountMail, audit, clock } = parts;

  /** False when it is frozen already. */
  async function freeze(tx: Queryable, accountId: AccountId, trace?: Trace): Promise<boolean> {
    if (!(await freezeAccount(tx, accountId, clock.now()))) return false;
    await endSessions.ofAccounts(tx, [accountId]);
    for (const end of underWay) await end(tx, accountId, trace);
    return true;
  }

  /** Freezes, opens a case and tells the owner, once; what was frozen already only gets the case. */
  async function freezeForOwner(
    tx: Queryable,
    { accountId, events, address }: OwnersDisavowal,
    visitor: Trace & Pick<Visitor, 'locale'>,
  ): Promise<void> {
    const now = clock.now();
    const { requestId, agent, locale } = visitor;
    const trace = { accountId, requestId, agent };
    const isNew = await freeze(tx, accountId, visitor);
    const caseId = await openCase(tx, { accountId, cause: 'disavowed', events, reason: undefined, now });
    await audit.record(tx, { type: 'account.disavowed', detail: { case: caseId }, ...trace });
    if (!isNew) return;
    await audit.record(tx, { type: 'account.frozen', detail: { by: 'owner', case: caseId }, ...trace });
    const account = await getById(tx, accountId);
    // Who pressed reads the mailbox that the link went to; the account may have another address since.
    for (const email of new Set([address ?? account.email, account.email ?? address])) {
      const about = { mail: 'account-frozen', data: { at: now, by: 'owner' } } as const;
      await accountMail.queue(tx, { account: { ...account, email }, ...about, locale });
    }
  }

  return {
    disavow: (token, visitor) =>
      db.transaction(async (tx) => {
        const spent = await disavowals.spend(tx, token);
        if (spent === undefined) {
          return { kind: (await disavowals.find(tx, token))?.used === true ? 'frozen' : 'gone' };
        }
        await freezeForOwner(tx, spent, visitor);
        return { kind: 'frozen' };
      }),

    byOwner: (id, visitor) =>
      db.transaction((tx) => freezeForOwner(tx, { accountId: id, events: [], address: undefined }, visitor)),

    byOperator: ({ accountId, reason }) =>
      db.transaction(async (tx) => {
        if (!(await freeze(tx, accountId))) return { kind: 'already' };
        const now = clock.now();
        const caseId = await openCase(tx, { accountId, cause: 'frozen_by_operator', events: [], reason, now });
        await audit.record(tx, { type: 'account.frozen', detail: { by: 'operator', case: caseId }, accountId });
        const account = await getById(tx, accountId);
        await accountMail.queue(tx, { account, mail: 'account-frozen', data: { at: now, by: 'operator' } });
        return { kind: 'frozen' };
      }),

    lift: ({ accountId, reason }) =>
      db.transaction(async (tx) => {
        const now = clock.now();
        if (!(await thawAccount(tx, accountId, now))) return { kind: 'not_frozen' };
        const cases = await closeCases(tx, { accountId, reason, now });
        // Who holds an old mailbox could freeze the account again, mail by mail.
        await disavowals.voidAll(tx, accountId);
        await audit.record(tx, { type: 'account.unfrozen', detail: { cases }, accountId });
        const account = await getById(tx, accountId);
        await accountMail.queue(tx, { account, mail: 'account-unfrozen', data: { at: now } });
        return { kind: 'lifted', cases: cases.length };
      }),
  };
}
