import mount from 'koa-mount';
import type Koa from 'koa';
import Provider, { type ExternalSigningKey, type KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Database } from '../storage/database.js';
import { fixOrigin, type Origins } from '../web/origin.js';
import type { ClientRegistry } from './client-registry.js';
import { ENDPOINTS, mountPath, type EndpointStyle } from './endpoints.js';
import { reportEvents, type ProviderEvent } from './events.js';
import { metadataDocuments } from './metadata.js';
import { postAsGet } from './post-as-get.js';
import { providerPages, type ProviderPages } from './provider-pages.js';
import { replayStore } from './replay-store.js';
import { providerSettings } from './settings.js';
import { leaveWithoutSession } from './sign-out.js';
import { guarded } from './unavailable.js';

/** A relying party that is to be told that its session ended. */
export interface LogoutNotice {
  readonly clientId: string;
  readonly accountId: string;
  readonly sid: string;
}

export interface ProviderOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Log;
  /** As it stands in tokens: without trailing slash. */
  readonly issuer: string;
  readonly origins: Origins;
  readonly endpointStyle: EndpointStyle;
  readonly registry: ClientRegistry;
  readonly keys: readonly ExternalSigningKey[];
  /** The first signs, all verify; set on the outer application too, which sets the cookies the provider reads. */
  readonly cookieKeys: readonly string[];
  /** Audience of the admin API. */
  readonly adminResource: string;
  readonly pages: ProviderPages;
  readonly record: (event: ProviderEvent) => void;
  /** Takes a logout notice for delivery. Without it the provider delivers by itself, inside the person's logout. */
  readonly notifyLogout?: ((notice: LogoutNotice) => Promise<void>) | undefined;
}

export interface OpenIdProvider {
  readonly provider: Provider;
  /** Discovery and key set: to be asked early, nothing of a request but its path matters. */
  readonly metadata: Koa.Middleware;
  /** All other endpoints. Passes on what is not below them. */
  readonly endpoints: Koa.Middleware;
  /** Path of the logout page: every *Keluar* of ours leads there. */
  readonly signOutPath: string;
}

/**
 * The OpenID provider (docs/adr/0004). Every address it answers with begins with an origin from the settings; every
 * client was read and judged before; throws when the provider itself finds one that it does not accept.
 */
export async function createProvider(options: ProviderOptions): Promise<OpenIdProvider> {
  const { issuer, registry, db } = options;
  const issuerUrl = new URL(issuer);
  const endpoints = ENDPOINTS[options.endpointStyle];
  const path = mountPath(issuerUrl);
  const signOutPath = `${path}${endpoints.end_session}`;
  const pages = providerPages(options.pages, { registry, signOutPath });
  const provider = new Provider(issuer, providerSettings({ ...options, issuer: issuerUrl, endpoints, pages }));

  fixOrigin(provider, options.origins);
  fixAddresses(provider, options.origins);
  includeSidAlways(provider);
  claimReplaysAtOnce(provider, { db });
  if (options.notifyLogout !== undefined) deliverLogoutsBy(provider, options.notifyLogout);
  reportEvents(provider, options);
  provider.use(leaveWithoutSession as Koa.Middleware);

  for (const { client_id: clientId } of registry.metadata) await provider.Client.find(clientId);
  const mounted = mount(path === '' ? '/' : path, provider as unknown as Koa);
  const byPost = postAsGet([`${path}${endpoints.authorization}`, signOutPath]);
  return {
    provider,
    metadata: await metadataDocuments({ provider, mounted, issuer: issuerUrl, endpoints }),
    endpoints: async (ctx, next) => {
      await byPost(ctx, async () => {
        await mounted(ctx, next);
      });
    },
    signOutPath,
  };
}

/**
 * Addresses are made from the configured origin and the issuer's path. The provider would take them from the Host
 * header and from the request line, which may hold a whole foreign address (SECURITY.md 0.2, R-13).
 */
function fixAddresses(provider: Provider, origins: Origins): void {
  type Context = Pick<KoaContextWithOIDC['oidc'], 'urlFor'> & { readonly ctx: Koa.Context };
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: Context } }).OIDCContext;
  prototype.urlFor = function urlFor(this: Context, name, values) {
    const { origin } = origins.find(this.ctx.req.headers.host) ?? origins.issuer;
    return `${origin}${provider.pathFor(name, values)}`;
  };
}

/** Every ID token tells the session it belongs to (docs/CONTRACT, Tokens and claims). */
function includeSidAlways(provider: Provider): void {
  const { prototype } = provider.Client as unknown as { prototype: { includeSid: () => boolean } };
  prototype.includeSid = () => true;
}

/** The provider looks, then saves, and two at once pass between the two (SECURITY.md 0.1): one INSERT decides. */
function claimReplaysAtOnce(provider: Provider, { db }: { db: Database }): void {
  const store = replayStore(db);
  provider.ReplayDetection.unique = (iss, jti, exp) =>
    guarded(() => store.claim(`${iss} ${jti}`, new Date(exp * 1000)));
}

/** The provider would call each relying party while the person waits, and try once. */
function deliverLogoutsBy(provider: Provider, notify: (notice: LogoutNotice) => Promise<void>): void {
  interface LogoutClient {
    readonly clientId: string;
    backchannelLogout(accountId: string, sid: string): Promise<void>;
  }
  const { prototype } = provider.Client as unknown as { prototype: LogoutClient };
  prototype.backchannelLogout = function backchannelLogout(this: LogoutClient, accountId, sid) {
    return notify({ clientId: this.clientId, accountId, sid });
  };
}
