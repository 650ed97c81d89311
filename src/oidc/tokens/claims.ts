import { allowedClaims, claimsOfScopes } from '../../clients/allowed-claims.js';
import type { ClientRegistration } from '../../clients/client-schema.js';

type Registered = Pick<ClientRegistration, 'scope' | 'x'>;

/** The NIP under both its names: given by scope, and never for the asking. */
const BY_SCOPE_ONLY: readonly string[] = ['nip', 'preferred_username'];

/** What one answer is for, and what was asked for it. */
export interface Wanted {
  /** `id_token` or `userinfo`. */
  readonly use: string;
  readonly scope: string;
  /** One by one, in the `claims` parameter (OpenID Connect Core section 5.5). */
  readonly claims: readonly string[];
}

/**
 * Which claims about a person a client gets, of those it may: what its scopes give and what it asked for one by one.
 * What scopes give is in ID tokens only with `x.claims_in_id_token`.
 */
export function personClaims(registration: Registered, wanted: Wanted): readonly string[] {
  const allowed = allowedClaims(registration);
  const byScope = claimsOfScopes(wanted.scope.split(' ')).filter((claim) => allowed.includes(claim));
  const asked = wanted.claims.filter((claim) => (BY_SCOPE_ONLY.includes(claim) ? byScope : allowed).includes(claim));
  if (wanted.use === 'id_token' && registration.x.claims_in_id_token !== true) return asked;
  return [...new Set([...byScope, ...asked])];
}
