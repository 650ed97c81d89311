import type { Queryable } from '../storage/database.js';

/** Of two that leave at the same time, the one written later stays. */
export async function upsertSent(
  db: Queryable,
  { accountId, queuedAt, now }: { accountId: string; queuedAt: Date; now: Date },
): Promise<void> {
  await db.query(
    `INSERT INTO last_mails AS kept (account_id, queued_at, sent_at) VALUES ($1, $2, $3)
     ON CONFLICT (account_id) DO UPDATE SET queued_at = excluded.queued_at, sent_at = excluded.sent_at
      WHERE kept.queued_at <= excluded.queued_at`,
    [accountId, queuedAt, now],
  );
}

/** When the last mail that left was written. */
export async function selectSent(db: Queryable, accountId: string): Promise<Date | undefined> {
  const [row] = await db.query('SELECT queued_at FROM last_mails WHERE account_id = $1', [accountId]);
  return row === undefined ? undefined : (row.queued_at as Date);
}
