import type { AccountId, AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** How many people the files of the last time changed, without anybody having named the number (docs/adr/0020). */
export interface RecentChanges {
  readonly inactive: number;
  readonly moved: number;
  readonly readdressed: number;
}

type CountedChange = keyof RecentChanges;

/** Counts people with a file that has just changed them, in the transaction that did. */
export async function countChanged(
  tx: Queryable,
  { run, change, accounts }: { run: string; change: CountedChange; accounts: readonly AccountId[] },
): Promise<void> {
  if (accounts.length === 0) return;
  await tx.query(
    `INSERT INTO feed_run_counts (run_id, change, agency_code, people)
     SELECT $1, $2, agency_code, count(*) FROM accounts WHERE id = ANY ($3::uuid[]) GROUP BY agency_code
     ON CONFLICT (run_id, change, agency_code) DO UPDATE SET people = feed_run_counts.people + excluded.people`,
    [run, change, accounts],
  );
}

/** Of the files of one reach: all agencies, or those below one. */
export async function recentChanges(
  db: Queryable,
  within: AgencyCode | undefined,
  since: Date,
): Promise<RecentChanges> {
  const [row] = await db.query(
    `SELECT coalesce(sum(people) FILTER (WHERE change = 'inactive'), 0)::integer AS inactive,
            coalesce(sum(people) FILTER (WHERE change = 'moved'), 0)::integer AS moved,
            coalesce(sum(people) FILTER (WHERE change = 'readdressed'), 0)::integer AS readdressed
       FROM feed_runs f JOIN feed_run_counts c ON c.run_id = f.id
      WHERE coalesce(f.ended_at, f.started_at) > $1 AND f.agency_code IS NOT DISTINCT FROM $2`,
    [since, within],
  );
  const count = (name: CountedChange): number => row?.[name] as number;
  return { inactive: count('inactive'), moved: count('moved'), readdressed: count('readdressed') };
}

/** A subquery: how many people of one agency files of any reach made inactive since `$1`. */
export const recentlyLeft = (agencyCode: string, column: string): string => `(
  SELECT coalesce(sum(c.people), 0)::integer AS ${column}
    FROM feed_runs f JOIN feed_run_counts c ON c.run_id = f.id
   WHERE coalesce(f.ended_at, f.started_at) > $1 AND c.change = 'inactive' AND c.agency_code = ${agencyCode})`;
