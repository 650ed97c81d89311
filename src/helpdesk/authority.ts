import { ACT_ACTIONS } from '../accounts/act-action.js';
import type { Role, RoleGrant } from '../accounts/role.js';
import type { AccountId, AgencyCode } from '../kernel/ids.js';

/** A role held at this moment, as far as authority depends on it. */
export type HeldRole = Pick<RoleGrant, 'role' | 'agency'>;

/** What officers may do for others; `look` is every read of a person, `watch` of what officers do. */
export const DESK_ACTIONS = ['look', ...ACT_ACTIONS, 'watch'] as const;
export type DeskAction = (typeof DESK_ACTIONS)[number];

const DESK: readonly Role[] = ['helpdesk', 'agency_admin', 'operator'];
const ADMINISTRATORS: readonly Role[] = ['agency_admin', 'operator'];

/** Which roles an action is open to (docs/PRODUCT, The people). */
export const MAY: Readonly<Record<DeskAction, readonly Role[]>> = {
  look: DESK,
  mfa_reset: DESK,
  unlock: DESK,
  sessions_end: DESK,
  freeze: DESK,
  unfreeze: DESK,
  contact_change: DESK,
  activation_slip: DESK,
  disable: ADMINISTRATORS,
  enable: ADMINISTRATORS,
  role_grant: ADMINISTRATORS,
  role_revoke: ADMINISTRATORS,
  watch: ADMINISTRATORS,
};

/** Who wants to act. */
export interface Officer {
  readonly id: AccountId;
  /** Empty for somebody whose own account may not be used, or whose rights rest. */
  readonly roles: readonly HeldRole[];
}

/** A role of the person it would happen to. */
export interface SubjectRole {
  readonly role: Role;
  /** Its agency and all above it; empty for a national one. */
  readonly lineage: readonly AgencyCode[];
}

/** Whom it would happen to. */
export interface Subject {
  readonly id: AccountId;
  /** The account's agency and all above it. */
  readonly lineage: readonly AgencyCode[];
  readonly roles: readonly SubjectRole[];
}

export type Refused = 'out_of_scope' | 'role' | 'self' | 'above';

export type Authority =
  | {
      readonly kind: 'allowed';
      readonly through: HeldRole;
      /** The person is an officer too: a second officer must agree. */
      readonly needsSecond: boolean;
    }
  | { readonly kind: 'refused'; readonly cause: Refused };

const REACH: Readonly<Record<Role, 'agency' | 'everywhere' | 'nowhere'>> = {
  helpdesk: 'agency',
  agency_admin: 'agency',
  operator: 'everywhere',
  auditor: 'nowhere',
};

/** Which roles somebody with this one may act on, with a second officer: their own rank and those below it. */
const COVERS: Readonly<Record<Role, readonly Role[]>> = {
  helpdesk: ['helpdesk'],
  agency_admin: ['helpdesk', 'agency_admin'],
  operator: ['helpdesk', 'agency_admin', 'operator', 'auditor'],
  auditor: [],
};

/** Whether a role of an officer reaches what lies at the end of this lineage. */
function reaches({ role, agency }: HeldRole, lineage: readonly AgencyCode[]): boolean {
  if (REACH[role] === 'everywhere') return agency === undefined;
  return REACH[role] === 'agency' && agency !== undefined && lineage.includes(agency.code);
}

/**
 * The role through which somebody reaches the people of an agency: one of that agency or of an agency above it, else
 * a national one. Codes are compared as they stand. A role of an agency without an agency reaches nobody, and nobody
 * reaches an account without one (SECURITY.md A21).
 */
function reachThrough(roles: readonly HeldRole[], lineage: readonly AgencyCode[]): HeldRole | undefined {
  if (lineage.length === 0) return undefined;
  const reaching = roles.filter((role) => reaches(role, lineage));
  return reaching.find(({ agency }) => agency !== undefined) ?? reaching[0];
}

/** Whether one role of an officer is at least as high as one of the person. */
const covers = (own: HeldRole, { role, lineage }: SubjectRole): boolean =>
  COVERS[own.role].includes(role) && (own.role === 'operator' ? own.agency === undefined : reaches(own, lineage));

/**
 * May this officer do this to this account? Scope comes first, so that nothing is told about accounts outside it; then
 * what their role is for; then nobody acts on themselves or on somebody above them, and whoever holds a role is acted on
 * by two officers. `underAuthorityOf` is the same in SQL.
 */
export function authorityOver(officer: Officer, subject: Subject, action: DeskAction): Authority {
  if (reachThrough(officer.roles, subject.lineage) === undefined) return { kind: 'refused', cause: 'out_of_scope' };
  const roles = officer.roles.filter(({ role }) => MAY[action].includes(role));
  const through = reachThrough(roles, subject.lineage);
  if (through === undefined) return { kind: 'refused', cause: 'role' };
  if (action === 'look') return { kind: 'allowed', through, needsSecond: false };
  if (officer.id === subject.id) return { kind: 'refused', cause: 'self' };
  if (subject.roles.some((held) => !roles.some((own) => covers(own, held)))) return { kind: 'refused', cause: 'above' };
  return { kind: 'allowed', through, needsSecond: subject.roles.length > 0 };
}

/** Which roles somebody with this one appoints and removes: those below theirs. */
const APPOINTS: Readonly<Record<Role, readonly Role[]>> = {
  helpdesk: [],
  agency_admin: ['helpdesk'],
  operator: ['helpdesk', 'agency_admin', 'operator', 'auditor'],
  auditor: [],
};

/** Whether an officer with these roles may give or take this one (docs/PRODUCT: officers of their own agency only). */
export const mayAppoint = (roles: readonly HeldRole[], { role, lineage }: SubjectRole): boolean =>
  roles.some(
    (own) =>
      APPOINTS[own.role].includes(role) && (own.role === 'operator' ? own.agency === undefined : reaches(own, lineage)),
  );
