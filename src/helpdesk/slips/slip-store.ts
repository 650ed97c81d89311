import { accountId, agencyCode, type AccountId, type AgencyCode } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';
import { NEEDS_SECOND, underAuthorityOf, withinReachOf } from '../authority-store.js';

/** Who asks, and when: the first two parameters of every statement here. */
export interface Asking {
  readonly officer: AccountId;
  readonly now: Date;
}

const ACTING = { officer: '$1', now: '$2' };

/** Slips for many are an administrator's work (docs/PRODUCT): as is seeing who needs one. */
const SEES = withinReachOf(ACTING, 'watch');

/** Nobody of whom two officers must decide: they are served one by one, and a slip of theirs is printed by none alone. */
const MAY_PRINT = `${underAuthorityOf(ACTING, 'activation_slip')} AND NOT ${NEEDS_SECOND}`;
const PRINTS_FOR = `${SEES} AND ${MAY_PRINT}`;

/** Slip `s` of account `a` could be used now. */
const LIVE = `s.account_id = a.id AND s.cred_epoch = a.cred_epoch AND s.ended_at IS NULL AND s.expires_at > $2`;

/** Account `a` could take its first password. */
const WAITS = `a.activated_at IS NULL AND a.status = 'active' AND a.frozen_at IS NULL`;

export interface Unit {
  readonly code: AgencyCode;
  readonly name: string;
}

const unitOf = (row: Row): Unit => ({ code: agencyCode(row.code as string), name: row.name as string });

/** The unit, where the officer sees who has activated; undefined for any other, known or not. */
export async function selectUnit(db: Queryable, { officer, now }: Asking, code: string): Promise<Unit | undefined> {
  const [row] = await db.query(`SELECT g.code, g.name FROM agencies g WHERE g.code = $3 AND ${SEES}`, [
    officer,
    now,
    code,
  ]);
  return row && unitOf(row);
}

/** Where the officer begins to look: the highest units of their own, with none above them that they see. */
export async function selectTopUnits(db: Queryable, { officer, now }: Asking, limit: number): Promise<readonly Unit[]> {
  const rows = await db.query(
    `SELECT g.code, g.name FROM agencies g CROSS JOIN LATERAL (SELECT g.parent_code AS code) above
      WHERE ${SEES} AND NOT EXISTS (SELECT FROM agencies g WHERE g.code = above.code AND ${SEES})
      ORDER BY g.name, g.code LIMIT $3`,
    [officer, now, limit],
  );
  return rows.map(unitOf);
}

export interface UnitProgress extends Unit {
  /** The people of the unit itself, without those of the units below it. */
  readonly isItself: boolean;
  readonly people: number;
  readonly activated: number;
  /** Never activated, and a slip of theirs could be used today. */
  readonly withSlip: number;
}

/** The people of a unit, and of each unit right below it with everything below that. */
export async function selectProgress(
  db: Queryable,
  { officer, now }: Asking,
  unit: AgencyCode,
): Promise<readonly UnitProgress[]> {
  const rows = await db.query(
    `WITH shown AS (
       SELECT u.code, u.name, u.code = $3 AS is_itself FROM agencies u WHERE u.code = $3 OR u.parent_code = $3
     ), below AS (
       SELECT shown.code, g.code AS place FROM shown
         JOIN agencies g ON CASE WHEN shown.is_itself THEN g.code = shown.code ELSE shown.code = ANY (g.ancestors) END
        WHERE ${SEES}
     ), counted AS (
       SELECT below.code, count(*)::integer AS people, count(a.activated_at)::integer AS activated,
              count(*) FILTER (WHERE ${WAITS} AND EXISTS (SELECT FROM activation_slips s WHERE ${LIVE}))::integer AS with_slip
         FROM below JOIN accounts a ON a.agency_code = below.place AND a.status = 'active'
        GROUP BY below.code
     )
     SELECT shown.*, counted.people, counted.activated, counted.with_slip
       FROM shown JOIN counted USING (code)
      ORDER BY shown.is_itself DESC, shown.name, shown.code`,
    [officer, now, unit],
  );
  return rows.map((row) => ({
    ...unitOf(row),
    isItself: row.is_itself as boolean,
    people: row.people as number,
    activated: row.activated as number,
    withSlip: row.with_slip as number,
  }));
}

export interface WeekCount {
  /** The Monday it begins with. */
  readonly from: Date;
  readonly activated: number;
}

/** How many people of a unit and below it were activated in each of the last weeks, in Western Indonesian time. */
export async function selectWeeks(
  db: Queryable,
  { officer, now }: Asking,
  { unit, weeks }: { unit: AgencyCode; weeks: number },
): Promise<readonly WeekCount[]> {
  const rows = await db.query(
    `WITH weeks AS (
       SELECT generate_series(date_trunc('week', $2::timestamptz, 'Asia/Jakarta') - make_interval(weeks => $4::int - 1),
                              date_trunc('week', $2::timestamptz, 'Asia/Jakarta'), interval '1 week') AS begins
     ), counted AS (
       SELECT date_trunc('week', a.activated_at, 'Asia/Jakarta') AS begins, count(*)::integer AS activated
         FROM agencies g JOIN accounts a ON a.agency_code = g.code
        WHERE $3 = ANY (g.ancestors) AND ${SEES} AND a.status = 'active'
          AND a.activated_at >= (SELECT min(begins) FROM weeks)
        GROUP BY 1
     )
     SELECT weeks.begins, coalesce(counted.activated, 0) AS activated
       FROM weeks LEFT JOIN counted USING (begins) ORDER BY weeks.begins`,
    [officer, now, unit, weeks],
  );
  return rows.map((row) => ({ from: row.begins as Date, activated: row.activated as number }));
}

export interface WaitingPerson {
  readonly id: AccountId;
  readonly name: string;
  readonly unit: string;
  /** Until when their slip can be used, if they have one. */
  readonly slipUntil: Date | undefined;
}

/** People of a unit and below it who never activated, by name, after the one named. */
export async function selectWaiting(
  db: Queryable,
  { officer, now }: Asking,
  page: { unit: AgencyCode; after: { name: string; id: string } | undefined; limit: number },
): Promise<readonly WaitingPerson[]> {
  const rows = await db.query(
    `SELECT a.id, a.name, g.name AS unit,
            (SELECT s.expires_at FROM activation_slips s WHERE ${LIVE}) AS slip_until
       FROM agencies g JOIN accounts a ON a.agency_code = g.code
      WHERE $3 = ANY (g.ancestors) AND ${SEES} AND ${WAITS}
        AND ($4::text IS NULL OR (a.name, a.id) > ($4::text, $5::uuid))
      ORDER BY a.name, a.id LIMIT $6`,
    [officer, now, page.unit, page.after?.name, page.after?.id, page.limit],
  );
  return rows.map((row) => ({
    id: accountId(row.id as string),
    name: row.name as string,
    unit: row.unit as string,
    slipUntil: (row.slip_until as Date | null) ?? undefined,
  }));
}

const WITHOUT_SLIP = `NOT EXISTS (SELECT FROM activation_slips s WHERE ${LIVE})`;

// Whoever is held by somebody else, another batch for example, is left to them.
const HOLD = `
  SELECT a.id FROM accounts a JOIN agencies g ON g.code = a.agency_code
   WHERE $3 = ANY (g.ancestors) AND ${WAITS} AND ${WITHOUT_SLIP} AND ${PRINTS_FOR}
   ORDER BY g.name, a.name, a.id LIMIT $4
     FOR UPDATE OF a SKIP LOCKED`;

const ISSUE = `
  WITH people AS (
    SELECT a.id, a.cred_epoch, a.agency_code FROM accounts a JOIN agencies g ON g.code = a.agency_code
     WHERE a.id = ANY ($4::uuid[]) AND $3 = ANY (g.ancestors) AND ${WAITS} AND ${WITHOUT_SLIP} AND ${PRINTS_FOR}
  ), stale AS (
    UPDATE activation_slips s SET ended_at = $2, ended_as = 'voided'
      FROM people WHERE s.account_id = people.id AND s.ended_at IS NULL
    RETURNING s.id
  ), issued AS (
    INSERT INTO activation_slips (account_id, cred_epoch, issued_by, batch, issued_at, expires_at)
    SELECT id, cred_epoch, $1, $5, $2, $6 FROM people WHERE (SELECT count(*) FROM stale) >= 0
    ON CONFLICT (account_id) WHERE ended_at IS NULL DO NOTHING
    RETURNING id, account_id
  ), acts AS (
    INSERT INTO officer_acts (action, account_id, agency_code, officer_id, client_id, reason, created_at, state)
    SELECT 'activation_slip', people.id, people.agency_code, $1, $7, $8, $2, 'done'
      FROM issued JOIN people ON people.id = issued.account_id
    RETURNING id, account_id, agency_code
  )
  SELECT issued.id, acts.id AS act, acts.account_id, acts.agency_code
    FROM issued JOIN acts ON acts.account_id = issued.account_id`;

export interface NewBatch {
  readonly id: string;
  readonly unit: AgencyCode;
  readonly limit: number;
  readonly expiresAt: Date;
  /** Where it was asked for, and why: of each act. */
  readonly clientId: string;
  readonly reason: string;
}

export interface IssuedSlip {
  readonly id: string;
  readonly act: string;
  readonly accountId: AccountId;
  readonly agency: AgencyCode;
}

/**
 * Slips for people of a unit and below it who have none and never activated, each with its act (ADR 0019). They are held
 * first, so that nobody appoints or moves them; then one statement asks for the authority over each, and writes.
 */
export async function insertBatch(
  tx: Queryable,
  { officer, now }: Asking,
  { id: batch, unit, limit, expiresAt, clientId, reason }: NewBatch,
): Promise<readonly IssuedSlip[]> {
  const held = (await tx.query(HOLD, [officer, now, unit, limit])).map(({ id }) => id);
  const rows = await tx.query(ISSUE, [officer, now, unit, held, batch, expiresAt, clientId, reason]);
  return rows.map((row) => ({
    id: row.id as string,
    act: row.act as string,
    accountId: accountId(row.account_id as string),
    agency: agencyCode(row.agency_code as string),
  }));
}

/** How many people of a unit and below it would still get a slip, counted up to a limit. */
export async function countWithoutSlip(
  db: Queryable,
  { officer, now }: Asking,
  { unit, limit }: { unit: AgencyCode; limit: number },
): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*)::integer AS people FROM (
       SELECT FROM accounts a JOIN agencies g ON g.code = a.agency_code
        WHERE $3 = ANY (g.ancestors) AND ${WAITS} AND ${WITHOUT_SLIP} AND ${PRINTS_FOR} LIMIT $4) counted`,
    [officer, now, unit, limit],
  );
  return row?.people as number;
}

export interface PrintableSlip {
  readonly id: string;
  readonly accountId: AccountId;
  readonly name: string;
  readonly nip: string;
  readonly agency: Unit;
  readonly expiresAt: Date;
}

const PRINTABLE = (which: string, may: string): string => `
  SELECT s.id, a.id AS account_id, a.name, a.nip, g.code AS agency_code, g.name AS agency_name, s.expires_at
    FROM activation_slips s JOIN accounts a ON ${LIVE} JOIN agencies g ON g.code = a.agency_code
   WHERE ${which} AND ${WAITS} AND ${may}
   ORDER BY g.name, a.name, a.id`;

const BATCH = PRINTABLE('s.batch = $3', PRINTS_FOR);
const ONE = PRINTABLE('s.id = $3', MAY_PRINT);

const printableOf = (row: Row): PrintableSlip => ({
  id: row.id as string,
  accountId: accountId(row.account_id as string),
  name: row.name as string,
  nip: row.nip as string,
  agency: { code: agencyCode(row.agency_code as string), name: row.agency_name as string },
  expiresAt: row.expires_at as Date,
});

/** The slips of a batch that can still be used, of people who are still the officer's. */
export const selectBatch = async (
  db: Queryable,
  { officer, now }: Asking,
  batch: string,
): Promise<readonly PrintableSlip[]> => (await db.query(BATCH, [officer, now, batch])).map(printableOf);

/** One slip that can still be used, of somebody whom the officer may give one, alone and at this moment. */
export async function selectOne(
  db: Queryable,
  { officer, now }: Asking,
  slip: string,
): Promise<PrintableSlip | undefined> {
  const [row] = await db.query(ONE, [officer, now, slip]);
  return row && printableOf(row);
}
