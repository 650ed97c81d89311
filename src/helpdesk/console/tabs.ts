import type { Role } from '../../accounts/role.js';
import { MAY } from '../authority.js';

/** Whose reading of the trail is not bound to one person. */
const TRAIL_READERS: readonly Role[] = ['agency_admin', 'operator', 'auditor'];

export const readsTrail = ({ roles }: { readonly roles: readonly { readonly role: Role }[] }): boolean =>
  roles.some(({ role }) => TRAIL_READERS.includes(role));

/** Every page of the console that has a tab, in their order, and the roles that it is for. */
const TABS: readonly { readonly name: string; readonly href: string; readonly roles: readonly Role[] }[] = [
  { name: 'search', href: '/helpdesk', roles: MAY.look },
  { name: 'approvals', href: '/helpdesk/approvals', roles: MAY.look },
  { name: 'officers', href: '/helpdesk/officers', roles: MAY.role_grant },
  { name: 'activation', href: '/helpdesk/aktivasi', roles: MAY.watch },
  { name: 'audit', href: '/helpdesk/audit', roles: TRAIL_READERS },
  { name: 'clients', href: '/helpdesk/clients', roles: ['operator'] },
];

/** The tabs of somebody who holds these roles. */
export const tabsOf = (held: readonly { readonly role: Role }[]) =>
  TABS.filter(({ roles }) => held.some(({ role }) => roles.includes(role))).map(({ name, href }) => ({ name, href }));
