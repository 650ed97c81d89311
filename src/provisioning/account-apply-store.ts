import { accountId, agencyCode, type AccountId, type AgencyCode } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';

/** Which planned rows to write: the entangled ones, or the others between two lines. */
export type Portion =
  { readonly kind: 'entangled' } | { readonly kind: 'lines'; readonly after: number; readonly upTo: number };

const ENTANGLED = 'EXISTS (SELECT FROM import_entangled e WHERE e.line = r.line)';
const LINES = `r.line > $2 AND r.line <= $3 AND NOT ${ENTANGLED}`;

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

/** Accounts by what happened to them. What follows from it must happen in the same transaction. */
export interface Applied {
  /** Became inactive. */
  readonly left: readonly AccountId[];
  /** Were inactive, and are active again. */
  readonly returned: readonly AccountId[];
  readonly moved: readonly AgencyMove[];
  /** In use, with another address than before. */
  readonly emailMoved: readonly EmailMoved[];
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

/** Changes the accounts that the portion's rows speak of. */
export async function applyChanges(tx: Queryable, portion: Portion, now: Date): Promise<Applied> {
  const { where, values } = chosen(portion);
  const rows = await tx.query(
    `WITH was AS MATERIALIZED (
       SELECT a.id, a.nip AS old_nip, a.name AS old_name, a.email AS old_email, a.agency_code AS old_agency,
              a.activated_at IS NOT NULL AND NOT (${KEEPS_CHOICE}) AND a.email IS DISTINCT FROM r.email AS email_moves,
              ${LEAVES} AS leaves, ${RETURNS} AS returns, ${KEEPS_CHOICE} AS keeps_choice, r.*
         FROM import_change c
         JOIN import_row r USING (line)
         JOIN accounts a ON a.id = c.account_id
        WHERE ${where}
        ORDER BY a.id
          FOR UPDATE OF a
     ), written AS (
       UPDATE accounts a
          SET nip = was.nip, name = was.name, employment = was.employment,
              email = CASE WHEN was.keeps_choice THEN a.email ELSE was.email END,
              email_imported = CASE WHEN was.keeps_choice THEN a.email_imported END,
              email_chosen = was.keeps_choice,
              email_unproved = CASE WHEN was.keeps_choice OR a.email IS NOT DISTINCT FROM was.email THEN a.email_unproved
                                    ELSE a.activated_at IS NOT NULL END,
              agency_code = was.agency_code, from_feed = true,
              status = CASE WHEN a.disabled_at IS NULL THEN was.status ELSE 'inactive' END,
              status_imported = CASE WHEN a.disabled_at IS NULL THEN NULL ELSE was.status END,
              account_name = coalesce(was.account_name, a.account_name),
              person_id = coalesce(was.person_id, a.person_id),
              cred_epoch = a.cred_epoch + was.leaves::integer,
              activated_at = CASE WHEN was.password_hash IS NULL THEN a.activated_at ELSE coalesce(a.activated_at, $1::timestamptz) END,
              updated_at = $1::timestamptz
         FROM was
        WHERE a.id = was.id
     ), credential AS (
       INSERT INTO credentials (account_id, password_hash, changed_at)
       SELECT id, password_hash, $1::timestamptz FROM was WHERE password_hash IS NOT NULL
       ON CONFLICT (account_id) DO NOTHING
     ), history AS (
       INSERT INTO nip_history (account_id, nip, recorded_at)
       SELECT id, old_nip, $1::timestamptz FROM was WHERE old_nip <> nip
       UNION
       SELECT id, previous_nip, $1::timestamptz FROM was WHERE previous_nip <> nip
       ON CONFLICT (account_id, nip) DO NOTHING
     )
     SELECT id, old_nip, old_name, old_email, old_agency, agency_code, leaves, returns, email_moves
       FROM was
      WHERE leaves OR returns OR email_moves OR old_agency <> agency_code`,
    [now, ...values],
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
  };
}

/** Makes people inactive whom a full file does not name. Answers those of whom it had not said so before. */
export async function leaveMissing(tx: Queryable, accounts: readonly AccountId[], now: Date): Promise<Applied> {
  const rows = await tx.query(
    `UPDATE accounts a
        SET status = 'inactive', status_imported = CASE WHEN a.disabled_at IS NULL THEN NULL ELSE 'inactive' END,
            cred_epoch = a.cred_epoch + 1, updated_at = $2
      WHERE a.id = ANY ($1::uuid[]) AND ${SAID_STATUS} = 'active' RETURNING a.id`,
    [accounts, now],
  );
  return { left: rows.map(({ id }) => accountId(id as string)), returned: [], moved: [], emailMoved: [] };
}

/** Adds accounts for the portion's rows that speak of nobody known. */
export async function addAccounts(tx: Queryable, portion: Portion, now: Date): Promise<void> {
  const { where, values } = chosen(portion);
  await tx.query(
    `WITH fresh AS MATERIALIZED (
       SELECT gen_random_uuid() AS id, r.*
         FROM import_row r
        WHERE ${where} AND NOT EXISTS (SELECT FROM import_match m WHERE m.line = r.line)
     ), account AS (
       INSERT INTO accounts (id, nip, account_name, name, email, employment, agency_code, status, person_id,
                             activated_at, created_at, updated_at, from_feed)
       SELECT id, nip, account_name, name, email, employment, agency_code, status, person_id,
              CASE WHEN password_hash IS NULL THEN NULL ELSE $1::timestamptz END, $1::timestamptz, $1::timestamptz,
              true
         FROM fresh
     ), credential AS (
       INSERT INTO credentials (account_id, password_hash, changed_at)
       SELECT id, password_hash, $1::timestamptz FROM fresh WHERE password_hash IS NOT NULL
     )
     INSERT INTO nip_history (account_id, nip, recorded_at)
     SELECT id, previous_nip, $1::timestamptz FROM fresh WHERE previous_nip IS NOT NULL`,
    [now, ...values],
  );
}

function chosen(portion: Portion): { where: string; values: readonly number[] } {
  return portion.kind === 'entangled'
    ? { where: ENTANGLED, values: [] }
    : { where: LINES, values: [portion.after, portion.upTo] };
}
