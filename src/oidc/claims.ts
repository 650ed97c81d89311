import type { ClientRegistration } from '../clients/client-schema.js';
import { SCOPE_CLAIMS } from '../clients/scopes.js';

/**
 * Which claims about a person a client gets: what its scopes give, cut down to `x.claims` when the registration has
 * it. Roles only where `x.claims` names them. In ID tokens only with `x.claims_in_id_token`.
 */
export function personClaims(x: ClientRegistration['x'], use: string, scope: string): readonly string[] {
  if (use === 'id_token' && x.claims_in_id_token !== true) return [];
  const scopes = scope.split(' ');
  const given = Object.entries(SCOPE_CLAIMS).flatMap(([name, claims]) => (scopes.includes(name) ? claims : []));
  const { claims: allowed } = x;
  return allowed === undefined
    ? given.filter((claim) => claim !== 'roles')
    : given.filter((claim) => (allowed as readonly string[]).includes(claim));
}
