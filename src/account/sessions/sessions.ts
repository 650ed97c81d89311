import type { EndSessions } from '../../accounts/end-sessions.js';
import type { OpenSession, OpenSessions, StayingApp } from '../../accounts/open-sessions.js';
import type { Audit } from '../../audit/audit.js';
import type { AuditEvent } from '../../audit/events.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import { networkOf } from '../../throttle/address.js';
import type { Trace } from '../../throttle/visitor.js';

/** More than anybody recognises; the page stays small. */
const SHOWN = 12;

/** A session as its owner sees it. */
export type OwnSession = Omit<OpenSession, 'address'> & {
  /** Where in the network, coarsely; empty when it is not known. */
  readonly network: string;
};

export interface OwnSessions {
  /** Undefined when it ended while the page was on its way. */
  readonly current: OwnSession | undefined;
  /** Used last, first. */
  readonly others: readonly OwnSession[];
  /** There are more than are told. */
  readonly more: boolean;
  /** Applications that stay logged in without a browser. */
  readonly apps: readonly StayingApp[];
}

/** Who ends sessions: the person in the session they sit in. */
export interface Ender {
  readonly accountId: AccountId;
  readonly sessionUid: string;
  readonly trace: Trace;
}

/** A person's own sessions. Whatever ends, ends with its grants and tokens, and its services are told. */
export interface Sessions {
  of(person: Pick<Ender, 'accountId' | 'sessionUid'>): Promise<OwnSessions>;
  /** One of the person's other sessions. */
  findOther(person: Pick<Ender, 'accountId' | 'sessionUid'>, uid: string): Promise<OwnSession | undefined>;
  /** False when it is not theirs, has ended, or is the one they sit in: that one ends by *Keluar*. */
  endOther(person: Ender, uid: string): Promise<boolean>;
  findApp(person: Pick<Ender, 'accountId'>, id: string): Promise<StayingApp | undefined>;
  /** False when it is not theirs or has ended. */
  endApp(person: Ender, id: string): Promise<boolean>;
  /** All but the one they sit in, also applications that stay signed in without a browser. */
  endOthers(person: Ender): Promise<void>;
  endAll(person: Ender): Promise<void>;
}

export function createSessions(parts: {
  db: Database;
  openSessions: OpenSessions;
  endSessions: EndSessions;
  audit: Audit;
}): Sessions {
  const { db, openSessions, endSessions, audit } = parts;
  const shown = ({ address, ...session }: OpenSession): OwnSession => ({ ...session, network: networkOf(address) });
  const ended = ({ accountId, trace }: Ender, where: object = { elsewhere: true }): AuditEvent => ({
    type: 'session.ended',
    detail: { by: 'person', ...where },
    accountId,
    ...trace,
  });

  return {
    async of({ accountId, sessionUid }) {
      const open = await openSessions.of(accountId, SHOWN + 1);
      const current = open.find(({ uid }) => uid === sessionUid) ?? (await openSessions.find(accountId, sessionUid));
      const others = open.filter(({ uid }) => uid !== sessionUid);
      return {
        current: current === undefined ? undefined : shown(current),
        others: others.slice(0, SHOWN).map(shown),
        more: open.length > SHOWN,
        apps: await openSessions.staying(accountId),
      };
    },

    async findOther({ accountId, sessionUid }, uid) {
      const found = uid === sessionUid ? undefined : await openSessions.find(accountId, uid);
      return found === undefined ? undefined : shown(found);
    },

    async endOther(person, uid) {
      if (uid === person.sessionUid) return false;
      return db.transaction(async (tx) => {
        const done = await endSessions.ofOwner(tx, { accountId: person.accountId, sessionUid: uid });
        if (done) await audit.record(tx, ended(person));
        return done;
      });
    },

    findApp: async ({ accountId }, id) => (await openSessions.staying(accountId)).find((app) => app.id === id),

    endApp: (person, id) =>
      db.transaction(async (tx) => {
        const done = await endSessions.stayingApp(tx, { accountId: person.accountId, id });
        if (done) await audit.record(tx, ended(person, { elsewhere: true, app: true }));
        return done;
      }),

    endOthers: (person) =>
      db.transaction(async (tx) => {
        const count = await endSessions.othersOf(tx, person);
        if (count > 0) await audit.record(tx, ...Array.from({ length: count }, () => ended(person)));
      }),

    endAll: (person) =>
      db.transaction(async (tx) => {
        const count = await endSessions.othersOf(tx, person);
        await endSessions.ofAccounts(tx, [person.accountId]);
        await audit.record(tx, ended(person, {}), ...Array.from({ length: count }, () => ended(person)));
      }),
  };
}
