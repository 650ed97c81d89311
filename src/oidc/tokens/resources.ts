import { errors, type ResourceServer } from 'oidc-provider';
import type { ClientRegistration } from '../../clients/client-schema.js';
import { TOKEN_SECONDS } from '../lifetimes.js';

/** The scopes that a client is registered for at a resource. The name came with a request: it may be any word at all. */
export function scopesAt(
  registration: ClientRegistration | undefined,
  resource: string,
): readonly string[] | undefined {
  const resources = registration?.x.resources ?? {};
  return Object.hasOwn(resources, resource) ? resources[resource] : undefined;
}

/**
 * What a client may do at a resource (RFC 8707): the scopes its registration names. Tokens are JWT (RFC 9068), but
 * those of the admin API are opaque and looked up at every call, so that they can be revoked. Throws
 * `invalid_target` for a resource that the client is not registered for.
 */
export function resourceServer(
  registration: ClientRegistration | undefined,
  resource: string,
  adminResource: string,
): ResourceServer {
  const scopes = scopesAt(registration, resource);
  if (scopes === undefined) throw new errors.InvalidTarget();
  const common = { scope: scopes.join(' '), audience: resource, accessTokenTTL: TOKEN_SECONDS };
  return resource === adminResource
    ? { ...common, accessTokenFormat: 'opaque' }
    : { ...common, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } };
}
