import { accountId, type AccountId } from '../kernel/ids.js';
import type { BulkSession } from '../storage/copy.js';
import type { Queryable } from '../storage/database.js';
import { HOLDS_A_ROLE, LEAVES, SAID_STATUS } from './account-apply-store.js';
import { recentlyLeft } from './recent-changes-store.js';

/** Whom a file would make inactive, found before anything is changed (docs/adr/0020). */

/** An agency's own people, without those of agencies below it. */
export interface AgencyShare {
  readonly agencyCode: string;
  readonly active: number;
  readonly leaving: number;
  /** Who left it in the last day, besides. */
  readonly before: number;
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
  /** Whom a full file of a bound feed does not name, but who stay: they hold a role. */
  readonly officers: number;
  /** Rows of which nobody can tell whose they are. */
  readonly nameless: number;
  /** Agencies that would have lost more than half of their people within a day, the largest loss first. */
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

/** Of a feed that is bound to an agency. */
const KEEPS_OFFICER = `($1::text[] IS NOT NULL AND ${HOLDS_A_ROLE})`;

/** Finds who leaves: by the word of a row, and of a full file those whom it does not name. */
export async function findLeavers(
  session: BulkSession,
  { full, reach, since }: { readonly full: boolean; readonly reach: Reach; readonly since: Date },
): Promise<Leaving> {
  await session.query('CREATE TEMPORARY TABLE import_leaver (account_id uuid PRIMARY KEY, missing boolean NOT NULL)');
  await session.query(
    `INSERT INTO import_leaver (account_id, missing)
     SELECT a.id, false FROM import_change c JOIN import_row r USING (line) JOIN accounts a ON a.id = c.account_id
      WHERE ${LEAVES}`,
  );
  let [nameless, kept, officers] = [0, 0, 0];
  if (full) {
    await session.query('ANALYZE import_set_aside');
    nameless = await countNameless(session);
    if (nameless === 0) {
      await session.query(
        `INSERT INTO import_leaver (account_id, missing) SELECT a.id, true ${MISSING} AND NOT ${KEEPS_OFFICER}`,
        [reach],
      );
      officers = await countOf(session, `${MISSING} AND ${KEEPS_OFFICER}`, reach);
    } else {
      kept = await countOf(session, MISSING, reach);
    }
  }
  const [row] = await session.query(
    `SELECT (SELECT count(*) FROM accounts a WHERE a.status = 'active' AND ${WITHIN})::integer AS active,
            count(*)::integer AS leaving, count(*) FILTER (WHERE missing)::integer AS missing FROM import_leaver`,
    [reach],
  );
  const count = (name: string): number => row?.[name] as number;
  const emptied = await emptiedAgencies(session, since);
  return {
    active: count('active'),
    leaving: count('leaving'),
    missing: count('missing'),
    kept,
    officers,
    nameless,
    emptied,
  };
}

async function countOf(session: BulkSession, from: string, reach: Reach): Promise<number> {
  const [row] = await session.query(`SELECT count(*)::integer AS people ${from}`, [reach]);
  return row?.people as number;
}

async function countNameless(session: BulkSession): Promise<number> {
  const [row] = await session.query(
    `SELECT count(DISTINCT s.line)::integer AS lines FROM import_set_aside s
      WHERE s.nip IS NULL AND NOT EXISTS (SELECT FROM accounts a WHERE a.person_id = s.person_id)`,
  );
  return row?.lines as number;
}

async function emptiedAgencies(session: BulkSession, since: Date): Promise<readonly AgencyShare[]> {
  const rows = await session.query(
    `SELECT l.agency_code, l.leaving, a.active, before.people AS before
       FROM (SELECT a.agency_code, count(*)::integer AS leaving
               FROM import_leaver l JOIN accounts a ON a.id = l.account_id GROUP BY a.agency_code) AS l
      CROSS JOIN LATERAL (SELECT count(*)::integer AS active FROM accounts a
               WHERE a.agency_code = l.agency_code AND a.status = 'active') AS a
      CROSS JOIN LATERAL ${recentlyLeft('l.agency_code', 'people')} AS before
      WHERE a.active + before.people >= ${SIZEABLE_AGENCY} AND (l.leaving + before.people) * 2 > a.active + before.people
      ORDER BY l.leaving DESC, l.agency_code LIMIT 20`,
    [since],
  );
  return rows.map((row) => ({
    agencyCode: row.agency_code as string,
    active: row.active as number,
    leaving: row.leaving as number,
    before: row.before as number,
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
