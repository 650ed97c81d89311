import type { Role } from '../../accounts/role.js';
import { agencyCode, type AccountId, type AgencyCode } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import type { SubjectRole } from '../authority.js';
import { appointsTo } from '../authority-store.js';

/** A role in an agency, as authority over it depends on it; undefined when there is no such agency. */
export async function selectRoleOf(
  db: Queryable,
  { role, agency }: { role: Role; agency: string | undefined },
): Promise<SubjectRole | undefined> {
  if (agency === undefined) return { role, lineage: [] };
  const [row] = await db.query('SELECT ancestors FROM agencies WHERE code = $1', [agency]);
  return row && { role, lineage: (row.ancestors as string[]).map(agencyCode) };
}

/** Whether the account holds it. */
export async function isHeld(
  db: Queryable,
  { accountId, role, agency }: { accountId: AccountId; role: Role; agency: string | undefined },
): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM role_grants
      WHERE account_id = $1 AND role = $2 AND agency_code IS NOT DISTINCT FROM $3 AND revoked_at IS NULL`,
    [accountId, role, agency],
  );
  return rows.length > 0;
}

/** A role that is held, by its id; undefined when it is unknown or has ended. */
export async function selectHeldGrant(
  db: Queryable,
  id: string,
): Promise<(SubjectRole & { accountId: string }) | undefined> {
  const [row] = await db.query(
    `SELECT r.account_id, r.role, coalesce(g.ancestors, '{}') AS lineage
       FROM role_grants r LEFT JOIN agencies g ON g.code = r.agency_code
      WHERE r.id = $1 AND r.revoked_at IS NULL`,
    [id],
  );
  return (
    row && {
      accountId: row.account_id as string,
      role: row.role as Role,
      lineage: (row.lineage as string[]).map(agencyCode),
    }
  );
}

/** The grant, where at this very moment the officer may give this role there; undefined where they may not. */
export async function appoint(
  tx: Queryable,
  grant: { accountId: AccountId; role: Role; agency: AgencyCode | undefined; officerId: AccountId; now: Date },
): Promise<string | undefined> {
  const [row] = await tx.query(
    `INSERT INTO role_grants (account_id, role, agency_code, granted_by, granted_at)
     SELECT $1, wanted.role, wanted.agency_code, $4, $5
       FROM (SELECT $2::text AS role, $3::text COLLATE "C" AS agency_code) wanted
       LEFT JOIN agencies g ON g.code = wanted.agency_code
      WHERE ${appointsTo({ officer: '$4', now: '$5' }, 'wanted')}
     ON CONFLICT (account_id, role, coalesce(agency_code, '')) WHERE revoked_at IS NULL DO NOTHING
     RETURNING id`,
    [grant.accountId, grant.role, grant.agency, grant.officerId, grant.now],
  );
  return row?.id as string | undefined;
}

/** True where at this very moment the officer may take this role away, and it was held. */
export async function dismiss(
  tx: Queryable,
  grant: { id: string; accountId: AccountId; officerId: AccountId; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE role_grants wanted SET revoked_by = $3, revoked_at = $4
      WHERE wanted.id = $1 AND wanted.account_id = $2 AND wanted.revoked_at IS NULL
        AND EXISTS (SELECT FROM (SELECT) one LEFT JOIN agencies g ON g.code = wanted.agency_code
                     WHERE ${appointsTo({ officer: '$3', now: '$4' }, 'wanted')})
     RETURNING wanted.id`,
    [grant.id, grant.accountId, grant.officerId, grant.now],
  );
  return rows.length === 1;
}
