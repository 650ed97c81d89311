import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { LIVE_ACCOUNT } from '../storage/live-account.js';

/** A grant that is alive at the moment of the statement: its account too, with the credentials of then. */
export interface LiveGrant {
  readonly id: string;
  readonly accountId: AccountId;
  readonly clientId: string;
  /** Whether the session that it was given in still stands, with this grant in it. */
  readonly hasSession: boolean;
}

const FIND = `
  SELECT g.payload->>'jti' AS id, g.account_id, g.client_id, s.uid IS NOT NULL AS has_session
    FROM oidc_grants g
    JOIN accounts a ON a.id = g.account_id AND a.cred_epoch = g.cred_epoch AND ${LIVE_ACCOUNT}
    LEFT JOIN sso_sessions s ON s.uid = g.session_uid AND s.expires_at > $2
                            AND s.account_id = a.id AND s.cred_epoch = a.cred_epoch
                            AND s.authorizations #>> ARRAY[g.client_id, 'grantId'] = g.payload->>'jti'
   WHERE g.id = $1 AND g.expires_at > $2`;

/** By the digest of its id, which is all that a token tells of it. */
export async function findLiveGrant(db: Queryable, reference: Buffer, now: Date): Promise<LiveGrant | undefined> {
  const [row] = await db.query(FIND, [reference, now]);
  if (row === undefined) return undefined;
  return {
    id: row.id as string,
    accountId: accountId(row.account_id as string),
    clientId: row.client_id as string,
    hasSession: row.has_session as boolean,
  };
}
