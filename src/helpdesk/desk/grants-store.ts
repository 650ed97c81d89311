import type { Role } from '../../accounts/role.js';
import { accountId, agencyCode, type AccountId } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';
import { withinReachOf } from '../authority-store.js';
import type { NamedAgency } from './desk.js';
import type { Looking } from './search-store.js';

/** A role that somebody holds, for who appoints officers. */
export interface ListedGrant {
  readonly id: string;
  readonly role: Role;
  /** Of the role; none for a national one. */
  readonly agency: NamedAgency | undefined;
  readonly accountId: AccountId;
  readonly name: string;
  readonly grantedAt: Date;
}

export interface GrantPlace {
  readonly agency: string;
  readonly id: string;
}

// A national role has no agency and is within reach of national officers alone: `g` is all NULL there.
const IN_REACH = `
  SELECT r.id, r.role, r.agency_code, g.name AS agency_name, r.granted_at, a.id AS account_id, a.name
    FROM role_grants r
    JOIN accounts a ON a.id = r.account_id
    LEFT JOIN agencies g ON g.code = r.agency_code
   WHERE r.revoked_at IS NULL AND ${withinReachOf({ officer: '$1', now: '$2' }, 'watch')}`;

const LIST = `${IN_REACH}
     AND ($3::text IS NULL OR $3 = ANY (g.ancestors))
     AND (coalesce(r.agency_code, ''), r.id) > ($4, $5::uuid)
   ORDER BY coalesce(r.agency_code, ''), r.id LIMIT $6`;

function fromRow(row: Row): ListedGrant {
  const code = row.agency_code as string | null;
  return {
    id: row.id as string,
    role: row.role as Role,
    agency: code === null ? undefined : { code: agencyCode(code), name: row.agency_name as string },
    accountId: accountId(row.account_id as string),
    name: row.name as string,
    grantedAt: row.granted_at as Date,
  };
}

const BEGINNING: GrantPlace = { agency: '', id: '00000000-0000-0000-0000-000000000000' };

/** The roles held of agencies that the officer answers for, agency by agency. */
export async function selectGrantsInReach(
  db: Queryable,
  { officer, now }: Looking,
  { agency, after = BEGINNING, limit }: { agency: string | undefined; after: GrantPlace | undefined; limit: number },
): Promise<readonly ListedGrant[]> {
  const rows = await db.query(LIST, [officer, now, agency, after.agency, after.id, limit]);
  return rows.map(fromRow);
}

/** One of those, by its id. */
export async function selectGrantInReach(
  db: Queryable,
  { officer, now }: Looking,
  id: string,
): Promise<ListedGrant | undefined> {
  const [row] = await db.query(`${IN_REACH} AND r.id = $3`, [officer, now, id]);
  return row === undefined ? undefined : fromRow(row);
}
