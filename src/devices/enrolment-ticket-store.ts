import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

export async function upsertTicket(
  tx: Queryable,
  ticket: { accountId: AccountId; browser: Buffer; expiresAt: Date },
): Promise<void> {
  await tx.query(
    `INSERT INTO enrolment_tickets (account_id, browser, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (account_id, browser) DO UPDATE SET expires_at = EXCLUDED.expires_at`,
    [ticket.accountId, ticket.browser, ticket.expiresAt],
  );
}

export async function takeTicket(
  tx: Queryable,
  ticket: { accountId: AccountId; browser: Buffer; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    'DELETE FROM enrolment_tickets WHERE account_id = $1 AND browser = $2 AND expires_at > $3 RETURNING account_id',
    [ticket.accountId, ticket.browser, ticket.now],
  );
  return rows.length === 1;
}

export async function deleteTickets(tx: Queryable, account: AccountId): Promise<void> {
  await tx.query('DELETE FROM enrolment_tickets WHERE account_id = $1', [account]);
}
