import { setTimeout as pause } from 'node:timers/promises';
import { copyLine, type BulkSession } from '../storage/copy.js';
import type { Queryable } from '../storage/database.js';
import { HOLDS_A_ROLE, SAID_STATUS } from './account-apply-store.js';
import type { AccountRow, Mentioned } from './account-rows.js';
import type { RowProblem } from './table.js';

/**
 * The plan of an account import: every row of the file in temporary tables, matched with the account it speaks of,
 * before anything is changed. A dry run is this and nothing more, so it reports what the import would (ADR 0003).
 */

/** Arbitrary, ours: one import at a time, or two plans would not know of each other. */
export const IMPORT_LOCK = 7_202_611;

const TABLES = [
  // Sound rows; those that turn out to be in the way of others leave again.
  `CREATE TEMPORARY TABLE import_row (
     line integer NOT NULL, nip text COLLATE "C", name text, email text, employment text, agency_code text COLLATE "C",
     status text, account_name text COLLATE "C", person_id text COLLATE "C", previous_nip text COLLATE "C",
     password_hash text, problem_column text, problem text)`,
  `CREATE TEMPORARY TABLE import_problem (
     id integer GENERATED ALWAYS AS IDENTITY, line integer NOT NULL, column_name text NOT NULL, reason text NOT NULL)`,
  // Whom the rows with a problem speak of, as far as they can be read: who is in a file has not left.
  `CREATE TEMPORARY TABLE import_set_aside (
     line integer NOT NULL, nip text COLLATE "C", person_id text COLLATE "C", previous_nip text COLLATE "C")`,
  // The account that a row speaks of. A row without a match is a new person.
  'CREATE TEMPORARY TABLE import_match (line integer PRIMARY KEY, account_id uuid NOT NULL UNIQUE)',
  // NIPs and account names that a row wants and another account has.
  'CREATE TEMPORARY TABLE import_clash (line integer NOT NULL, column_name text NOT NULL, holder uuid NOT NULL)',
  'CREATE TEMPORARY TABLE import_change (line integer PRIMARY KEY, account_id uuid NOT NULL)',
  // Rows that hand a NIP or account name to one another: written together, before all others.
  'CREATE TEMPORARY TABLE import_entangled (line integer PRIMARY KEY)',
];

/** Who hears that an import is over may begin the next before the connection of the first is closed. */
const LOCK_TRIES = 5;
const LOCK_PAUSE_MS = 100;

async function takeLock(session: BulkSession): Promise<boolean> {
  const [row] = await session.query('SELECT pg_try_advisory_lock($1) AS locked', [IMPORT_LOCK]);
  return row?.locked === true;
}

/** False when another import runs at this moment. */
export async function beginPlan(session: BulkSession): Promise<boolean> {
  for (let tries = 1; !(await takeLock(session)); tries += 1) {
    if (tries === LOCK_TRIES) return false;
    await pause(LOCK_PAUSE_MS);
  }
  await session.query("SET work_mem = '64MB'");
  await session.query('SET jit = off');
  for (const table of TABLES) await session.query(table);
  return true;
}

const stagedLine = (row: AccountRow): string =>
  copyLine([
    row.line,
    row.nip,
    row.name,
    row.email,
    row.employment,
    row.agencyCode,
    row.status,
    row.accountName,
    row.personId,
    row.previousNip,
    row.passwordHash,
    undefined,
    undefined,
  ]);

/** A row with a problem, and whom it speaks of as far as that can be read. */
export interface FaultyRow extends RowProblem, Partial<Mentioned> {}

const NONE = Array.from({ length: 6 }, () => undefined);
const problemLine = ({ line, nip, personId, previousNip, column, reason }: FaultyRow): string =>
  copyLine([line, nip, ...NONE, personId, previousNip, undefined, column, reason]);

export type Staged = AccountRow | FaultyRow;

/** Removes rows, and keeps whom they speak of. */
const SET_ASIDE = (remove: string): string => `
  WITH gone AS (${remove} RETURNING r.line, r.nip, r.person_id, r.previous_nip)
  INSERT INTO import_set_aside SELECT * FROM gone`;

/** Takes in all rows of the file, sound and faulty, as one COPY. */
export async function stageRows(session: BulkSession, rows: AsyncIterable<readonly Staged[]>): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    for await (const some of rows) yield some.map((it) => ('reason' in it ? problemLine(it) : stagedLine(it))).join('');
  }
  await session.copy('import_row', lines());
  await session.query(
    `INSERT INTO import_problem (line, column_name, reason)
     SELECT line, problem_column, problem FROM import_row WHERE problem IS NOT NULL`,
  );
  await session.query(SET_ASIDE('DELETE FROM import_row r WHERE r.problem IS NOT NULL'));
  await session.query('CREATE UNIQUE INDEX ON import_row (line)');
  await session.query('ANALYZE import_row');
}

/** The file's columns by their names in it and in the staging table. */
export type KeyColumn = 'nip' | 'username' | 'person_id';
const STAGED_AS: Readonly<Record<KeyColumn, string>> = { nip: 'nip', username: 'account_name', person_id: 'person_id' };

/** Of rows that claim the same key only the first stays. */
export async function setAsideDuplicates(session: BulkSession, columns: readonly KeyColumn[]): Promise<void> {
  for (const column of columns) {
    const key = STAGED_AS[column];
    await session.query(
      `INSERT INTO import_problem (line, column_name, reason)
       SELECT r.line, $1, 'is on line ' || twice.line || ' too'
         FROM (SELECT ${key}, min(line) AS line FROM import_row WHERE ${key} IS NOT NULL
                GROUP BY ${key} HAVING count(*) > 1) AS twice
         JOIN import_row r USING (${key})
        WHERE r.line > twice.line`,
      [column],
    );
  }
  await removeProblemRows(session);
}

/** Two persons, by the personnel system's own word. */
const SAME_PERSON = '(a.person_id IS NULL OR r.person_id IS NULL OR a.person_id = r.person_id)';
const FREE_ROW = 'NOT EXISTS (SELECT FROM import_match m WHERE m.line = r.line)';
const FREE_ACCOUNT = 'NOT EXISTS (SELECT FROM import_match m WHERE m.account_id = a.id)';

const MATCHES = {
  // The personnel system's id of the person decides before any number does.
  person: `SELECT r.line, a.id FROM import_row r JOIN accounts a ON a.person_id = r.person_id`,
  // The change of number was made by an earlier import.
  done: `SELECT r.line, a.id
           FROM import_row r
           JOIN accounts a ON a.nip = r.nip
           JOIN nip_history h ON h.account_id = a.id AND h.nip = r.previous_nip
          WHERE ${SAME_PERSON} AND ${FREE_ROW} AND ${FREE_ACCOUNT}`,
  // A new number: unless it has an account already that no other row takes further.
  previous: `SELECT DISTINCT ON (a.id) r.line, a.id
               FROM import_row r
               JOIN accounts a ON a.nip = r.previous_nip
              WHERE ${SAME_PERSON} AND ${FREE_ROW} AND ${FREE_ACCOUNT}
                AND NOT EXISTS (
                  SELECT FROM accounts b
                   WHERE b.nip = r.nip
                     AND (b.person_id IS NULL OR r.person_id IS NULL OR b.person_id = r.person_id)
                     AND NOT EXISTS (SELECT FROM import_match m WHERE m.account_id = b.id)
                     AND NOT EXISTS (
                       SELECT FROM import_row o
                        WHERE o.previous_nip = b.nip AND o.line <> r.line
                          AND NOT EXISTS (SELECT FROM import_match m WHERE m.line = o.line)))
              ORDER BY a.id, r.line`,
  nip: `SELECT r.line, a.id FROM import_row r JOIN accounts a ON a.nip = r.nip
         WHERE ${SAME_PERSON} AND ${FREE_ROW} AND ${FREE_ACCOUNT}`,
};

/** Finds the account of each row: by person, then by a change of number, then by number. */
export async function matchRows(session: BulkSession, columns: ReadonlySet<string>): Promise<void> {
  const match = (select: string): Promise<unknown> =>
    session.query(`INSERT INTO import_match (line, account_id) ${select}`);
  if (columns.has('person_id')) await match(MATCHES.person);
  if (columns.has('previous_nip')) {
    await session.query('CREATE INDEX ON import_row (previous_nip) WHERE previous_nip IS NOT NULL');
    await match(MATCHES.done);
    await match(MATCHES.previous);
  }
  await match(MATCHES.nip);
  await session.query('ANALYZE import_match');
}

/** Rows whose former number has an account that is not theirs: one person would have, or has, two accounts. */
export async function setAsideDoubles(session: BulkSession): Promise<void> {
  await session.query(
    `INSERT INTO import_problem (line, column_name, reason)
     SELECT r.line, 'previous_nip', 'has an account of its own'
       FROM import_row r
       JOIN accounts a ON a.nip = r.previous_nip
       LEFT JOIN import_match own ON own.line = r.line
       LEFT JOIN accounts o ON o.id = own.account_id
      WHERE ${SAME_PERSON}
        AND a.id IS DISTINCT FROM o.id
        AND (o.id IS NULL OR ${FREE_ACCOUNT})
        AND (r.person_id IS NULL OR o.person_id IS DISTINCT FROM r.person_id)
        AND NOT EXISTS (SELECT FROM nip_history h WHERE h.account_id = o.id AND h.nip = r.previous_nip)`,
  );
  await removeProblemRows(session);
}

/** Row `r` says anything that account `a` does not. */
const CHANGES = `
  (a.nip, a.name, a.employment, a.agency_code, ${SAID_STATUS})
        IS DISTINCT FROM (r.nip, r.name, r.employment, r.agency_code, r.status)
   -- What the last import said, not what the person has chosen since (docs/adr/0014).
   OR (CASE WHEN a.email_chosen THEN a.email_imported ELSE a.email END IS DISTINCT FROM r.email
       AND NOT (a.email_chosen AND r.email IS NULL))
   OR a.account_name IS DISTINCT FROM coalesce(r.account_name, a.account_name)
   OR a.person_id IS DISTINCT FROM coalesce(r.person_id, a.person_id)
   OR (r.previous_nip IS NOT NULL AND r.previous_nip <> a.nip AND NOT EXISTS (
        SELECT FROM nip_history h WHERE h.account_id = a.id AND h.nip = r.previous_nip))
   OR NOT a.from_feed
   OR (r.password_hash IS NOT NULL AND NOT EXISTS (SELECT FROM credentials c WHERE c.account_id = a.id))`;

/** Of a feed that is bound to an agency: rows that speak of people elsewhere. */
export async function setAsideStrangers(session: BulkSession, reach: readonly string[]): Promise<void> {
  await session.query(
    `INSERT INTO import_problem (line, column_name, reason)
     SELECT m.line, 'nip', 'belongs to a person of another agency'
       FROM import_match m JOIN accounts a ON a.id = m.account_id
      WHERE a.agency_code <> ALL ($1::text[])`,
    [reach],
  );
  await removeProblemRows(session);
}

/**
 * Of a feed that is bound to an agency: rows that tell of a former number which another account has or had, and rows that
 * would change somebody who holds a role.
 */
export async function setAsideOverreach(session: BulkSession): Promise<void> {
  await session.query(
    `INSERT INTO import_problem (line, column_name, reason)
     SELECT r.line, 'previous_nip', 'belongs to another account'
       FROM import_row r LEFT JOIN import_match m USING (line)
      WHERE r.previous_nip IS NOT NULL
        AND (EXISTS (SELECT FROM accounts o WHERE o.nip = r.previous_nip AND o.id IS DISTINCT FROM m.account_id)
          OR EXISTS (SELECT FROM nip_history h
                      WHERE h.nip = r.previous_nip AND h.account_id IS DISTINCT FROM m.account_id))
     UNION ALL
     SELECT r.line, 'nip', 'is of a person with a role: only a feed of all agencies may change them'
       FROM import_match m JOIN import_row r USING (line) JOIN accounts a ON a.id = m.account_id
      WHERE ${HOLDS_A_ROLE} AND (${CHANGES})`,
  );
  await removeProblemRows(session);
}

/**
 * Sets aside the rows that want a NIP or account name which another account has and keeps. A row set aside keeps
 * its own, which may be in the way of the next: so until none is left.
 */
export async function setAsideClashes(session: BulkSession): Promise<void> {
  await session.query(
    `INSERT INTO import_clash (line, column_name, holder)
     SELECT r.line, 'nip', a.id
       FROM import_row r LEFT JOIN import_match m USING (line) JOIN accounts a ON a.nip = r.nip
      WHERE a.id IS DISTINCT FROM m.account_id
     UNION ALL
     SELECT r.line, 'username', a.id
       FROM import_row r LEFT JOIN import_match m USING (line) JOIN accounts a ON a.account_name = r.account_name
      WHERE a.id IS DISTINCT FROM m.account_id`,
  );
  for (let found = 1; found > 0;) {
    const rows = await session.query(
      `INSERT INTO import_problem (line, column_name, reason)
       SELECT c.line, c.column_name, 'belongs to another account'
         FROM import_clash c
         JOIN import_row r USING (line)
        WHERE NOT EXISTS (
          SELECT FROM import_match m
            JOIN import_row h ON h.line = m.line
           WHERE m.account_id = c.holder
             AND CASE c.column_name WHEN 'nip' THEN h.nip <> r.nip ELSE h.account_name <> r.account_name END)
       RETURNING line`,
    );
    found = rows.length;
    await removeProblemRows(session);
  }
}

async function removeProblemRows(session: BulkSession): Promise<void> {
  await session.query(SET_ASIDE('DELETE FROM import_row r USING import_problem p WHERE p.line = r.line'));
  await session.query('DELETE FROM import_match m USING import_problem p WHERE p.line = m.line');
}

export interface PlanCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly lastLine: number;
}

/**
 * Finds out which matched rows would change anything, and counts. `confirms`: the feed speaks for all agencies, and who
 * was only known from one that does not is known from then on.
 */
export async function countPlan(
  session: BulkSession,
  { confirms }: { readonly confirms: boolean },
): Promise<PlanCounts> {
  await session.query(
    `INSERT INTO import_change (line, account_id)
     SELECT r.line, a.id
       FROM import_match m
       JOIN import_row r USING (line)
       JOIN accounts a ON a.id = m.account_id
      WHERE ${CHANGES} OR ${confirms} AND a.vouched_within IS NOT NULL`,
  );
  await session.query(
    `INSERT INTO import_entangled (line)
     SELECT c.line FROM import_clash c JOIN import_row USING (line)
     UNION
     SELECT m.line FROM import_clash c JOIN import_row USING (line) JOIN import_match m ON m.account_id = c.holder`,
  );
  const [row] = await session.query(
    `SELECT (SELECT count(*) FROM import_row)::integer AS sound,
            (SELECT count(*) FROM import_match)::integer AS matched,
            (SELECT count(*) FROM import_change)::integer AS changed,
            (SELECT count(DISTINCT line) FROM import_problem)::integer AS skipped,
            (SELECT coalesce(max(line), 0) FROM import_row) AS last_line`,
  );
  const count = (name: string): number => row?.[name] as number;
  return {
    created: count('sound') - count('matched'),
    updated: count('changed'),
    unchanged: count('matched') - count('changed'),
    skipped: count('skipped'),
    lastLine: count('last_line'),
  };
}

/** Every problem, by line. */
export async function* plannedProblems(db: Queryable): AsyncGenerator<readonly RowProblem[]> {
  const PAGE = 10_000;
  await db.query('CREATE INDEX ON import_problem (line, id)');
  for (let last: readonly [number, number] | undefined = [0, 0]; last !== undefined;) {
    const rows = await db.query(
      `SELECT line, id, column_name, reason FROM import_problem
        WHERE (line, id) > ($1, $2) ORDER BY line, id LIMIT ${PAGE}`,
      last,
    );
    yield rows.map((row) => ({
      line: row.line as number,
      column: row.column_name as string,
      reason: row.reason as string,
    }));
    const end = rows.at(-1);
    last = rows.length < PAGE || end === undefined ? undefined : [end.line as number, end.id as number];
  }
}
