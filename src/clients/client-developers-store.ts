import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Developer } from './client-developers.js';

/** Developers whose account may be used, by name. */
export async function selectDevelopers(db: Queryable, clientId: string): Promise<readonly Developer[]> {
  const rows = await db.query(
    `SELECT d.account_id, a.name, g.name AS agency, d.named_at
       FROM client_developers d JOIN accounts a ON a.id = d.account_id JOIN agencies g ON g.code = a.agency_code
      WHERE d.client_id = $1 AND a.status = 'active'
      ORDER BY a.name, d.account_id`,
    [clientId],
  );
  return rows.map((row) => ({
    accountId: accountId(row.account_id as string),
    name: row.name as string,
    agency: row.agency as string,
    namedAt: row.named_at as Date,
  }));
}

export async function selectClientsOf(db: Queryable, id: AccountId): Promise<readonly string[]> {
  const rows = await db.query(
    `SELECT d.client_id FROM client_developers d JOIN accounts a ON a.id = d.account_id
      WHERE d.account_id = $1 AND a.status = 'active' ORDER BY d.client_id`,
    [id],
  );
  return rows.map((row) => row.client_id as string);
}

/** False when they are one already, or there is no such client or active account. */
export async function insertDeveloper(
  tx: Queryable,
  named: { clientId: string; accountId: string; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO client_developers (client_id, account_id, named_at)
     SELECT c.client_id, a.id, $3 FROM clients c, accounts a
      WHERE c.client_id = $1 AND a.id = $2 AND a.status = 'active'
     ON CONFLICT DO NOTHING
     RETURNING account_id`,
    [named.clientId, named.accountId, named.now],
  );
  return rows.length === 1;
}

/** Of everything they built: ids of the clients. */
export async function deleteDeveloperEverywhere(tx: Queryable, id: string): Promise<readonly string[]> {
  const rows = await tx.query('DELETE FROM client_developers WHERE account_id = $1 RETURNING client_id', [id]);
  return rows.map((row) => row.client_id as string);
}

/** False when they were none. */
export async function deleteDeveloper(
  tx: Queryable,
  { clientId, accountId: id }: { clientId: string; accountId: string },
): Promise<boolean> {
  const rows = await tx.query(
    'DELETE FROM client_developers WHERE client_id = $1 AND account_id = $2 RETURNING account_id',
    [clientId, id],
  );
  return rows.length === 1;
}
