import mount from 'koa-mount';
import type Koa from 'koa';
import Provider, { type ExternalSigningKey, type KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { Log } from '../../kernel/log.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Reachable } from '../../security/reachable.js';
import { randomBelow } from '../../security/secrets.js';
import type { Database } from '../../storage/database.js';
import type { AddressRates } from '../../throttle/address-rates.js';
import { fixOrigin, type Origins } from '../../web/origin.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { accessTokens } from '../tokens/access-tokens.js';
import { deviceAnswer } from '../device/device-answer.js';
import { withoutEncryptedHint } from '../logout/encrypted-hint.js';
import { onlyOfClientsInUse } from '../logout/clients-in-use.js';
import { ENDPOINTS, REALM, mountPath, type EndpointStyle } from '../endpoints.js';
import { reportEvents, type ProviderEvent } from './events.js';
import { formPostPage } from './form-post.js';
import { keycloakFrames } from '../clients/keycloak-frames.js';
import { knownPaths } from './known-paths.js';
import type { LogoutNotices } from '../logout/logout-notices.js';
import { metadataDocuments } from './metadata.js';
import {
  claimReplaysAtOnce,
  fixAddresses,
  includeSidAlways,
  leaveLogoutsToTheOutbox,
  takeSecretsAsRegistered,
} from './overrides.js';
import { liveAccounts } from '../login/person-account.js';
import type { MutualTlsParts } from '../clients/mutual-tls.js';
import { postAsGet } from './post-as-get.js';
import { providerPages, type ProviderPages } from './provider-pages.js';
import { keepMalformedRequestsHere } from './refusals.js';
import { readableTokens } from '../tokens/readable-tokens.js';
import { providerSettings } from './settings.js';
import { leaveWithoutSession } from '../logout/sign-out.js';
import { structuredTokens } from '../tokens/structured-tokens.js';
import type { Subjects } from '../tokens/subjects.js';
import { registerTokenExchange } from '../tokens/token-exchange.js';
import { own } from '../unavailable.js';

const RETRY_SECONDS = 5;
const RETRY_SPREAD_SECONDS = 25;

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
  readonly subjects: Subjects;
  /** Which hosts the keys of clients are fetched from. */
  readonly reachable: Reachable;
  /** Absent where no proxy hands client certificates over. */
  readonly mutualTls?: MutualTlsParts | undefined;
  readonly pages: ProviderPages;
  readonly record: (event: ProviderEvent) => void;
  /** Tells relying parties when a session ends at the provider's own endpoints. */
  readonly notices: LogoutNotices;
  readonly keyed: KeyedDigest;
  /** How much strangers may make us keep. */
  readonly rates: AddressRates;
}

export interface OpenIdProvider {
  readonly provider: Provider;
  /** Discovery, key set and the helper pages of keycloak-js: to be asked early, nothing of a request but its path matters. */
  readonly metadata: Koa.Middleware;
  /** All other endpoints. Passes on what is at no path of theirs, letter for letter. */
  readonly endpoints: Koa.Middleware;
  /** Path of the logout page: every *Keluar* of ours leads there. */
  readonly signOutPath: string;
}

/**
 * The OpenID provider (docs/adr/0004). Every address it answers with begins with an origin from the settings; every
 * client was read and judged before.
 */
export async function createProvider(options: ProviderOptions): Promise<OpenIdProvider> {
  const { issuer, registry, db } = options;
  const issuerUrl = new URL(issuer);
  const endpoints = ENDPOINTS[options.endpointStyle];
  const path = mountPath(issuerUrl);
  const signOutPath = `${path}${endpoints.end_session}`;
  const pages = providerPages(options.pages, { registry, subjects: options.subjects, signOutPath });
  const provider = new Provider(issuer, providerSettings({ ...options, issuer: issuerUrl, endpoints, pages }));

  fixOrigin(provider, options.origins);
  fixAddresses(provider, options.origins);
  includeSidAlways(provider);
  takeSecretsAsRegistered(provider, options);
  claimReplaysAtOnce(provider, { db });
  leaveLogoutsToTheOutbox(provider);
  keepMalformedRequestsHere(provider);
  reportEvents(provider, options);
  const accounts = liveAccounts(options);
  const tokens = accessTokens({ ...options, accounts });
  registerTokenExchange(provider, { ...options, tokens, accounts });
  provider.use(readableTokens(options) as Koa.Middleware);
  provider.use(structuredTokens({ registry, tokens }) as Koa.Middleware);
  provider.use(withoutEncryptedHint(endpoints.end_session));
  provider.use(onlyOfClientsInUse(endpoints.end_session, registry));
  provider.use(tellLanguages as Koa.Middleware);
  provider.use(leaveWithoutSession as Koa.Middleware);
  provider.use(formPostPage(registry, options.pages) as Koa.Middleware);
  provider.use(deviceAnswer(issuerUrl.origin) as Koa.Middleware);

  await tellRefusedClients(provider, options);
  const mounted = mount(path === '' ? '/' : path, provider as unknown as Koa);
  const withCertificate = options.mutualTls?.certificates.take ?? ((_ctx, next) => next());
  const documents = await metadataDocuments({ provider, mounted, issuer: issuerUrl, endpoints });
  const frames: Koa.Middleware =
    options.endpointStyle === 'keycloak' ? keycloakFrames(`${path}${REALM}`, registry) : (_, next) => next();
  const isKnown = knownPaths(path, endpoints);
  const byPost = postAsGet([`${path}${endpoints.authorization}`, signOutPath]);
  return {
    provider,
    metadata: async (ctx, next) => {
      await documents(ctx, async () => {
        await frames(ctx, next);
      });
    },
    endpoints: (ctx, next) =>
      isKnown(ctx.path)
        ? tidied(ctx, async () => {
            await withCertificate(ctx, async () => {
              await byPost(ctx, async () => {
                await mounted(ctx, next);
              });
            });
          })
        : next(),
    signOutPath,
  };
}

/** Our own rules are stricter than the provider's; where they are not, one client must not keep the others out. */
async function tellRefusedClients(provider: Provider, { registry, log }: ProviderOptions): Promise<void> {
  for (const { client_id: clientId } of registry.registrations()) {
    await provider.Client.find(clientId).catch((error: unknown) => {
      const { error_description: problem } = error as { error_description?: string };
      log.error('the provider refuses a client', { client_id: clientId, problem });
    });
  }
}

/** The languages that an authorization request asks for, however it came, for whoever writes the login pages. */
async function tellLanguages(ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> {
  await next();
  const { route, params } = (ctx.oidc as KoaContextWithOIDC['oidc'] | undefined) ?? {};
  if (route === 'authorization') (ctx.state as { uiLocales?: unknown }).uiLocales = params?.ui_locales;
}

/** What every refusal of the provider has in common. */
async function tidied(ctx: Koa.Context, answer: () => Promise<unknown>): Promise<void> {
  // The redirect, code and all, is there before the session is saved; when that fails it must not go out.
  const withoutRedirect = (): void => {
    ctx.remove('Location');
  };
  try {
    await answer();
  } catch (error) {
    withoutRedirect();
    throw own(error);
  }
  if (ctx.status >= 400) withoutRedirect();
  // Spread out, so that all who were sent away do not come back at once.
  if (ctx.status === 503) ctx.set('Retry-After', String(RETRY_SECONDS + randomBelow(RETRY_SPREAD_SECONDS)));
}
