import type { Queryable } from '../../storage/database.js';

/** Rows deleted by one statement: short enough to disturb nobody. */
const BATCH = 5_000;

/** What is not dropped with a partition: rows of which no statement finds anything any more. */
const EXPIRED: readonly { readonly table: string; readonly condition: string; readonly key?: string }[] = [
  { table: 'oidc_replays', condition: 'expires_at < $1' },
  { table: 'oidc_grants', condition: 'expires_at < $1' },
  { table: 'sso_sessions', condition: "started_at < $1::timestamptz - interval '13 hours'" },
  { table: 'oidc_tokens_long', condition: "expires_at < $1::timestamptz - interval '2 hours'" },
  // Anybody may make one, and it lives for a minute: not kept until its day is dropped. A `ctid` names no row of many partitions.
  {
    table: 'oidc_tokens',
    condition: "kind = 'PushedAuthorizationRequest' AND expires_at < $1::timestamptz - interval '10 minutes'",
    key: 'kind, id, drop_on',
  },
  { table: 'oidc_tokens_default', condition: 'drop_on < $1::date' },
];

/** Deletes what has expired, in batches. Answers how many rows went. */
export async function purgeExpired(db: Queryable, now: Date): Promise<number> {
  let total = 0;
  for (const { table, condition, key = 'ctid' } of EXPIRED) {
    let deleted: number;
    do {
      const rows = await db.query(
        `WITH gone AS (
           DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${BATCH})
           RETURNING 1
         )
         SELECT count(*)::int AS deleted FROM gone`,
        [now],
      );
      deleted = Number(rows[0]?.deleted ?? 0);
      total += deleted;
    } while (deleted === BATCH);
  }
  return total;
}
