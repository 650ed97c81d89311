import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { OwnPages } from './own-login.js';

export interface PageSession {
  readonly pages: OwnPages;
  readonly accountId: AccountId;
  readonly sessionUid: string;
  /** When the second factor was proved. */
  readonly authenticatedAt: Date;
  readonly acr: string | undefined;
}

export async function insertSession(
  db: Queryable,
  session: PageSession & { id: Buffer; now: Date; expiresAt: Date },
): Promise<void> {
  await db.query(
    `INSERT INTO page_sessions (id, pages, account_id, session_uid, authenticated_at, acr, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      session.id,
      session.pages,
      session.accountId,
      session.sessionUid,
      session.authenticatedAt,
      session.acr,
      session.now,
      session.expiresAt,
    ],
  );
}

export async function findSession(
  db: Queryable,
  { id, pages, now }: { id: Buffer; pages: OwnPages; now: Date },
): Promise<PageSession | undefined> {
  const [row] = await db.query(
    `SELECT account_id, session_uid, authenticated_at, acr FROM page_sessions
      WHERE id = $1 AND pages = $2 AND expires_at > $3`,
    [id, pages, now],
  );
  if (row === undefined) return undefined;
  return {
    pages,
    accountId: accountId(row.account_id as string),
    sessionUid: row.session_uid as string,
    authenticatedAt: row.authenticated_at as Date,
    acr: (row.acr as string | null) ?? undefined,
  };
}

/** Those of the same login and pages that were made before the second factor was proved last. */
export async function deleteStaleSessions(tx: Queryable, session: PageSession): Promise<void> {
  await tx.query('DELETE FROM page_sessions WHERE session_uid = $1 AND pages = $2 AND authenticated_at < $3', [
    session.sessionUid,
    session.pages,
    session.authenticatedAt,
  ]);
}

export async function deleteSessionsOf(tx: Queryable, sessionUid: string): Promise<void> {
  await tx.query('DELETE FROM page_sessions WHERE session_uid = $1', [sessionUid]);
}
