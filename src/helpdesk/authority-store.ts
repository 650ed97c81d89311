import type { Role } from '../accounts/role.js';
import { agencyCode, type AccountId, type AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { MAY, type DeskAction, type HeldRole, type SubjectRole } from './authority.js';

/** An officer and the moment, as SQL names them: a parameter or a column. */
export interface Acting {
  readonly officer: string;
  readonly now: string;
}

/** After their own factors were reset, somebody's rights over others rest so long (R-11). */
const REST = `interval '24 hours'`;

/**
 * The roles that an officer can use at this moment: not revoked, of an account that may be used, whose factors were not
 * reset within a day. No rows for whoever has none.
 */
export const usableRoles = ({ officer, now }: Acting, roles: readonly Role[]): string => `
  SELECT held.role, held.agency_code
    FROM role_grants held
    JOIN accounts holder ON holder.id = held.account_id
   WHERE held.account_id = ${officer}::uuid AND held.revoked_at IS NULL
     AND held.role IN (${roles.map((role) => `'${role}'`).join(', ')})
     AND holder.status = 'active' AND holder.frozen_at IS NULL
     AND NOT EXISTS (SELECT FROM devices reset
                      WHERE reset.account_id = holder.id AND reset.ended_reason IN ('helpdesk_reset', 'self_reset')
                        AND reset.ended_at > ${now}::timestamptz - ${REST})`;

/**
 * The predicate of scope in SQL, for the statement that acts or lists: whether an officer reaches the agency `g` through
 * a role that the action is open to.
 */
export const withinReachOf = (acting: Acting, action: DeskAction): string => `EXISTS (
  SELECT FROM (${usableRoles(acting, MAY[action])}) own
   WHERE own.agency_code = ANY (g.ancestors) OR own.role = 'operator' AND own.agency_code IS NULL)`;

/**
 * The predicate of `authorityOver` in SQL: account `a`, its agency `g`. Both are held together by a test that asks them
 * the same questions.
 */
export const underAuthorityOf = (acting: Acting, action: DeskAction): string => `${withinReachOf(acting, action)}
  AND a.id <> ${acting.officer}::uuid
  AND NOT EXISTS (
    SELECT FROM role_grants theirs
      LEFT JOIN agencies their_agency ON their_agency.code = theirs.agency_code
     WHERE theirs.account_id = a.id AND theirs.revoked_at IS NULL
       AND NOT EXISTS (
         SELECT FROM (${usableRoles(acting, MAY[action])}) own
          WHERE own.role = 'operator' AND own.agency_code IS NULL
             OR own.agency_code = ANY (their_agency.ancestors)
                AND (theirs.role = 'helpdesk' OR theirs.role = 'agency_admin' AND own.role = 'agency_admin')))`;

/**
 * The predicate of `mayAppoint` in SQL: whether an officer gives and takes the role that a row `grant` names, of the
 * agency `g` where it has one.
 */
export const appointsTo = (acting: Acting, grant: string): string => `EXISTS (
  SELECT FROM (${usableRoles(acting, MAY.role_grant)}) own
   WHERE own.role = 'operator' AND own.agency_code IS NULL
      OR own.role = 'agency_admin' AND ${grant}.role = 'helpdesk' AND own.agency_code = ANY (g.ancestors))`;

/** Whether an officer administers an agency above `g`, or all of them. */
export const isAbove = (acting: Acting): string => `EXISTS (
  SELECT FROM (${usableRoles(acting, MAY.watch)}) own
   WHERE own.agency_code = ANY (g.ancestors) AND own.agency_code <> g.code
      OR own.role = 'operator' AND own.agency_code IS NULL)`;

/** Whether two officers must agree on an act on account `a` of agency `g`, whatever the act. */
export const NEEDS_SECOND = `(
  EXISTS (SELECT FROM role_grants theirs WHERE theirs.account_id = a.id AND theirs.revoked_at IS NULL)
  OR EXISTS (SELECT FROM agencies strict WHERE strict.code = ANY (g.ancestors) AND strict.two_officers))`;

/**
 * Whether somebody may be the second officer of another at all: neither appointed the other, and the second is no
 * newcomer. Else one administrator makes a second officer of their own (docs/adr/0019). Roles given on the server are of
 * nobody's making.
 */
export const mayBeSecondOf = ({ officer, now }: Acting, first: string): string => `(
  NOT EXISTS (SELECT FROM role_grants made
               WHERE made.account_id = ${officer}::uuid AND made.granted_by = ${first}::uuid
                  OR made.account_id = ${first}::uuid AND made.granted_by = ${officer}::uuid)
  AND EXISTS (SELECT FROM role_grants old
               WHERE old.account_id = ${officer}::uuid AND old.revoked_at IS NULL
                 AND (old.granted_by IS NULL OR old.granted_at <= ${now}::timestamptz - ${REST})))`;

/** The roles that an officer can use at this moment, as the predicates see them. */
export async function selectUsableRoles(db: Queryable, officer: AccountId, now: Date): Promise<readonly HeldRole[]> {
  const rows = await db.query(
    `SELECT own.role, own.agency_code, g.name AS agency_name
       FROM (${usableRoles({ officer: '$1', now: '$2' }, ['helpdesk', 'agency_admin', 'operator', 'auditor'])}) own
       LEFT JOIN agencies g ON g.code = own.agency_code
      ORDER BY own.role, own.agency_code`,
    [officer, now],
  );
  return rows.map((row) => {
    const code = row.agency_code as string | null;
    return {
      role: row.role as Role,
      agency: code === null ? undefined : { code: agencyCode(code), name: row.agency_name as string },
    };
  });
}

/** Until when the rights of somebody rest, if they do. */
export async function selectRestEnd(db: Queryable, officer: AccountId, now: Date): Promise<Date | undefined> {
  const [row] = await db.query(
    `SELECT max(ended_at) + ${REST} AS until FROM devices
      WHERE account_id = $1 AND ended_reason IN ('helpdesk_reset', 'self_reset') AND ended_at > $2::timestamptz - ${REST}`,
    [officer, now],
  );
  return (row?.until as Date | null | undefined) ?? undefined;
}

/** Every role of a person, as authority over them depends on it. */
export async function selectRolesOfSubject(db: Queryable, id: AccountId): Promise<readonly SubjectRole[]> {
  const rows = await db.query(
    `SELECT r.role, coalesce(g.ancestors, '{}') AS lineage
       FROM role_grants r LEFT JOIN agencies g ON g.code = r.agency_code
      WHERE r.account_id = $1 AND r.revoked_at IS NULL`,
    [id],
  );
  return rows.map((row) => ({ role: row.role as Role, lineage: (row.lineage as string[]).map(agencyCode) }));
}

/** The agency and all above it; empty when there is no such agency. */
export async function selectLineage(db: Queryable, code: AgencyCode): Promise<readonly AgencyCode[]> {
  const [row] = await db.query('SELECT ancestors FROM agencies WHERE code = $1', [code]);
  return row === undefined ? [] : (row.ancestors as string[]).map(agencyCode);
}

/**
 * Holds an account until the transaction ends. While it is held nobody moves it to another agency or changes its
 * state, and, since this lock also stops references to the row, nobody grants it a role (R-10, TOCTOU). The officers are
 * held, too, as the row of their act will hold them; all in the order of their ids, or two officers who act on each other
 * would wait for one another.
 */
export async function lockAccount(tx: Queryable, id: AccountId, officers: readonly AccountId[] = []): Promise<boolean> {
  let isThere = false;
  for (const one of [...new Set([id, ...officers])].sort()) {
    const rows = await tx.query(
      one === id
        ? 'SELECT id FROM accounts WHERE id = $1 FOR UPDATE'
        : 'SELECT id FROM accounts WHERE id = $1 FOR KEY SHARE',
      [one],
    );
    if (one === id) isThere = rows.length === 1;
  }
  return isThere;
}
