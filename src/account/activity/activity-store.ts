import type { Queryable } from '../../storage/database.js';

/** Names of authenticators by id, ended ones too; only those of this account. */
export async function selectDeviceNames(
  db: Queryable,
  accountId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query(
    'SELECT id, name FROM devices WHERE account_id = $1 AND id = ANY ($2::uuid[]) AND name IS NOT NULL',
    [accountId, ids],
  );
  return new Map(rows.map((row) => [row.id as string, row.name as string]));
}

/** Who did something to an account, as the person is told: by name and agency. */
export interface Officer {
  readonly name: string;
  readonly agency: string;
}

export async function selectOfficers(db: Queryable, ids: readonly string[]): Promise<ReadonlyMap<string, Officer>> {
  const rows = await db.query(
    `SELECT a.id, a.name, g.name AS agency FROM accounts a JOIN agencies g ON g.code = a.agency_code
      WHERE a.id = ANY ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id as string, { name: row.name as string, agency: row.agency as string }]));
}

/** Why officers reset the second factors of this account, by reset. */
export async function selectReasons(
  db: Queryable,
  accountId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.query('SELECT id, reason FROM mfa_resets WHERE account_id = $1 AND id = ANY ($2::uuid[])', [
    accountId,
    ids,
  ]);
  return new Map(rows.map((row) => [row.id as string, row.reason as string]));
}
