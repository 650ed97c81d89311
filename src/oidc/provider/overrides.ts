import type Koa from 'koa';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../../storage/database.js';
import type { Origins } from '../../web/origin.js';
import { replayStore } from '../storage/replay-store.js';
import { currentRequest } from '../request-scope.js';
import { guarded } from '../unavailable.js';

// Where the provider has no setting for what we need, its own methods are replaced: here and nowhere else. Tests hold
// each of them against the next version of the provider.

/**
 * Addresses are made from the configured origin and the issuer's path. The provider would take them from the Host
 * header and from the request line, which may hold a whole foreign address (SECURITY.md 0.2, R-13).
 */
export function fixAddresses(provider: Provider, origins: Origins): void {
  type Context = Pick<KoaContextWithOIDC['oidc'], 'urlFor'> & { readonly ctx: Koa.Context };
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: Context } }).OIDCContext;
  prototype.urlFor = function urlFor(this: Context, name, values) {
    const { origin } = origins.find(this.ctx.req.headers.host) ?? origins.issuer;
    return `${origin}${provider.pathFor(name, values)}`;
  };
}

/** Every ID token tells the session it belongs to (docs/CONTRACT, Tokens and claims). */
export function includeSidAlways(provider: Provider): void {
  const { prototype } = provider.Client as unknown as { prototype: { includeSid: () => boolean } };
  prototype.includeSid = () => true;
}

/**
 * The provider takes a secret from the header or the form alike, and compares it in clear; ours takes it where the
 * registration says and asks the registry, which keeps digests.
 */
export function takeSecretsAsRegistered(
  provider: Provider,
  { registry, clock }: { registry: ClientRegistry; clock: Clock },
): void {
  interface SecretClient {
    readonly clientId: string;
    readonly clientAuthMethod: string;
    compareClientSecret: (this: SecretClient, secret: string) => boolean;
  }
  const { prototype } = provider.Client as unknown as { prototype: SecretClient };
  prototype.compareClientSecret = function compareClientSecret(secret) {
    const inHeader = currentRequest()?.get('authorization') !== '';
    const used = inHeader ? 'client_secret_basic' : 'client_secret_post';
    return used === this.clientAuthMethod && registry.holdsSecret(this.clientId, secret, clock.now());
  };
}

/** The provider looks, then saves, and two at once pass between the two (SECURITY.md 0.1): one INSERT decides. */
export function claimReplaysAtOnce(provider: Provider, { db }: { db: Database }): void {
  const store = replayStore(db);
  provider.ReplayDetection.unique = (iss, jti, exp) =>
    guarded(() => store.claim(`${iss} ${jti}`, new Date(exp * 1000)));
}

/**
 * The provider would call each relying party while the person waits, and try once. They are told through the
 * outbox, by whoever ends the session.
 */
export function leaveLogoutsToTheOutbox(provider: Provider): void {
  const { prototype } = provider.Client as unknown as { prototype: { backchannelLogout: () => Promise<void> } };
  prototype.backchannelLogout = () => Promise.resolve();
}
