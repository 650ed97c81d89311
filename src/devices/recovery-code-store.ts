import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** Under what the codes of a set are hashed. */
export interface CodeSet {
  readonly id: string;
  readonly salt: Buffer;
  readonly pepperKid: string;
}

/** How many codes of an account's living set are left, and of how many. */
export interface CodesLeft {
  readonly left: number;
  readonly count: number;
  readonly createdAt: Date;
}

export async function countLeft(db: Queryable, account: AccountId): Promise<CodesLeft | undefined> {
  const [row] = await db.query(
    `SELECT set.created_at, count(*)::integer AS count, count(*) FILTER (WHERE code.spent_at IS NULL)::integer AS left
       FROM recovery_code_sets AS set JOIN recovery_codes AS code ON code.set_id = set.id
      WHERE set.account_id = $1 AND set.ended_at IS NULL
      GROUP BY set.id`,
    [account],
  );
  if (row === undefined) return undefined;
  return { left: row.left as number, count: row.count as number, createdAt: row.created_at as Date };
}

export async function findSet(db: Queryable, account: AccountId): Promise<CodeSet | undefined> {
  const [row] = await db.query(
    'SELECT id, salt, pepper_kid FROM recovery_code_sets WHERE account_id = $1 AND ended_at IS NULL',
    [account],
  );
  if (row === undefined) return undefined;
  return { id: row.id as string, salt: row.salt as Buffer, pepperKid: row.pepper_kid as string };
}

/** Ends the older set: codes on an older sheet of paper stop working with the new one. */
export async function replaceSet(
  tx: Queryable,
  set: { accountId: AccountId; salt: Buffer; pepperKid: string; hashes: readonly Buffer[]; now: Date },
): Promise<void> {
  await endSet(tx, set.accountId, set.now);
  await tx.query(
    `WITH made AS (
       INSERT INTO recovery_code_sets (account_id, salt, pepper_kid, created_at) VALUES ($1, $2, $3, $4) RETURNING id)
     INSERT INTO recovery_codes (set_id, hash) SELECT made.id, hash FROM made, unnest($5::bytea[]) AS hash`,
    [set.accountId, set.salt, set.pepperKid, set.now, set.hashes],
  );
}

export async function endSet(tx: Queryable, account: AccountId, now: Date): Promise<void> {
  await tx.query('UPDATE recovery_code_sets SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL', [
    account,
    now,
  ]);
}

/** Ends up to `limit` living sets whose codes are hashed under a pepper. Answers whose they were. */
export async function endSetsUnder(
  tx: Queryable,
  { pepper, limit, now }: { pepper: string; limit: number; now: Date },
): Promise<readonly AccountId[]> {
  const rows = await tx.query(
    `WITH chosen AS (
       SELECT id FROM recovery_code_sets WHERE pepper_kid = $1 AND ended_at IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED)
     UPDATE recovery_code_sets SET ended_at = $3 FROM chosen WHERE recovery_code_sets.id = chosen.id
     RETURNING recovery_code_sets.account_id`,
    [pepper, limit, now],
  );
  return rows.map((row) => accountId(row.account_id as string));
}

/** Spends one code in one statement. Answers how many are left, undefined when it is unknown or spent. */
export async function spendCode(
  tx: Queryable,
  spent: { accountId: AccountId; setId: string; hash: Buffer; now: Date },
): Promise<number | undefined> {
  const rows = await tx.query(
    `WITH spent AS (
       UPDATE recovery_codes AS code SET spent_at = $3
         FROM recovery_code_sets AS set
        WHERE code.set_id = $1 AND code.hash = $2 AND code.spent_at IS NULL
          AND set.id = code.set_id AND set.account_id = $4 AND set.ended_at IS NULL
       RETURNING code.hash)
     SELECT (SELECT count(*) FROM recovery_codes WHERE set_id = $1 AND spent_at IS NULL AND hash <> $2)::integer AS left
       FROM spent`,
    [spent.setId, spent.hash, spent.now, spent.accountId],
  );
  return rows[0] === undefined ? undefined : (rows[0].left as number);
}
