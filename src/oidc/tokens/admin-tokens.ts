import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { hasEnded } from '../storage/ended-client.js';
import { tokenStore, type StoredToken } from '../storage/token-store.js';

/** Who calls the admin API, and what the token allows; what a person may do is decided by their roles of the moment. */
export interface AdminToken {
  readonly clientId: string;
  /** Absent when a service calls for itself. */
  readonly accountId: AccountId | undefined;
  readonly scopes: ReadonlySet<string>;
  /** When the person's second factor was proved (RFC 9470). */
  readonly authenticatedAt: Date | undefined;
  readonly acr: string | undefined;
  /** The agency that a service is bound to. */
  readonly agency: string | undefined;
}

/** Answers whose token it is, or undefined when it is not one that the admin API takes. */
export type VerifyAdminToken = (token: string) => Promise<AdminToken | undefined>;

/**
 * Looks an access token of the admin audience up: one statement, so that the end of a session, a grant, an account or
 * a registration is felt at the next call.
 */
export function adminTokens(parts: {
  db: Database;
  clock: Clock;
  registry: ClientRegistry;
  adminResource: string;
}): VerifyAdminToken {
  const { db, clock, registry, adminResource } = parts;

  const isAlive = (token: StoredToken): boolean => {
    if (hasEnded(registry, token)) return false;
    if (token.expiresAt <= clock.now() || token.payload.aud !== adminResource) return false;
    // Bound to a key (RFC 9449) or a certificate (RFC 8705): of no use as a bearer token.
    if (token.payload.jkt !== undefined || token.payload['x5t#S256'] !== undefined) return false;
    if (token.kind === 'ClientCredentials') return true;
    if (token.account === undefined || token.grant === undefined) return false;
    return token.payload.expiresWithSession !== true || token.session !== undefined;
  };

  return async (value) => {
    const token = await tokenStore(db).find(value, ['AccessToken', 'ClientCredentials'], clock.now());
    if (token === undefined || !isAlive(token)) return undefined;
    const { x } = registry.registration(token.clientId ?? '') ?? {};
    const registered = x?.resources?.[adminResource];
    if (token.clientId === undefined || registered === undefined) return undefined;
    const extra = (token.payload.extra ?? {}) as { auth_time?: number; acr?: string };
    const asked = typeof token.payload.scope === 'string' ? token.payload.scope.split(' ') : [];
    return {
      clientId: token.clientId,
      accountId: token.account?.id,
      scopes: new Set(asked.filter((scope) => registered.includes(scope))),
      authenticatedAt: extra.auth_time === undefined ? undefined : new Date(extra.auth_time * 1000),
      acr: extra.acr,
      agency: token.account === undefined ? x?.agency : undefined,
    };
  };
}
