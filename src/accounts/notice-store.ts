import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** A notice that waits for others of its account. */
export interface WaitingNotice {
  readonly id: string;
  /** Sealed. */
  readonly notice: string;
}

export async function insertNotice(
  tx: Queryable,
  { id, accountId, notice, now, dueAt }: WaitingNotice & { accountId: AccountId; now: Date; dueAt: Date },
): Promise<void> {
  await tx.query(
    'INSERT INTO account_notices (id, account_id, notice, happened_at, due_at) VALUES ($1, $2, $3, $4, $5)',
    [id, accountId, notice, now, dueAt],
  );
}

/**
 * Takes all that waits, once: of two who take at the same time, one gets each. With `now`, only if one of them is due
 * by then.
 */
export async function takeNotices(tx: Queryable, accountId: AccountId, now?: Date): Promise<WaitingNotice[]> {
  const rows = await tx.query(
    `WITH taken AS (
       DELETE FROM account_notices
        WHERE account_id = $1
          AND ($2::timestamptz IS NULL OR EXISTS (
                SELECT FROM account_notices WHERE account_id = $1 AND due_at <= $2::timestamptz))
       RETURNING id, notice, happened_at
     )
     SELECT id, notice FROM taken ORDER BY happened_at`,
    [accountId, now],
  );
  return rows.map((row) => ({ id: row.id as string, notice: row.notice as string }));
}
