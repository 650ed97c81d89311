import type { Queryable, Row } from '../storage/database.js';
import type { Invitation } from './client-invitations.js';

const fromRow = (row: Row): Invitation => ({
  id: row.id as string,
  note: row.note as string,
  uses: row.uses as number,
  usesLeft: row.uses_left as number,
  createdAt: row.created_at as Date,
  expiresAt: row.expires_at as Date,
  endedAt: (row.ended_at as Date | null) ?? undefined,
});

export async function insertInvitation(
  tx: Queryable,
  made: { id: string; digest: Buffer; note: string; uses: number; now: Date; expiresAt: Date },
): Promise<void> {
  await tx.query(
    `INSERT INTO client_invitations (id, digest, note, uses, uses_left, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $4, $5, $6)`,
    [made.id, made.digest, made.note, made.uses, made.now, made.expiresAt],
  );
}

/** The latest first. */
export async function selectInvitations(db: Queryable): Promise<readonly Invitation[]> {
  const rows = await db.query(
    `SELECT id, note, uses, uses_left, created_at, expires_at, ended_at
       FROM client_invitations ORDER BY created_at DESC, id`,
  );
  return rows.map(fromRow);
}

const GOOD = 'ended_at IS NULL AND uses_left > 0 AND expires_at > $2';

export async function selectGood(db: Queryable, digest: Buffer, now: Date): Promise<boolean> {
  const rows = await db.query(`SELECT 1 FROM client_invitations WHERE digest = $1 AND ${GOOD}`, [digest, now]);
  return rows.length === 1;
}

/** One use of it: however many come at the same time, it is used as often as it was made for. */
export async function spendInvitation(tx: Queryable, digest: Buffer, now: Date): Promise<string | undefined> {
  const [row] = await tx.query(
    `UPDATE client_invitations SET uses_left = uses_left - 1 WHERE digest = $1 AND ${GOOD} RETURNING id`,
    [digest, now],
  );
  return row?.id as string | undefined;
}

/** False when it has ended already, or there is none. */
export async function endInvitation(tx: Queryable, id: string, now: Date): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE client_invitations SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id',
    [id, now],
  );
  return rows.length === 1;
}
