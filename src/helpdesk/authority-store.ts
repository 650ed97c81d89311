import { agencyCode, type AccountId, type AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

type Parameter = `$${number}`;

/**
 * The predicate of `reachThrough` in SQL, for the statement that acts or lists: account `a`, its agency `g`. Both are
 * held together by a test that asks them the same questions.
 */
const withinReachOf = (officer: Parameter): string => `EXISTS (
  SELECT FROM role_grants held
    JOIN accounts holder ON holder.id = held.account_id
   WHERE held.account_id = ${officer}::uuid AND held.revoked_at IS NULL
     AND holder.status = 'active' AND holder.frozen_at IS NULL
     AND (held.role IN ('helpdesk', 'agency_admin') AND held.agency_code = ANY (g.ancestors)
          OR held.role = 'operator' AND held.agency_code IS NULL))`;

/** The predicate of `authorityOver`. */
export const underAuthorityOf = (officer: Parameter): string => `${withinReachOf(officer)}
  AND a.id <> ${officer}::uuid
  AND NOT EXISTS (SELECT FROM role_grants own WHERE own.account_id = a.id AND own.revoked_at IS NULL)`;

/** The agency and all above it; empty when there is no such agency. */
export async function selectLineage(db: Queryable, code: AgencyCode): Promise<readonly AgencyCode[]> {
  const [row] = await db.query('SELECT ancestors FROM agencies WHERE code = $1', [code]);
  return row === undefined ? [] : (row.ancestors as string[]).map(agencyCode);
}

/**
 * Holds an account until the transaction ends. While it is held nobody moves it to another agency or changes its
 * state, and, since this lock also stops references to the row, nobody grants it a role (R-10, TOCTOU).
 */
export async function lockAccount(tx: Queryable, id: AccountId): Promise<boolean> {
  return (await tx.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [id])).length === 1;
}
