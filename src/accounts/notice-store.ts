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
  { id, accountId, notice, now }: WaitingNotice & { accountId: AccountId; now: Date },
): Promise<void> {
  await tx.query('INSERT INTO account_notices (id, account_id, notice, happened_at) VALUES ($1, $2, $3, $4)', [
    id,
    accountId,
    notice,
    now,
  ]);
}

/** Takes all that waits, once: of two who take at the same time, one gets each. */
export async function takeNotices(tx: Queryable, accountId: AccountId): Promise<WaitingNotice[]> {
  const rows = await tx.query(
    `WITH taken AS (DELETE FROM account_notices WHERE account_id = $1 RETURNING id, notice, happened_at)
     SELECT id, notice FROM taken ORDER BY happened_at`,
    [accountId],
  );
  return rows.map((row) => ({ id: row.id as string, notice: row.notice as string }));
}
