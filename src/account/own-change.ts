import { getById, holdAccount, renewCredentials, type Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { EndSessions } from '../accounts/end-sessions.js';
import type { Audit } from '../audit/audit.js';
import type { AuditEvent } from '../audit/events.js';
import type { Devices } from '../devices/devices.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Mails } from '../mail/mails.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Visitor } from '../throttle/visitor.js';

/** Somebody who changes their own account, in a session that is theirs. */
export interface Owner {
  readonly accountId: AccountId;
  readonly sessionUid: string;
  readonly visitor: Visitor;
}

/** A change of second factors that the person has just made, as it is recorded and told. */
export interface FactorChange<Kind extends keyof Mails> {
  readonly owner: Owner;
  readonly account: Account;
  readonly events: readonly AuditEvent[];
  readonly mail: Kind;
  /** What the mail tells besides whose account it is and when. */
  readonly data: Omit<Mails[Kind], 'nipEnding' | 'at'>;
}

/** How people change their own second factors: each change is one transaction. */
export interface OwnChange {
  /**
   * Does the work in one transaction with the account held, so that two changes at once come one after the other.
   * Undefined, and nothing is done, when the session has ended since the request came.
   */
  run<T>(owner: Owner, work: (tx: Queryable, account: Account) => Promise<T>): Promise<T | undefined>;
  /**
   * What follows a change of factors, in the transaction of {@link run}: its audit rows, the end of everything else
   * that is open but this session, and the mail to the owner.
   */
  complete<Kind extends keyof Mails>(tx: Queryable, change: FactorChange<Kind>): Promise<void>;
}

export function createOwnChange(parts: {
  db: Database;
  devices: Devices;
  endSessions: EndSessions;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): OwnChange {
  const { db, devices, endSessions, accountMail, audit, clock } = parts;
  return {
    run: ({ accountId, sessionUid }, work) =>
      db.transaction(async (tx) => {
        await holdAccount(tx, accountId);
        await endSessions.holdSignIns(tx, accountId);
        if (!(await endSessions.isOpen(tx, { uid: sessionUid, accountId }))) return undefined;
        return work(tx, await getById(tx, accountId));
      }),

    async complete(tx, { owner, account, events, mail, data }) {
      const { accountId, sessionUid, visitor } = owner;
      await devices.voidPendingElsewhere(tx, accountId, sessionUid);
      // A sign-in that is being finished at this moment, with a factor of before, opens nothing: its epoch has passed.
      const renewed = await renewCredentials(tx, { accountId, credEpoch: account.credEpoch, now: clock.now() });
      if (renewed === undefined) throw new Error('credentials changed while their account was held');
      await endSessions.ofAccounts(tx, [accountId], { exceptSession: sessionUid });
      await audit.record(tx, ...events);
      await accountMail.queue(tx, {
        account,
        mail,
        data: { ...data, at: clock.now() } as never,
        locale: visitor.locale,
      });
    },
  };
}
