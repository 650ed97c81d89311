import type { AccountId, AgencyCode } from '../kernel/ids.js';

/** `helpdesk` and `agency_admin` reach one agency and everything below it; the others are national. */
export const ROLES = ['helpdesk', 'agency_admin', 'operator', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Whether the role is one of an agency. */
export const needsAgency = (role: Role): boolean => role === 'helpdesk' || role === 'agency_admin';

/** A role that an account holds. */
export interface RoleGrant {
  readonly id: string;
  readonly role: Role;
  readonly agency: { readonly code: AgencyCode; readonly name: string } | undefined;
  /** Undefined when it was granted on the command line. */
  readonly grantedBy: AccountId | undefined;
  readonly grantedAt: Date;
}
