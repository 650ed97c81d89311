import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

export interface PageSession {
  readonly accountId: AccountId;
  readonly sessionUid: string;
}

export async function insertSession(
  db: Queryable,
  session: PageSession & { id: Buffer; now: Date; expiresAt: Date },
): Promise<void> {
  await db.query(
    `INSERT INTO page_sessions (id, account_id, session_uid, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
    [session.id, session.accountId, session.sessionUid, session.now, session.expiresAt],
  );
}

export async function findSession(db: Queryable, id: Buffer, now: Date): Promise<PageSession | undefined> {
  const [row] = await db.query('SELECT account_id, session_uid FROM page_sessions WHERE id = $1 AND expires_at > $2', [
    id,
    now,
  ]);
  return row === undefined
    ? undefined
    : { accountId: accountId(row.account_id as string), sessionUid: row.session_uid as string };
}

export async function deleteSessionsOf(tx: Queryable, sessionUid: string): Promise<void> {
  await tx.query('DELETE FROM page_sessions WHERE session_uid = $1', [sessionUid]);
}
