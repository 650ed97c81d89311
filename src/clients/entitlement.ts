import type { ClientRegistration } from './client-schema.js';

/** What of a person an entitlement looks at. */
export interface Entitled {
  readonly employment: string;
  readonly agency: { readonly code: string };
}

type Limits = Pick<ClientRegistration['x'], 'allowed_employment' | 'allowed_agencies' | 'allowed_roles'>;

/** A list without members lets everyone in (docs/CONTRACT). */
const admits = (allowed: readonly string[] | undefined, theirs: readonly string[]): boolean =>
  allowed === undefined || allowed.length === 0 || allowed.some((each) => theirs.includes(each));

/** Whether a client is open to some people only. */
export const isLimited = (limits: Limits): boolean =>
  [limits.allowed_employment, limits.allowed_agencies, limits.allowed_roles].some((list) => (list?.length ?? 0) > 0);

/** Whether a person may use a client: each list that has members must hold something that is theirs. */
export const mayUse = (limits: Limits, person: Entitled, roles: readonly string[]): boolean =>
  admits(limits.allowed_employment, [person.employment]) &&
  admits(limits.allowed_agencies, [person.agency.code]) &&
  admits(limits.allowed_roles, roles);
