import type { Queryable } from '../storage/database.js';

/**
 * Ends what clients hold, in the caller's transaction: without their grants no token of a person works, and tokens that
 * hang on no grant go themselves. Authorizations stay in the sessions of people, who are not signed out.
 */
export async function endClients(tx: Queryable, clientIds: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM oidc_grants WHERE client_id = ANY ($1::text[])', [clientIds]);
  await tx.query('DELETE FROM oidc_tokens WHERE client_id = ANY ($1::text[]) AND grant_id IS NULL', [clientIds]);
}
