import type { ClientRegistration } from './client-schema.js';
import { OIDC_SCOPES, SCOPE_CLAIMS } from './scopes.js';

/** The claims about a person that scopes stand for. */
export const claimsOfScopes = (scopes: readonly string[]): readonly string[] =>
  Object.entries(SCOPE_CLAIMS).flatMap(([name, claims]) => (scopes.includes(name) ? claims : []));

/**
 * The most that a client may learn of a person: what the scopes it may ask for hold, cut down to `x.claims` when the
 * registration has it. Roles only where `x.claims` names them.
 */
export function allowedClaims({ scope, x }: Pick<ClientRegistration, 'scope' | 'x'>): readonly string[] {
  const possible = claimsOfScopes(scope?.split(' ') ?? OIDC_SCOPES);
  const named: readonly string[] | undefined = x.claims;
  return possible.filter((claim) => (named === undefined ? claim !== 'roles' : named.includes(claim)));
}
