import type { OpenSession, StayingApp } from '../../accounts/open-sessions.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { LIVE_ACCOUNT } from '../storage/live-account.js';

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

// With a session they stand in its line, and end with it. Nobody has more than they can look through.
const STAYING = `
  SELECT encode(g.id, 'hex') AS id, g.client_id, (g.payload->>'iat')::bigint AS since, g.expires_at
    FROM oidc_grants g
    JOIN accounts a ON a.id = g.account_id AND a.cred_epoch = g.cred_epoch AND ${LIVE_ACCOUNT}
   WHERE g.account_id = $1 AND g.expires_at > $2
     AND 'offline_access' = ANY (string_to_array(g.payload #>> '{openid,scope}', ' '))
     AND NOT EXISTS (SELECT FROM sso_sessions s WHERE s.uid = g.session_uid AND s.expires_at > $2)
   ORDER BY since DESC LIMIT 20`;

/** Grants that outlived their session, with the ids of their clients. */
export async function stayingAppsOf(
  db: Queryable,
  want: { accountId: AccountId; now: Date },
): Promise<readonly (Omit<StayingApp, 'service'> & { readonly clientId: string })[]> {
  const rows = await db.query(STAYING, [want.accountId, want.now]);
  return rows.map((row) => ({
    id: row.id as string,
    clientId: row.client_id as string,
    since: new Date(Number(row.since) * 1000),
    until: row.expires_at as Date,
  }));
}

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
