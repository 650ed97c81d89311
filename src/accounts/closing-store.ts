import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** True for the one who closed it. The word of the personnel system is kept (docs/adr/0019). */
export async function closeAccount(tx: Queryable, id: AccountId, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE accounts
        SET disabled_at = $2, status_imported = status, status = 'inactive', cred_epoch = cred_epoch + 1, updated_at = $2
      WHERE id = $1 AND disabled_at IS NULL
     RETURNING id`,
    [id, now],
  );
  return rows.length === 1;
}

/** The status that counts from now on, for the one who opened it. */
export async function reopenAccount(
  tx: Queryable,
  id: AccountId,
  now: Date,
): Promise<'active' | 'inactive' | undefined> {
  const [row] = await tx.query(
    `UPDATE accounts SET status = status_imported, disabled_at = NULL, status_imported = NULL, updated_at = $2
      WHERE id = $1 AND disabled_at IS NOT NULL
     RETURNING status`,
    [id, now],
  );
  return row?.status as 'active' | 'inactive' | undefined;
}
