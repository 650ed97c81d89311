import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistration } from '../../clients/client-schema.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { allowedClaims } from '../../clients/allowed-claims.js';
import { requestScope } from '../request-scope.js';
import { OIDC_SCOPES } from '../../clients/scopes.js';
import { sidOf } from '../storage/sid.js';

type Grant = InstanceType<KoaContextWithOIDC['oidc']['provider']['Grant']>;

/** Adds what the registration allows. True when something was missing. */
function complete(grant: Grant, registration: Pick<ClientRegistration, 'scope' | 'x'>): boolean {
  const { scope, x } = registration;
  let changed = false;
  const missing = (have: string, want: readonly string[]): string[] => {
    const held = new Set(have.split(' '));
    return want.filter((each) => !held.has(each));
  };
  const scopes = missing(grant.getOIDCScope(), scope?.split(' ') ?? OIDC_SCOPES);
  if (scopes.length > 0) {
    grant.addOIDCScope(scopes);
    changed = true;
  }
  // What may be asked for one by one; what of it is given is decided anew each time (claims.ts).
  const claims = missing(grant.getOIDCClaims().join(' '), allowedClaims(registration));
  if (claims.length > 0) {
    grant.addOIDCClaims([...claims]);
    changed = true;
  }
  for (const [resource, allowed] of Object.entries(x.resources ?? {})) {
    const added = missing(grant.getResourceScope(resource), allowed);
    if (added.length > 0) {
      grant.addResourceScope(resource, added.join(' '));
      changed = true;
    }
  }
  return changed;
}

/**
 * The grant of a first-party client: its registration is the consent, so a grant always holds all that the client is
 * registered for, and tokens take from it what was asked. One for each session and client.
 */
export function firstPartyGrant(registry: ClientRegistry): NonNullable<Configuration['loadExistingGrant']> {
  return async ({ oidc }) => {
    const { provider, session, client } = oidc;
    const registration = registry.registration(client?.clientId ?? '');
    if (registration === undefined || session?.accountId === undefined) return undefined;
    const clientId = registration.client_id;
    const known = session.grantIdFor(clientId);
    let grant = known === undefined ? undefined : await provider.Grant.find(known);
    grant ??= new provider.Grant({ clientId, accountId: session.accountId });
    if (complete(grant, registration)) {
      await grant.save();
      // Another tab may have made the grant of this session and client a moment earlier.
      grant.jti = requestScope().claimed.get(grant.jti) ?? grant.jti;
    }
    if (session.sidFor(clientId) === undefined) session.sidFor(clientId, sidOf(grant.jti));
    return grant;
  };
}
