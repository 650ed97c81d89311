import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

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

export interface Applied {
  /** Became inactive: whatever they have open must end in this same transaction. */
  readonly inactive: readonly AccountId[];
  /** In use, with another address than before. */
  readonly moved: readonly EmailMoved[];
}

/**
 * What an import says of the address (docs/adr/0014). `said`: what the last one said. An address that the person chose
 * stands until the personnel system says something new, and is never taken away for nothing.
 */
const SAID = 'CASE WHEN a.email_chosen THEN a.email_imported ELSE a.email END';
const KEEPS_CHOICE = `a.email_chosen AND (r.email IS NULL OR r.email IS NOT DISTINCT FROM ${SAID})`;

/** Changes the accounts that the portion's rows speak of. */
export async function applyChanges(tx: Queryable, portion: Portion, now: Date): Promise<Applied> {
  const { where, values } = chosen(portion);
  const rows = await tx.query(
    `WITH was AS MATERIALIZED (
       SELECT a.id, a.nip AS old_nip, a.name AS old_name, a.email AS old_email, a.activated_at AS was_activated_at,
              a.status = 'active' AND r.status = 'inactive' AS leaves, ${KEEPS_CHOICE} AS keeps_choice, r.*
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
              agency_code = was.agency_code, status = was.status,
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
     SELECT id, old_nip, old_name, old_email, leaves,
            was_activated_at IS NOT NULL AND NOT keeps_choice AND old_email IS DISTINCT FROM email AS moves
       FROM was
      WHERE leaves OR (was_activated_at IS NOT NULL AND NOT keeps_choice AND old_email IS DISTINCT FROM email)`,
    [now, ...values],
  );
  return {
    inactive: rows.filter(({ leaves }) => leaves).map((row) => accountId(row.id as string)),
    moved: rows
      .filter(({ moves }) => moves)
      .map((row) => ({
        id: accountId(row.id as string),
        nip: row.old_nip as string,
        name: row.old_name as string,
        oldEmail: (row.old_email as string | null) ?? undefined,
      })),
  };
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
                             activated_at, created_at, updated_at)
       SELECT id, nip, account_name, name, email, employment, agency_code, status, person_id,
              CASE WHEN password_hash IS NULL THEN NULL ELSE $1::timestamptz END, $1::timestamptz, $1::timestamptz
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
