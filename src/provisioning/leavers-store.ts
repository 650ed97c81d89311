import { accountId, type AccountId } from '../kernel/ids.js';
import type { BulkSession } from '../storage/copy.js';
import type { Queryable } from '../storage/database.js';
import { LEAVES, SAID_STATUS } from './account-apply-store.js';

/** Whom a file would make inactive, found before anything is changed (docs/adr/0020). */

/** An agency's own people, without those of agencies below it. */
export interface AgencyShare {
  readonly agencyCode: string;
  readonly active: number;
  readonly leaving: number;
}

export interface Leaving {
  /** Active accounts in the feed's reach. */
  readonly active: number;
  /** Of them: who would become inactive. */
  readonly leaving: number;
  /** Of those: whom a full file does not name. */
  readonly missing: number;
  /** Whom a full file does not name, but who stay: some row could not be read and may be theirs. */
  readonly kept: number;
  /** Rows of which nobody can tell whose they are. */
  readonly nameless: number;
  /** Agencies that would lose more than half of their people, the largest loss first. */
  readonly emptied: readonly AgencyShare[];
}

/** The agencies a feed reaches; undefined: all. */
export type Reach = readonly string[] | undefined;

/** An agency of fewer people says nothing by losing half of them. */
const SIZEABLE_AGENCY = 50;

const WITHIN = '($1::text[] IS NULL OR a.agency_code = ANY ($1::text[]))';

const MISSING = `
  FROM accounts a
 WHERE ${SAID_STATUS} = 'active' AND a.from_feed AND ${WITHIN}
   AND NOT EXISTS (SELECT FROM import_match m WHERE m.account_id = a.id)
   AND NOT EXISTS (SELECT FROM import_set_aside s WHERE s.nip = a.nip)
   AND NOT EXISTS (SELECT FROM import_set_aside s WHERE s.previous_nip = a.nip)
   AND NOT EXISTS (SELECT FROM import_set_aside s WHERE s.person_id = a.person_id)`;

/** Finds who leaves: by the word of a row, and of a full file those whom it does not name. */
export async function findLeavers(
  session: BulkSession,
  { full, reach }: { readonly full: boolean; readonly reach: Reach },
): Promise<Leaving> {
  await session.query('CREATE TEMPORARY TABLE import_leaver (account_id uuid PRIMARY KEY, missing boolean NOT NULL)');
  await session.query(
    `INSERT INTO import_leaver (account_id, missing)
     SELECT a.id, false FROM import_change c JOIN import_row r USING (line) JOIN accounts a ON a.id = c.account_id
      WHERE ${LEAVES}`,
  );
  let [nameless, kept] = [0, 0];
  if (full) {
    await session.query('ANALYZE import_set_aside');
    nameless = await countNameless(session);
    if (nameless === 0) {
      await session.query(`INSERT INTO import_leaver (account_id, missing) SELECT a.id, true ${MISSING}`, [reach]);
    } else {
      const [row] = await session.query(`SELECT count(*)::integer AS people ${MISSING}`, [reach]);
      kept = row?.people as number;
    }
  }
  const [row] = await session.query(
    `SELECT (SELECT count(*) FROM accounts a WHERE a.status = 'active' AND ${WITHIN})::integer AS active,
            count(*)::integer AS leaving, count(*) FILTER (WHERE missing)::integer AS missing FROM import_leaver`,
    [reach],
  );
  const count = (name: string): number => row?.[name] as number;
  const emptied = await emptiedAgencies(session);
  return {
    active: count('active'),
    leaving: count('leaving'),
    missing: count('missing'),
    kept,
    nameless,
    emptied,
  };
}

async function countNameless(session: BulkSession): Promise<number> {
  const [row] = await session.query(
    `SELECT count(DISTINCT s.line)::integer AS lines FROM import_set_aside s
      WHERE s.nip IS NULL AND NOT EXISTS (SELECT FROM accounts a WHERE a.person_id = s.person_id)`,
  );
  return row?.lines as number;
}

async function emptiedAgencies(session: BulkSession): Promise<readonly AgencyShare[]> {
  const rows = await session.query(
    `SELECT l.agency_code, l.leaving, a.active
       FROM (SELECT a.agency_code, count(*)::integer AS leaving
               FROM import_leaver l JOIN accounts a ON a.id = l.account_id GROUP BY a.agency_code) AS l
      CROSS JOIN LATERAL (SELECT count(*)::integer AS active FROM accounts a
               WHERE a.agency_code = l.agency_code AND a.status = 'active') AS a
      WHERE a.active >= ${SIZEABLE_AGENCY} AND l.leaving * 2 > a.active
      ORDER BY l.leaving DESC, l.agency_code LIMIT 20`,
  );
  return rows.map((row) => ({
    agencyCode: row.agency_code as string,
    active: row.active as number,
    leaving: row.leaving as number,
  }));
}

/** The next of those whom the file does not name, in the order of their ids. */
export async function missingAfter(db: Queryable, after: AccountId, limit: number): Promise<readonly AccountId[]> {
  const rows = await db.query(
    'SELECT account_id FROM import_leaver WHERE missing AND account_id > $1 ORDER BY account_id LIMIT $2',
    [after, limit],
  );
  return rows.map((row) => accountId(row.account_id as string));
}
