import type { OpenSession } from '../accounts/open-sessions.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { LIVE_ACCOUNT } from './live-account.js';

/** A session with the ids of the clients it was used for. */
export type OpenSessionRow = Omit<OpenSession, 'services'> & { readonly clientIds: readonly string[] };

// Those that `sessionStore` would find: alive, with the account's credentials of now.
const OPEN = `
  SELECT s.uid, s.user_agent, s.address, s.started_at, s.last_seen_at,
         ARRAY(SELECT jsonb_object_keys(s.authorizations)) AS client_ids
    FROM sso_sessions s
    JOIN accounts a ON a.id = s.account_id AND a.cred_epoch = s.cred_epoch AND ${LIVE_ACCOUNT}
   WHERE s.account_id = $1 AND s.expires_at > $2 AND ($3::text IS NULL OR s.uid = $3)
   ORDER BY s.last_seen_at DESC, s.uid LIMIT $4`;

export async function openSessionsOf(
  db: Queryable,
  want: { accountId: AccountId; now: Date; sessionUid?: string; limit: number },
): Promise<readonly OpenSessionRow[]> {
  const rows = await db.query(OPEN, [want.accountId, want.now, want.sessionUid ?? null, want.limit]);
  return rows.map((row) => ({
    uid: row.uid as string,
    userAgent: (row.user_agent as string | null) ?? '',
    address: (row.address as string | null) ?? '',
    startedAt: row.started_at as Date,
    lastSeenAt: row.last_seen_at as Date,
    clientIds: row.client_ids as string[],
  }));
}
