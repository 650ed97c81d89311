import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/**
 * Puts `unusable` in the place of up to `limit` password hashes under a pepper and disables them: RESET makes new ones.
 * One that is just being replaced, by whoever logs in at this moment, is left alone. Answers whose they were.
 */
export async function retirePasswords(
  tx: Queryable,
  { pepper, unusable, limit, now }: { pepper: string; unusable: string; limit: number; now: Date },
): Promise<readonly AccountId[]> {
  const rows = await tx.query(
    `WITH chosen AS (
       SELECT account_id FROM credentials
        WHERE split_part(password_hash, '$', 2) = 'pepper=' || $1 AND password_hash LIKE '$pepper=%'
        LIMIT $2 FOR UPDATE SKIP LOCKED)
     UPDATE credentials SET password_hash = $3, disabled_at = coalesce(disabled_at, $4)
       FROM chosen WHERE credentials.account_id = chosen.account_id
     RETURNING credentials.account_id`,
    [pepper, limit, unusable, now],
  );
  return rows.map((row) => accountId(row.account_id as string));
}
