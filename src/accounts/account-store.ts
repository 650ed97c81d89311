import { accountId, agencyCode, type AccountId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import type { Account, Employment, NewAccount } from './account.js';
import type { CanonicalName } from './name.js';
import type { Nip } from './nip.js';

/** A password is disabled after this many wrong ones in a row (R-20, NIST SP 800-63B section 3.2.2). */
const MAX_FAILURES = 100;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const SELECT = `SELECT a.id, a.nip, a.account_name, a.name, a.email, a.employment, a.agency_code, g.name AS agency_name, g.ancestors,
       a.email_unproved, a.status, a.frozen_at, a.disabled_at AS closed_at, a.cred_epoch, a.activated_at, a.last_login_at,
       c.password_hash, c.disabled_at, coalesce(c.failures, 0) AS failures
  FROM accounts a
  JOIN agencies g ON g.code = a.agency_code
  LEFT JOIN credentials c ON c.account_id = a.id`;

/** One fixed text each, so that both are prepared once and served by their own index. */
const BY_NAME: Readonly<Record<CanonicalName['kind'], string>> = {
  nip: `${SELECT} WHERE a.nip = $1`,
  account_name: `${SELECT} WHERE a.account_name = $1`,
};

function fromRow(row: Row): Account {
  return {
    id: accountId(row.id as string),
    nip: row.nip as Nip,
    accountName: (row.account_name as string | null) ?? undefined,
    name: row.name as string,
    email: (row.email as string | null) ?? undefined,
    emailProved: row.activated_at !== null && row.email_unproved === false,
    employment: row.employment as Employment,
    agency: { code: agencyCode(row.agency_code as string), name: row.agency_name as string },
    agencyLineage: (row.ancestors as string[]).map(agencyCode),
    status: row.status as Account['status'],
    frozen: row.frozen_at !== null,
    disabled: row.closed_at !== null,
    credEpoch: row.cred_epoch as number,
    activatedAt: (row.activated_at as Date | null) ?? undefined,
    lastLoginAt: (row.last_login_at as Date | null) ?? undefined,
    passwordHash: (row.password_hash as string | null) ?? undefined,
    passwordDisabled: row.disabled_at !== null,
    passwordFailures: row.failures as number,
  };
}

export async function selectByName(db: Queryable, name: CanonicalName): Promise<Account | undefined> {
  const [row] = await db.query(BY_NAME[name.kind], [name.value]);
  return row === undefined ? undefined : fromRow(row);
}

export async function selectById(db: Queryable, id: AccountId): Promise<Account | undefined> {
  // Ids arrive from addresses and tokens too; PostgreSQL would answer a malformed one with an error.
  if (!UUID.test(id)) return undefined;
  const [row] = await db.query(`${SELECT} WHERE a.id = $1`, [id]);
  return row === undefined ? undefined : fromRow(row);
}

/** Undefined when the NIP, account name or person is known already. */
export async function insertAccount(tx: Queryable, account: NewAccount, now: Date): Promise<AccountId | undefined> {
  const [row] = await tx.query(
    `INSERT INTO accounts (nip, account_name, name, email, employment, agency_code, status, person_id,
                           created_at, updated_at)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
      WHERE NOT EXISTS (SELECT FROM accounts WHERE nip = $1 OR account_name = $2 OR person_id = $8)
     RETURNING id`,
    [
      account.nip,
      account.accountName,
      account.name,
      account.email,
      account.employment,
      account.agencyCode,
      account.status,
      account.personId,
      now,
    ],
  );
  return row === undefined ? undefined : accountId(row.id as string);
}

interface PasswordChange {
  readonly accountId: AccountId;
  readonly passwordHash: string;
  /** Only while the account's credentials are still of this epoch. */
  readonly credEpoch?: number;
  readonly now: Date;
}

export async function upsertPassword(tx: Queryable, change: PasswordChange): Promise<number | undefined> {
  // The account's row first, then its credential: the order everybody locks them in.
  const [row] = await tx.query(
    `WITH account AS (
       UPDATE accounts
          SET cred_epoch = cred_epoch + 1, activated_at = coalesce(activated_at, $3), updated_at = $3
        WHERE id = $1 AND cred_epoch = coalesce($4, cred_epoch)
       RETURNING id, cred_epoch
     ), credential AS (
       INSERT INTO credentials (account_id, password_hash, changed_at)
       SELECT id, $2, $3 FROM account
       ON CONFLICT (account_id) DO UPDATE
          SET password_hash = excluded.password_hash, changed_at = excluded.changed_at, failures = 0, disabled_at = NULL
     )
     SELECT cred_epoch FROM account`,
    [change.accountId, change.passwordHash, change.now, change.credEpoch],
  );
  return row === undefined ? undefined : (row.cred_epoch as number);
}

/** The new epoch; undefined, with nothing changed, when it is another already or the account may not be used. */
export async function raiseEpoch(
  tx: Queryable,
  { accountId: id, credEpoch, now }: { accountId: AccountId; credEpoch: number; now: Date },
): Promise<number | undefined> {
  const [row] = await tx.query(
    `UPDATE accounts SET cred_epoch = cred_epoch + 1, updated_at = $3
      WHERE id = $1 AND cred_epoch = $2 AND status = 'active' AND frozen_at IS NULL
     RETURNING cred_epoch`,
    [id, credEpoch, now],
  );
  return row === undefined ? undefined : (row.cred_epoch as number);
}

/** The same for somebody else than the person: whatever state the account is in. */
export async function raiseEpochOf(tx: Queryable, id: AccountId, now: Date): Promise<void> {
  await tx.query('UPDATE accounts SET cred_epoch = cred_epoch + 1, updated_at = $2 WHERE id = $1', [id, now]);
}

/** Holds the account's row until the transaction ends: what is bound to an account is bound one after the other. */
export async function lockAccount(tx: Queryable, id: AccountId): Promise<void> {
  await tx.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [id]);
}

/** The new count, or undefined when the account has no password. */
export async function countFailure(tx: Queryable, id: AccountId, now: Date): Promise<number | undefined> {
  const [row] = await tx.query(
    `UPDATE credentials
        SET failures = failures + 1,
            disabled_at = CASE WHEN failures + 1 >= ${MAX_FAILURES} THEN coalesce(disabled_at, $2) ELSE disabled_at END
      WHERE account_id = $1
     RETURNING failures`,
    [id, now],
  );
  return row === undefined ? undefined : (row.failures as number);
}

/** Disables the password as the last failure does; false when the account has none. */
export async function disableCredential(tx: Queryable, id: AccountId, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE credentials SET disabled_at = coalesce(disabled_at, $2) WHERE account_id = $1 RETURNING account_id`,
    [id, now],
  );
  return rows.length === 1;
}

export const isLastFailure = (failures: number): boolean => failures === MAX_FAILURES;

interface Login {
  readonly accountId: AccountId;
  readonly now: Date;
  readonly rehashed?: { readonly from: string; readonly to: string } | undefined;
  /** False after the password alone: nobody is logged in yet. */
  readonly completed: boolean;
}

/** Undefined when the account may not be used (as `isUsable` in accounts.ts): then nothing is changed. */
export async function updateAtLogin(
  tx: Queryable,
  { accountId: id, now, rehashed, completed }: Login,
): Promise<{ readonly lastAt: Date | undefined } | undefined> {
  // A password changed meanwhile keeps its hash: only the one that was verified is replaced.
  const [row] = await tx.query(
    `WITH before AS (
       SELECT last_login_at FROM accounts WHERE id = $1
     ), account AS (
       UPDATE accounts SET last_login_at = CASE WHEN $5 THEN $2 ELSE last_login_at END
        WHERE id = $1 AND status = 'active' AND frozen_at IS NULL RETURNING id
     ), credential AS (
       UPDATE credentials c
          SET failures = 0, password_hash = CASE WHEN c.password_hash = $3 THEN $4 ELSE c.password_hash END
         FROM account
        WHERE c.account_id = account.id AND (c.failures <> 0 OR c.password_hash = $3)
     )
     SELECT before.last_login_at FROM account, before`,
    [id, now, rehashed?.from, rehashed?.to, completed],
  );
  return row && { lastAt: (row.last_login_at as Date | null) ?? undefined };
}

interface NewEmail {
  readonly accountId: AccountId;
  readonly email: string;
  readonly evenFrozen: boolean;
  readonly now: Date;
}

/** False when the account may not get it. What the last import said is kept for the next one to compare with. */
export async function updateEmail(
  tx: Queryable,
  { accountId: id, email, evenFrozen, now }: NewEmail,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE accounts
        SET email_imported = CASE WHEN email_chosen THEN email_imported ELSE email END,
            email = $2, email_chosen = true, email_unproved = false, updated_at = $3
      WHERE id = $1 AND status = 'active' AND (frozen_at IS NULL OR $4)
     RETURNING id`,
    [id, email, now, evenFrozen],
  );
  return rows.length === 1;
}

/** A code mailed to the address on file was typed. */
export async function updateEmailProved(tx: Queryable, id: AccountId): Promise<void> {
  await tx.query('UPDATE accounts SET email_unproved = false WHERE id = $1 AND email_unproved', [id]);
}

/** An account without an address gets one that is proved. */
export async function updateEmailUnproved(tx: Queryable, id: AccountId): Promise<void> {
  await tx.query('UPDATE accounts SET email_unproved = true WHERE id = $1 AND email IS NOT NULL', [id]);
}
