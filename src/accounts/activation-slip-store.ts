import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** Whose account could take its first password today, slip `s`. Whatever raised the epoch since then voided the slip. */
const FITS = `EXISTS (
  SELECT FROM accounts a
   WHERE a.id = s.account_id AND a.cred_epoch = s.cred_epoch AND a.activated_at IS NULL
     AND a.status = 'active' AND a.frozen_at IS NULL)`;

const ISSUE = `
  WITH person AS (
    SELECT a.id, a.cred_epoch FROM accounts a
     WHERE a.id = $1 AND a.activated_at IS NULL AND a.status = 'active' AND a.frozen_at IS NULL
  ), replaced AS (
    UPDATE activation_slips s SET ended_at = $3, ended_as = 'replaced'
      FROM person WHERE s.account_id = person.id AND s.ended_at IS NULL
    RETURNING s.id
  ), issued AS (
    INSERT INTO activation_slips (account_id, cred_epoch, issued_by, issued_at, expires_at)
    SELECT id, cred_epoch, $2, $3, $4 FROM person WHERE (SELECT count(*) FROM replaced) >= 0
    RETURNING id
  )
  SELECT issued.id, ARRAY(SELECT id FROM replaced) AS replaced FROM issued`;

export interface NewSlip {
  readonly accountId: AccountId;
  readonly officerId: AccountId;
  readonly now: Date;
  readonly expiresAt: Date;
}

/** The slip and those it replaced, of an account that is held; undefined when the account has had a password or may not be used. */
export async function insertSlip(
  tx: Queryable,
  { accountId: id, officerId, now, expiresAt }: NewSlip,
): Promise<{ readonly id: string; readonly replaced: readonly string[] } | undefined> {
  const [row] = await tx.query(ISSUE, [id, officerId, now, expiresAt]);
  return row && { id: row.id as string, replaced: row.replaced as string[] };
}

/** The account's slip that could be used now. */
export async function selectLive(db: Queryable, account: AccountId, now: Date): Promise<string | undefined> {
  const [row] = await db.query(
    `SELECT s.id FROM activation_slips s
      WHERE s.account_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND ${FITS}`,
    [account, now],
  );
  return row?.id as string | undefined;
}

/** A passage as its own browser holds it. */
export interface PassageHolder {
  readonly passage: Buffer;
  readonly browser: Buffer;
  readonly now: Date;
}

/** Opens the passage of a slip, in place of one that was opened before. False when the slip is of no use any more. */
export async function openPassage(
  tx: Queryable,
  { slip, passage, browser, until, now }: PassageHolder & { readonly slip: string; readonly until: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE activation_slips s SET passage = $2, browser = $3, passage_until = $4
      WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $5 AND ${FITS}
     RETURNING s.id`,
    [slip, passage, browser, until, now],
  );
  return rows.length === 1;
}

export interface FoundPassage {
  readonly slip: string;
  readonly accountId: AccountId;
  readonly isUsed: boolean;
}

/** A slip that is used shows its end for as long as the passage would have been open. */
export async function selectPassage(
  db: Queryable,
  { passage, browser, now }: PassageHolder,
): Promise<FoundPassage | undefined> {
  const [row] = await db.query(
    `SELECT s.id, s.account_id, s.ended_as = 'used' AS is_used FROM activation_slips s
      WHERE s.passage = $1 AND s.browser = $2 AND s.passage_until > $3
        AND (s.ended_as = 'used' OR s.ended_at IS NULL AND s.expires_at > $3 AND ${FITS})`,
    [passage, browser, now],
  );
  return (
    row && { slip: row.id as string, accountId: accountId(row.account_id as string), isUsed: row.is_used === true }
  );
}

/** Of many, one uses a slip. */
export async function spendSlip(tx: Queryable, { passage, browser, now }: PassageHolder): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE activation_slips s SET ended_at = $3, ended_as = 'used'
      WHERE s.passage = $1 AND s.browser = $2 AND s.passage_until > $3 AND s.ended_at IS NULL AND s.expires_at > $3
        AND ${FITS}
     RETURNING s.id`,
    [passage, browser, now],
  );
  return rows.length === 1;
}

/** The slip of an account that was not used yet, ended; undefined when there is none. */
export async function voidSlip(tx: Queryable, account: AccountId, now: Date): Promise<string | undefined> {
  const [row] = await tx.query(
    `UPDATE activation_slips SET ended_at = $2, ended_as = 'voided'
      WHERE account_id = $1 AND ended_at IS NULL RETURNING id`,
    [account, now],
  );
  return row?.id as string | undefined;
}
