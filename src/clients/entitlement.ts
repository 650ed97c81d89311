import type { ClientRegistration } from './client-schema.js';

/** What of a person an entitlement looks at. */
export interface Entitled {
  readonly employment: string;
  /** The agency and all above it: who is let in as an agency is let in with its units. */
  readonly agencyLineage: readonly string[];
}

type Limits = Pick<ClientRegistration['x'], 'allowed_employment' | 'allowed_agencies' | 'allowed_roles'>;

/** A list without members lets everyone in (docs/CONTRACT). */
const admits = (allowed: readonly string[] | undefined, theirs: readonly string[]): boolean =>
  allowed === undefined || allowed.length === 0 || allowed.some((each) => theirs.includes(each));

/** Whether a client is open to some people only. */
export const isLimited = (limits: Limits): boolean =>
  [limits.allowed_employment, limits.allowed_agencies, limits.allowed_roles].some((list) => (list?.length ?? 0) > 0);

/** What keeps somebody from a client. */
export type Missing = 'employment' | 'agency' | 'role';

/** Every condition that a person does not meet: each list with members must hold something that is theirs. */
export const missing = (limits: Limits, person: Entitled, roles: readonly string[]): readonly Missing[] => {
  const conditions: readonly (readonly [Missing, boolean])[] = [
    ['employment', admits(limits.allowed_employment, [person.employment])],
    ['agency', admits(limits.allowed_agencies, person.agencyLineage)],
    ['role', admits(limits.allowed_roles, roles)],
  ];
  return conditions.flatMap(([condition, isMet]) => (isMet ? [] : [condition]));
};

/** Whether a person may use a client. */
export const mayUse = (limits: Limits, person: Entitled, roles: readonly string[]): boolean =>
  missing(limits, person, roles).length === 0;
