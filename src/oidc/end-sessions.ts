import type { EndSessions } from '../accounts/end-sessions.js';
import { endedSessions } from './end-sessions-store.js';

/**
 * Ends sessions in the caller's transaction. Tokens need no statement of their own: each names its grant, and without
 * the grant none works.
 */
export const endSessions: EndSessions = {
  ofAccounts: (tx, accounts, options) => endedSessions(tx).ofAccounts(accounts, options),
  isOpen: (tx, session) => endedSessions(tx).isOpen(session),
  one: async (tx, sessionUid) => (await endedSessions(tx).byUid(sessionUid)) !== undefined,
};
