import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Trace, Visitor } from '../throttle/visitor.js';
import type { AccountMail } from './account-mail.js';
import { disablePassword, getById, holdAccount } from './accounts.js';
import type { Disavowal, Disavowals } from './disavowals.js';
import type { EndSessions } from './end-sessions.js';
import { closeCases, findOpenCases, freezeAccount, openCase, thawAccount, type Case } from './freezing-store.js';

/** What happened for so long before a case was opened may be part of what it is about. */
const LOOK_BACK_SECONDS = 30 * 24 * 3600;

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

/** Who acts in the audit trail: an officer, the agency of the account, the application and the request. */
export interface ActingOfficer {
  readonly actorId: AccountId;
  readonly agencyCode: string;
  readonly clientId: string;
  readonly requestId: string;
  readonly agent?: Trace['agent'] | undefined;
  /** Whom the person is told of; none: a national operator. */
  readonly told: { readonly officer: string; readonly agency: string } | undefined;
}

interface LiftOrder extends Order {
  /** After "Bukan saya" too: an officer knows that nobody else has the password. */
  readonly keepPassword?: boolean;
}

export interface Lifted {
  readonly kind: 'lifted';
  /** How many cases this closed. */
  readonly cases: number;
  /** The person must set a new one by a mailed code. */
  readonly passwordDisabled: boolean;
  /** What was changed since then may be somebody else's: an officer asks the person about each. */
  readonly askSince: Date;
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
  /**
   * The same by the person, who is logged in. `signed_out`, and nothing is done, when the session has ended since the
   * request came; the second half of a double tap finds it frozen.
   */
  byOwner(
    owner: { accountId: AccountId; sessionUid: string },
    visitor: Trace & Pick<Visitor, 'locale'>,
  ): Promise<{ readonly kind: 'frozen' | 'signed_out' }>;
  byOperator(order: Order): Promise<{ readonly kind: 'frozen' | 'already' }>;
  /** By an officer, in the transaction of the act (docs/adr/0019). */
  byOfficer(tx: Queryable, order: Order, by: ActingOfficer): Promise<{ readonly kind: 'frozen' | 'already' }>;
  /**
   * Closes every case of the account and voids the links of older mails. After a "Bukan saya" it disables the password
   * too: whoever was disowned may know it.
   */
  lift(order: LiftOrder): Promise<Lifted | { readonly kind: 'not_frozen' }>;
  liftByOfficer(tx: Queryable, order: LiftOrder, by: ActingOfficer): Promise<Lifted | { readonly kind: 'not_frozen' }>;
  /** Of an account that is frozen: since when its changes are to be asked about, as {@link Lifted}. */
  askSince(accountId: AccountId): Promise<Date>;
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

  /** The oldest event that a case names, or a month before the oldest case, whichever is earlier. */
  function askSince(cases: readonly Case[]): Date {
    const named = cases.flatMap(({ since, eventsAt }) => [secondsAfter(since, -LOOK_BACK_SECONDS), ...eventsAt]);
    const moments = [secondsAfter(clock.now(), -LOOK_BACK_SECONDS), ...named];
    return new Date(Math.min(...moments.map((at) => at.getTime())));
  }

  /** By an officer, or, without `by`, by whoever operates the server. */
  async function freezeByOrder(
    tx: Queryable,
    { accountId, reason }: Order,
    by?: ActingOfficer,
  ): Promise<{ readonly kind: 'frozen' | 'already' }> {
    if (!(await freeze(tx, accountId))) return { kind: 'already' };
    const now = clock.now();
    const caseId = await openCase(tx, { accountId, cause: 'frozen_by_operator', events: [], reason, now });
    const detail = { by: by === undefined ? 'operator' : 'officer', case: caseId } as const;
    await audit.record(tx, { type: 'account.frozen', detail, accountId, ...by });
    const account = await getById(tx, accountId);
    const told = by?.told === undefined ? { by: 'operator' as const } : { by: 'officer' as const, ...by.told };
    await accountMail.queue(tx, { account, mail: 'account-frozen', data: { at: now, ...told } });
    return { kind: 'frozen' };
  }

  async function lift(
    tx: Queryable,
    { accountId, reason, keepPassword = false }: LiftOrder,
    by?: ActingOfficer,
  ): Promise<Lifted | { readonly kind: 'not_frozen' }> {
    const now = clock.now();
    if (!(await thawAccount(tx, accountId, now))) return { kind: 'not_frozen' };
    const cases = await closeCases(tx, { accountId, reason, now });
    // Who holds an old mailbox could freeze the account again, mail by mail.
    await disavowals.voidAll(tx, accountId);
    const disowned = !keepPassword && cases.some(({ cause }) => cause === 'disavowed');
    const passwordDisabled = disowned && (await disablePassword(tx, accountId, now));
    const password = passwordDisabled ? 'disabled' : 'kept';
    const ids = cases.map(({ id }) => id);
    await audit.record(tx, { type: 'account.unfrozen', detail: { cases: ids, password }, accountId, ...by });
    const account = await getById(tx, accountId);
    await accountMail.queue(tx, { account, mail: 'account-unfrozen', data: { at: now, password, by: by?.told } });
    return { kind: 'lifted', cases: cases.length, passwordDisabled, askSince: askSince(cases) };
  }

  return {
    disavow: (token, visitor) =>
      db.transaction(async (tx) => {
        // The account first, then its links: the order in which they are locked when a freeze is lifted.
        const found = await disavowals.find(tx, token);
        if (found === undefined) return { kind: 'gone' };
        await holdAccount(tx, found.accountId);
        const spent = await disavowals.spend(tx, token);
        if (spent === undefined) {
          return { kind: (await disavowals.find(tx, token))?.used === true ? 'frozen' : 'gone' };
        }
        await freezeForOwner(tx, spent, visitor);
        return { kind: 'frozen' };
      }),

    byOwner: ({ accountId, sessionUid }, visitor) =>
      db.transaction(async (tx) => {
        await holdAccount(tx, accountId);
        if (!(await endSessions.isOpen(tx, { uid: sessionUid, accountId }))) {
          return { kind: (await getById(tx, accountId)).frozen ? 'frozen' : 'signed_out' };
        }
        await freezeForOwner(tx, { accountId, events: [], address: undefined }, visitor);
        return { kind: 'frozen' };
      }),

    byOperator: (order) => db.transaction((tx) => freezeByOrder(tx, order)),
    byOfficer: freezeByOrder,
    lift: (order) => db.transaction((tx) => lift(tx, order)),
    liftByOfficer: lift,

    askSince: async (accountId) => askSince(await findOpenCases(db, accountId)),
  };
}
