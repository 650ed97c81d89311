import type { EndSessions } from '../../accounts/end-sessions.js';
import type { Queryable } from '../../storage/database.js';
import { endedSessions, type Ended } from './end-sessions-store.js';
import type { LogoutNotices } from './logout-notices.js';

/**
 * Ends sessions in the caller's transaction, and queues what their relying parties are told in the same. Tokens
 * need no statement of their own: each names its grant, and without the grant none works.
 */
export function createEndSessions({ notices }: { notices: LogoutNotices }): EndSessions {
  const told = async (tx: Queryable, ended: Ended): Promise<number> => {
    await notices.queue(tx, ended.parties);
    return ended.sessions.length;
  };
  return {
    async ofAccounts(tx, accounts, options) {
      await told(tx, await endedSessions(tx).ofAccounts(accounts, options));
    },
    isOpen: (tx, session) => endedSessions(tx).isOpen(session),
    holdSignIns: (tx, account) => endedSessions(tx).holdSignIns(account),
    one: async (tx, sessionUid) => (await told(tx, await endedSessions(tx).byUid(sessionUid))) > 0,
    ofOwner: async (tx, session) => (await told(tx, await endedSessions(tx).ofOwner(session))) > 0,
    async stayingApp(tx, app) {
      const { parties, grants } = await endedSessions(tx).ofApp(app);
      await notices.queue(tx, parties);
      return grants > 0;
    },
    othersOf: async (tx, session) => told(tx, await endedSessions(tx).othersOf(session)),
  };
}
