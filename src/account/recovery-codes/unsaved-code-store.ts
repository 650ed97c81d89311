import type { AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';

interface Place {
  readonly sessionUid: string;
  readonly accountId: AccountId;
}

export interface UnsavedCodes {
  readonly sealed: string;
  readonly createdAt: Date;
}

/** Those of a set that still lives. */
export async function findUnsaved(
  db: Queryable,
  { sessionUid, accountId, notBefore }: Place & { notBefore: Date },
): Promise<UnsavedCodes | undefined> {
  const [row] = await db.query(
    `SELECT unsaved.codes, unsaved.created_at
       FROM unsaved_recovery_codes AS unsaved JOIN recovery_code_sets AS set ON set.id = unsaved.set_id
      WHERE unsaved.session_uid = $1 AND unsaved.account_id = $2 AND unsaved.created_at > $3 AND set.ended_at IS NULL`,
    [sessionUid, accountId, notBefore],
  );
  return row === undefined ? undefined : { sealed: row.codes as string, createdAt: row.created_at as Date };
}

export async function keepUnsaved(
  tx: Queryable,
  kept: Place & { setId: string; sealed: string; now: Date },
): Promise<void> {
  await tx.query(
    `INSERT INTO unsaved_recovery_codes (session_uid, account_id, set_id, codes, created_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (session_uid) DO UPDATE
       SET account_id = EXCLUDED.account_id, set_id = EXCLUDED.set_id, codes = EXCLUDED.codes,
           created_at = EXCLUDED.created_at`,
    [kept.sessionUid, kept.accountId, kept.setId, kept.sealed, kept.now],
  );
}

export async function dropUnsaved(db: Queryable, { sessionUid, accountId }: Place): Promise<void> {
  await db.query('DELETE FROM unsaved_recovery_codes WHERE session_uid = $1 AND account_id = $2', [
    sessionUid,
    accountId,
  ]);
}
