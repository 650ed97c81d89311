import { accountId, agencyCode, type AccountId, type AgencyCode } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';
import { withinReachOf } from '../authority-store.js';
import type { FoundPerson, NamedAgency } from './desk.js';
import type { NameQuery } from './plain-name.js';
import { statusOf } from './status.js';

/** The officer and the moment, for the predicate of every statement here. */
export interface Looking {
  readonly officer: AccountId;
  readonly now: Date;
}

const IN_REACH = withinReachOf({ officer: '$1', now: '$2' }, 'look');

const PERSON = `a.id, a.name, right(a.nip, 3) AS nip_ending, a.status, a.disabled_at, a.frozen_at, a.activated_at,
         a.agency_code, g.name AS agency_name`;

const personFromRow = (row: Row): FoundPerson => ({
  id: accountId(row.id as string),
  name: row.name as string,
  nipEnding: row.nip_ending as string,
  agency: { code: agencyCode(row.agency_code as string), name: row.agency_name as string },
  status: statusOf(row),
});

// A number of today stands before the same number of somebody else's past.
/** The statement of a search by NIP, for a test to look at how it is carried out. */
export const SEARCH_BY_NIP = `
  SELECT ${PERSON}
    FROM (SELECT id, 1 AS rank FROM accounts WHERE nip = $3
          UNION ALL SELECT account_id, 2 FROM nip_history WHERE nip = $3) AS bearer
    JOIN accounts a ON a.id = bearer.id
    JOIN agencies g ON g.code = a.agency_code
   WHERE ${IN_REACH}
   ORDER BY bearer.rank LIMIT 1`;

/** Whoever has this NIP, or had it, within the officer's reach. */
export async function selectByNip(
  db: Queryable,
  { officer, now }: Looking,
  nip: string,
): Promise<FoundPerson | undefined> {
  const [row] = await db.query(SEARCH_BY_NIP, [officer, now, nip]);
  return row && personFromRow(row);
}

/** The agency, if it is one of those that the officer reaches. */
export async function selectAgencyInReach(
  db: Queryable,
  { officer, now }: Looking,
  code: string,
): Promise<NamedAgency | undefined> {
  const [row] = await db.query(`SELECT g.code, g.name FROM agencies g WHERE g.code = $3 AND ${IN_REACH}`, [
    officer,
    now,
    code,
  ]);
  return row && { code: agencyCode(row.code as string), name: row.name as string };
}

/** Where a page of names ended. */
export interface NamePlace {
  readonly word: string;
  readonly nameKey: string;
  readonly id: string;
}

export interface NameSearch extends NameQuery {
  readonly agency: AgencyCode;
  readonly after: NamePlace | undefined;
  readonly limit: number;
}

// Every unit's matches stand in its part of the key in the order in which they are shown, so that each gives at most a
// page of them, from where the page before ended, and nothing is sorted but those. Whoever reaches an agency reaches all
// below it: asked once. A name with two fitting words is told at the first of them.
const byName = (from: string): string => `
  WITH root AS MATERIALIZED (
    SELECT g.code FROM agencies g WHERE g.code = $3 AND ${IN_REACH}
  ), units AS MATERIALIZED (
    SELECT unit.code FROM root JOIN agencies unit ON unit.ancestors @> ARRAY[root.code]
  ), page AS MATERIALIZED (
    SELECT found.*
      FROM units CROSS JOIN LATERAL (
        SELECT w.word, w.name_key, w.account_id
          FROM account_name_words w
         WHERE w.agency_code = units.code AND ${from} AND w.word < $5
           AND (cardinality($6::text[]) = 0 OR NOT EXISTS (
                 SELECT FROM unnest($6::text[]) AS asked
                  WHERE NOT starts_with(w.name_key, asked) AND strpos(w.name_key, ' ' || asked) = 0))
           AND (w.word = $4 OR cardinality(string_to_array(' ' || w.name_key, ' ' || $4)) = 2 OR NOT EXISTS (
                 SELECT FROM unnest(string_to_array(w.name_key, ' ')) AS other
                  WHERE starts_with(other, $4) AND other < w.word AND length(other) > 1))
         ORDER BY w.word, w.name_key, w.account_id LIMIT $7
      ) AS found
     ORDER BY word, name_key, account_id LIMIT $7
  )
  SELECT ${PERSON}, page.word, page.name_key
    FROM page JOIN accounts a ON a.id = page.account_id JOIN agencies g ON g.code = a.agency_code
   ORDER BY page.word, page.name_key, page.account_id`;

const FIRST = byName('w.word >= $4');
const NEXT = byName('(w.word, w.name_key, w.account_id) > ($8, $9, $10::uuid)');

/** The statement of a search by name, for a test to look at how it is carried out. */
export const SEARCH_BY_NAME = { first: FIRST, next: NEXT };

/** Behind every word that begins with a prefix of ASCII letters and digits. */
const endOf = (prefix: string): string => `${prefix}~`;

/** People of an agency and all below it, in the order of their names; each with the place behind which to go on. */
export async function selectByName(
  db: Queryable,
  { officer, now }: Looking,
  { word, others, agency, after, limit }: NameSearch,
): Promise<readonly { readonly person: FoundPerson; readonly place: NamePlace }[]> {
  const values = [officer, now, agency, word, endOf(word), others, limit];
  const rows = await (after === undefined
    ? db.query(FIRST, values)
    : db.query(NEXT, [...values, after.word, after.nameKey, after.id]));
  return rows.map((row) => ({
    person: personFromRow(row),
    place: { word: row.word as string, nameKey: row.name_key as string, id: row.id as string },
  }));
}
