import type { OpenSession, OpenSessions } from '../../accounts/open-sessions.js';
import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../../storage/database.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { openSessionsOf, stayingAppsOf, type OpenSessionRow } from './open-sessions-store.js';

/** What an account has open, with the names that services have in the client registry. */
export function createOpenSessions(parts: { db: Database; registry: ClientRegistry; clock: Clock }): OpenSessions {
  const { db, registry, clock } = parts;
  const named = ({ clientIds, ...session }: OpenSessionRow): OpenSession => {
    // The built-in clients are one thing to people. A service that is no longer registered has no name.
    const names = clientIds.flatMap((clientId) => registry.find(clientId)?.name ?? []);
    return { ...session, services: [...new Set(names)].sort() };
  };
  return {
    async of(accountId, limit) {
      return (await openSessionsOf(db, { accountId, now: clock.now(), limit })).map(named);
    },
    async staying(accountId) {
      const apps = await stayingAppsOf(db, { accountId, now: clock.now() });
      return apps.map(({ clientId, ...app }) => ({ ...app, service: registry.find(clientId)?.name ?? clientId }));
    },
    async find(accountId, sessionUid) {
      const [session] = await openSessionsOf(db, { accountId, now: clock.now(), sessionUid, limit: 1 });
      return session === undefined ? undefined : named(session);
    },
  };
}
