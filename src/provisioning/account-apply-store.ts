import { accountId, agencyCode, type AccountId, type AgencyCode } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';

/** Which planned rows to write: the entangled ones, or the others between two lines. */
export type Portion =
  { readonly kind: 'entangled' } | { readonly kind: 'lines'; readonly after: number; readonly upTo: number };

const ENTANGLED = 'EXISTS (SELECT FROM import_entangled e WHERE e.line = r.line)';
const LINES = `r.line > $3 AND r.line <= $4 AND NOT ${ENTANGLED}`;

/** An account that got another address: as it was known before, for the notice that goes there. */
export interface EmailMoved {
  readonly id: AccountId;
  readonly nip: string;
  readonly name: string;
  readonly oldEmail: string | undefined;
}

/** A person who works elsewhere now. */
export interface AgencyMove {
  readonly id: AccountId;
  readonly from: AgencyCode;
  readonly to: AgencyCode;
}

/** An account that is another person's than it was, as far as anybody can tell. */
export interface StartedOver {
  readonly id: AccountId;
  /** Name and NIP both changed, or a feed that is bound to an agency had said who it is, and it left that agency. */
  readonly cause: 'name_and_nip' | 'out_of_reach';
  /** Was activated by whoever had it before. */
  readonly inUse: boolean;
}

/** Accounts by what happened to them. What follows from it must happen in the same transaction. */
export interface Applied {
  /** Became inactive. */
  readonly left: readonly AccountId[];
  /** Were inactive, and are active again. */
  readonly returned: readonly AccountId[];
  readonly moved: readonly AgencyMove[];
  /** In use, with another address than before. */
  readonly emailMoved: readonly EmailMoved[];
  /** Have no password and were never activated any more. */
  readonly startedOver: readonly StartedOver[];
}

/** When, and by a feed that is bound to which agency. */
export interface Writing {
  readonly now: Date;
  readonly within: AgencyCode | undefined;
}

/**
 * What an import says of the address (docs/adr/0014). `said`: what the last one said. An address that the person chose
 * stands until the personnel system says something new, and is never taken away for nothing.
 */
const SAID = 'CASE WHEN a.email_chosen THEN a.email_imported ELSE a.email END';
export const KEEPS_CHOICE = `a.email_chosen AND (r.email IS NULL OR r.email IS NOT DISTINCT FROM ${SAID})`;

/** The last word of the personnel system on account `a`; an officer may have closed it all the same (docs/adr/0019). */
export const SAID_STATUS = 'coalesce(a.status_imported, a.status)';
/** Account `a`, row `r`. */
export const LEAVES = `${SAID_STATUS} = 'active' AND r.status = 'inactive'`;
export const RETURNS = `a.status = 'inactive' AND a.disabled_at IS NULL AND r.status = 'active'`;

/** Without what stands before, between and after the words of a name: titles come and go. */
const words = (name: string): string =>
  `array_remove(regexp_split_to_array(lower(${name}), '[[:space:][:punct:]]+'), '')`;
const OTHER_NAME = `NOT (${words('a.name')} <@ ${words('r.name')} OR ${words('r.name')} <@ ${words('a.name')})`;
const OUT_OF_REACH = `a.vouched_within IS NOT NULL AND NOT EXISTS (
  SELECT FROM agencies g WHERE g.code = r.agency_code AND a.vouched_within = ANY (g.ancestors))`;
/**
 * Account `a` becomes another person's by row `r`. What a feed said that is bound to an agency holds within that agency:
 * else it could make an account, with a password, that is a stranger's one day.
 */
export const STARTS_OVER = `(a.nip <> r.nip AND ${OTHER_NAME} OR ${OUT_OF_REACH})`;

/** A feed that is bound to an agency changes nothing about account `a` then. */
export const HOLDS_A_ROLE =
  'EXISTS (SELECT FROM role_grants held WHERE held.account_id = a.id AND held.revoked_at IS NULL)';
const MAY_CHANGE = `($2::text IS NULL OR NOT ${HOLDS_A_ROLE})`;

/** Changes the accounts that the portion's rows speak of. */
export async function applyChanges(tx: Queryable, portion: Portion, { now, within }: Writing): Promise<Applied> {
  const { where, values } = chosen(portion);
  const rows = await tx.query(
    `WITH was AS MATERIALIZED (
       SELECT a.id, a.nip AS old_nip, a.name AS old_name, a.email AS old_email, a.agency_code AS old_agency,
              a.activated_at IS NOT NULL AS in_use,
              a.activated_at IS NOT NULL AND NOT (${KEEPS_CHOICE}) AND NOT ${STARTS_OVER}
                AND a.email IS DISTINCT FROM r.email AS email_moves,
              ${LEAVES} AS leaves, ${RETURNS} AS returns, ${KEEPS_CHOICE} AND NOT ${STARTS_OVER} AS keeps_choice,
              ${STARTS_OVER} AS starts_over, ${OUT_OF_REACH} AS out_of_reach, r.*
         FROM import_change c
         JOIN import_row r USING (line)
         JOIN accounts a ON a.id = c.account_id
        WHERE ${where} AND ${MAY_CHANGE}
        ORDER BY a.id
          FOR UPDATE OF a
     ), written AS (
       UPDATE accounts a
          SET nip = was.nip, name = was.name, employment = was.employment,
              email = CASE WHEN was.keeps_choice THEN a.email ELSE was.email END,
              email_imported = CASE WHEN was.keeps_choice THEN a.email_imported END,
              email_chosen = was.keeps_choice,
              email_unproved = CASE WHEN was.keeps_choice OR a.email IS NOT DISTINCT FROM was.email THEN a.email_unproved
                                    ELSE a.activated_at IS NOT NULL END AND NOT was.starts_over,
              agency_code = was.agency_code, from_feed = true,
              status = CASE WHEN a.disabled_at IS NULL THEN was.status ELSE 'inactive' END,
              status_imported = CASE WHEN a.disabled_at IS NULL THEN NULL ELSE was.status END,
              account_name = CASE WHEN was.starts_over THEN was.account_name
                                  ELSE coalesce(was.account_name, a.account_name) END,
              person_id = coalesce(was.person_id, a.person_id),
              vouched_within = CASE WHEN $2::text IS NULL THEN NULL
                                    WHEN was.starts_over OR (a.nip, a.name, a.person_id) IS DISTINCT FROM
                                         (was.nip, was.name, coalesce(was.person_id, a.person_id)) THEN $2::text
                                    ELSE a.vouched_within END,
              cred_epoch = a.cred_epoch + (was.leaves OR was.starts_over)::integer,
              activated_at = CASE WHEN was.starts_over THEN NULL WHEN was.password_hash IS NULL THEN a.activated_at ELSE coalesce(a.activated_at, $1::timestamptz) END,
              updated_at = $1::timestamptz
         FROM was
        WHERE a.id = was.id
     ), forgotten AS (
       DELETE FROM credentials c USING was WHERE c.account_id = was.id AND was.starts_over
     ), credential AS (
       INSERT INTO credentials (account_id, password_hash, changed_at)
       SELECT id, password_hash, $1::timestamptz FROM was WHERE password_hash IS NOT NULL AND NOT starts_over
       ON CONFLICT (account_id) DO NOTHING
     ), history AS (
       INSERT INTO nip_history (account_id, nip, recorded_at)
       SELECT id, old_nip, $1::timestamptz FROM was WHERE old_nip <> nip AND NOT starts_over
       UNION
       SELECT id, previous_nip, $1::timestamptz FROM was WHERE previous_nip <> nip
       ON CONFLICT (account_id, nip) DO NOTHING
     )
     SELECT id, old_nip, old_name, old_email, old_agency, agency_code, leaves, returns, email_moves,
            starts_over, out_of_reach, in_use
       FROM was
      WHERE leaves OR returns OR email_moves OR starts_over OR old_agency <> agency_code`,
    [now, within, ...values],
  );
  const idOf = (row: Row): AccountId => accountId(row.id as string);
  return {
    left: rows.filter(({ leaves }) => leaves).map(idOf),
    returned: rows.filter(({ returns }) => returns).map(idOf),
    moved: rows
      .filter((row) => row.old_agency !== row.agency_code)
      .map((row) => ({
        id: idOf(row),
        from: agencyCode(row.old_agency as string),
        to: agencyCode(row.agency_code as string),
      })),
    emailMoved: rows
      .filter((row) => row.email_moves)
      .map((row) => ({
        id: idOf(row),
        nip: row.old_nip as string,
        name: row.old_name as string,
        oldEmail: (row.old_email as string | null) ?? undefined,
      })),
    startedOver: rows
      .filter((row) => row.starts_over)
      .map((row) => ({
        id: idOf(row),
        cause: row.out_of_reach === true ? 'out_of_reach' : 'name_and_nip',
        inUse: row.in_use as boolean,
      })),
  };
}

/** Makes people inactive whom a full file does not name. Answers those of whom it had not said so before. */
export async function leaveMissing(
  tx: Queryable,
  accounts: readonly AccountId[],
  { now, within }: Writing,
): Promise<Applied> {
  const rows = await tx.query(
    `UPDATE accounts a
        SET status = 'inactive', status_imported = CASE WHEN a.disabled_at IS NULL THEN NULL ELSE 'inactive' END,
            cred_epoch = a.cred_epoch + 1, updated_at = $1
      WHERE a.id = ANY ($3::uuid[]) AND ${SAID_STATUS} = 'active' AND ${MAY_CHANGE} RETURNING a.id`,
    [now, within, accounts],
  );
  const left = rows.map(({ id }) => accountId(id as string));
  return { left, returned: [], moved: [], emailMoved: [], startedOver: [] };
}

/** Adds accounts for the portion's rows that speak of nobody known. */
export async function addAccounts(tx: Queryable, portion: Portion, { now, within }: Writing): Promise<void> {
  const { where, values } = chosen(portion);
  await tx.query(
    `WITH fresh AS MATERIALIZED (
       SELECT gen_random_uuid() AS id, r.*
         FROM import_row r
        WHERE ${where} AND NOT EXISTS (SELECT FROM import_match m WHERE m.line = r.line)
     ), account AS (
       INSERT INTO accounts (id, nip, account_name, name, email, employment, agency_code, status, person_id,
                             activated_at, created_at, updated_at, from_feed, vouched_within)
       SELECT id, nip, account_name, name, email, employment, agency_code, status, person_id,
              CASE WHEN password_hash IS NULL THEN NULL ELSE $1::timestamptz END, $1::timestamptz, $1::timestamptz,
              true, $2::text
         FROM fresh
     ), credential AS (
       INSERT INTO credentials (account_id, password_hash, changed_at)
       SELECT id, password_hash, $1::timestamptz FROM fresh WHERE password_hash IS NOT NULL
     )
     INSERT INTO nip_history (account_id, nip, recorded_at)
     SELECT id, previous_nip, $1::timestamptz FROM fresh WHERE previous_nip IS NOT NULL`,
    [now, within, ...values],
  );
}

function chosen(portion: Portion): { where: string; values: readonly number[] } {
  return portion.kind === 'entangled'
    ? { where: ENTANGLED, values: [] }
    : { where: LINES, values: [portion.after, portion.upTo] };
}
