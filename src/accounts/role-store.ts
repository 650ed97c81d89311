import { accountId, agencyCode, type AccountId, type AgencyCode } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import type { Role, RoleGrant } from './role.js';

function fromRow(row: Row): RoleGrant {
  const code = row.agency_code as string | null;
  return {
    id: row.id as string,
    role: row.role as Role,
    agency: code === null ? undefined : { code: agencyCode(code), name: row.agency_name as string },
    grantedBy: row.granted_by === null ? undefined : accountId(row.granted_by as string),
    grantedAt: row.granted_at as Date,
  };
}

export async function selectGrants(db: Queryable, id: AccountId): Promise<readonly RoleGrant[]> {
  const rows = await db.query(
    `SELECT r.id, r.role, r.agency_code, g.name AS agency_name, r.granted_by, r.granted_at
       FROM role_grants r
       LEFT JOIN agencies g ON g.code = r.agency_code
      WHERE r.account_id = $1 AND r.revoked_at IS NULL
      ORDER BY r.role, r.agency_code`,
    [id],
  );
  return rows.map(fromRow);
}

export interface GrantChange {
  readonly accountId: AccountId;
  readonly role: Role;
  readonly agencyCode: AgencyCode | undefined;
  readonly by: AccountId | undefined;
  readonly now: Date;
}

/** The grant's id, or undefined when the account holds it already. */
export async function insertGrant(tx: Queryable, change: GrantChange): Promise<string | undefined> {
  const [row] = await tx.query(
    `INSERT INTO role_grants (account_id, role, agency_code, granted_by, granted_at)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id, role, coalesce(agency_code, '')) WHERE revoked_at IS NULL DO NOTHING
     RETURNING id`,
    [change.accountId, change.role, change.agencyCode, change.by, change.now],
  );
  return row === undefined ? undefined : (row.id as string);
}

/** The grant's id, or undefined when the account does not hold it. */
export async function endGrant(tx: Queryable, change: GrantChange): Promise<string | undefined> {
  const [row] = await tx.query(
    `UPDATE role_grants SET revoked_by = $4, revoked_at = $5
      WHERE account_id = $1 AND role = $2 AND agency_code IS NOT DISTINCT FROM $3 AND revoked_at IS NULL
     RETURNING id`,
    [change.accountId, change.role, change.agencyCode, change.by, change.now],
  );
  return row === undefined ? undefined : (row.id as string);
}

/** A grant that ended. */
export interface EndedGrant {
  readonly id: string;
  readonly accountId: AccountId;
  readonly role: Role;
  readonly agencyCode: AgencyCode | undefined;
}

const ENDED = 'r.id, r.account_id, r.role, r.agency_code';

const endedFrom = (row: Row): EndedGrant => ({
  id: row.id as string,
  accountId: accountId(row.account_id as string),
  role: row.role as Role,
  agencyCode: row.agency_code === null ? undefined : agencyCode(row.agency_code as string),
});

export async function endAllGrants(tx: Queryable, holders: readonly AccountId[], now: Date) {
  const rows = await tx.query(
    `UPDATE role_grants r SET revoked_at = $2
      WHERE r.account_id = ANY ($1::uuid[]) AND r.revoked_at IS NULL RETURNING ${ENDED}`,
    [holders, now],
  );
  return rows.map(endedFrom);
}

export async function endGrantsElsewhere(tx: Queryable, holders: readonly AccountId[], now: Date) {
  const rows = await tx.query(
    `UPDATE role_grants r SET revoked_at = $2
       FROM accounts a JOIN agencies g ON g.code = a.agency_code
      WHERE a.id = ANY ($1::uuid[]) AND r.account_id = a.id AND r.revoked_at IS NULL
        AND r.agency_code IS NOT NULL AND r.agency_code <> ALL (g.ancestors)
     RETURNING ${ENDED}`,
    [holders, now],
  );
  return rows.map(endedFrom);
}
