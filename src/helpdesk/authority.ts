import type { Role, RoleGrant } from '../accounts/role.js';
import type { AccountId, AgencyCode } from '../kernel/ids.js';

/** A role held at this moment, as far as authority depends on it. */
export type HeldRole = Pick<RoleGrant, 'role' | 'agency'>;

/** Who wants to act. */
export interface Officer {
  readonly id: AccountId;
  /** Empty for somebody whose own account may not be used. */
  readonly roles: readonly HeldRole[];
}

/** Whom it would happen to. */
export interface Subject {
  readonly id: AccountId;
  /** The account's agency and all above it. */
  readonly lineage: readonly AgencyCode[];
  /** True while the account holds a role, whatever role. */
  readonly privileged: boolean;
}

export type Refused = 'out_of_scope' | 'self' | 'privileged';

export type Authority =
  { readonly kind: 'allowed'; readonly through: HeldRole } | { readonly kind: 'refused'; readonly cause: Refused };

const REACH: Readonly<Record<Role, 'agency' | 'everywhere' | 'nowhere'>> = {
  helpdesk: 'agency',
  agency_admin: 'agency',
  operator: 'everywhere',
  auditor: 'nowhere',
};

/**
 * The role through which somebody reaches the people of an agency: one of that agency or of an agency above it, else
 * a national one. Codes are compared as they stand. A role of an agency without an agency reaches nobody, and nobody
 * reaches an account without one (SECURITY.md A21).
 */
function reachThrough(roles: readonly HeldRole[], lineage: readonly AgencyCode[]): HeldRole | undefined {
  if (lineage.length === 0) return undefined;
  return (
    roles.find(
      ({ role, agency }) => REACH[role] === 'agency' && agency !== undefined && lineage.includes(agency.code),
    ) ?? roles.find(({ role, agency }) => REACH[role] === 'everywhere' && agency === undefined)
  );
}

/**
 * May this officer act on this account? Scope comes first, so that nothing is told about accounts outside it; then
 * nobody acts on themselves, and whoever holds a role is acted on by two persons or not at all.
 */
export function authorityOver(officer: Officer, subject: Subject): Authority {
  const through = reachThrough(officer.roles, subject.lineage);
  if (through === undefined) return { kind: 'refused', cause: 'out_of_scope' };
  if (officer.id === subject.id) return { kind: 'refused', cause: 'self' };
  if (subject.privileged) return { kind: 'refused', cause: 'privileged' };
  return { kind: 'allowed', through };
}
