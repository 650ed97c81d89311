import {
  errors,
  type Configuration,
  type ExternalSigningKey,
  type JsonValue,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { epochSeconds } from '../kernel/clock.js';
import { accountId } from '../kernel/ids.js';
import { createKeyedDigest } from '../security/digests.js';
import { adapterFactory, type AdapterParts } from './adapter.js';
import { ACR_LADDER } from '../clients/authentication-class.js';
import { AUTH_METHODS, type ClientRegistration } from '../clients/client-schema.js';
import type { ClientRegistry } from '../clients/client-registry.js';
import type { Endpoints } from './endpoints.js';
import { firstPartyGrant } from './first-party-grant.js';
import {
  ASSERTION_SECONDS,
  CLOCK_TOLERANCE_SECONDS,
  CODE_SECONDS,
  GRANT_SECONDS,
  INTERACTION_SECONDS,
  PHONE_GRANT_SECONDS,
  SESSION_ABSOLUTE_SECONDS,
  SESSION_IDLE_SECONDS,
  TOKEN_SECONDS,
} from './lifetimes.js';
import { liveAccounts } from './person-account.js';
import { signInPolicy } from './policy.js';
import { resourceServer } from './resources.js';
import type { Subjects } from './subjects.js';
import { ALWAYS_IN_ID_TOKEN, OIDC_SCOPES, SCOPE_CLAIMS } from '../clients/scopes.js';

const MAX_JWKS_BYTES = 64 * 1024;

type Client = NonNullable<KoaContextWithOIDC['oidc']['client']>;

export interface SettingsParts extends AdapterParts {
  readonly issuer: URL;
  readonly endpoints: Endpoints;
  readonly registry: ClientRegistry;
  readonly keys: readonly ExternalSigningKey[];
  /** The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly adminResource: string;
  readonly subjects: Subjects;
  readonly pages: SettingsPages;
}

/** The provider's own pages, handed in by `provider.ts`. */
export type SettingsPages = Required<
  Pick<
    NonNullable<NonNullable<Configuration['features']>['rpInitiatedLogout']>,
    'logoutSource' | 'postLogoutSuccessSource'
  >
> &
  Required<Pick<Configuration, 'renderError'>>;

/** Every setting of the provider that SECURITY.md section 8 names; a test holds them one by one. */
export function providerSettings(parts: SettingsParts): Configuration {
  const { issuer, registry, keys, cookieKeys, adminResource, pages } = parts;
  const secure = issuer.protocol === 'https:';
  const now = (): number => epochSeconds(parts.clock.now());
  const accounts = liveAccounts(parts);
  const registrationOf = (client: Client): ClientRegistration | undefined => registry.registration(client.clientId);
  const own = (_ctx: KoaContextWithOIDC, client: Client, token: { clientId?: string | undefined }): boolean =>
    token.clientId === client.clientId;

  return {
    adapter: adapterFactory(parts),
    jwks: { keys },
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
    },
    extraClientMetadata: { properties: ['x'] },
    routes: { ...parts.endpoints },
    // The login asks for the entitlement itself, a minute at most before its code is redeemed; what lives longer asks here.
    findAccount: (_ctx, sub, token) => {
      const { clientId, kind } = token ?? {};
      if (clientId === undefined || kind === 'AuthorizationCode') return accounts.find(sub);
      return accounts.findEntitled(sub, clientId);
    },
    loadExistingGrant: firstPartyGrant(registry),
    interactions: {
      policy: signInPolicy({ registry, accounts }),
      url: (_ctx, interaction) => `/sign-in/${interaction.uid}`,
    },

    scopes: OIDC_SCOPES,
    claims: { openid: ALWAYS_IN_ID_TOKEN, ...SCOPE_CLAIMS },
    // What an ID token holds beyond the protocol's claims is decided by the registration (claims.ts).
    conformIdTokenClaims: false,
    acrValues: [...ACR_LADDER],
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: (_ctx, account, client) => parts.subjects.at(client.clientId, accountId(account)),
    // Registrations are written by operators, who vouch for the sector; nothing is fetched.
    sectorIdentifierUriValidate: () => false,
    responseTypes: ['code'],
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    enableHttpPostMethods: false,
    pkce: { required: (_ctx, client) => registrationOf(client)?.x.require_pkce !== false },
    clockTolerance: CLOCK_TOLERANCE_SECONDS,

    clientAuthMethods: AUTH_METHODS,
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES256', 'PS256'],
      idTokenSigningAlgValues: ['ES256', 'RS256'],
      dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
    },
    assertJwtClientAuthClaimsAndHeader: ({ oidc }, claims) => {
      requireShortAssertion({ claims, issuer: oidc.issuer, now: now() });
    },
    clientBasedCORS: (_ctx, origin, client) =>
      client.clientAuthMethod === 'none' &&
      (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin && origin !== 'null'),

    ttl: {
      Interaction: INTERACTION_SECONDS,
      AuthorizationCode: CODE_SECONDS,
      AccessToken: TOKEN_SECONDS,
      ClientCredentials: TOKEN_SECONDS,
      IdToken: TOKEN_SECONDS,
      Session: (_ctx, session) =>
        Math.max(1, Math.min(SESSION_IDLE_SECONDS, (session.authTime() ?? now()) + SESSION_ABSOLUTE_SECONDS - now())),
      Grant: ({ oidc }) => (oidc.client !== undefined && isPhone(oidc.client) ? PHONE_GRANT_SECONDS : GRANT_SECONDS),
      RefreshToken: ({ oidc }, token, client) =>
        // A successor lives no longer than the first of its family would have.
        oidc.entities.RotatedRefreshToken?.remainingTTL ??
        (token.scopes.has('offline_access') && isPhone(client) ? PHONE_GRANT_SECONDS : GRANT_SECONDS),
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: (_ctx, source) => !source.scopes.has('offline_access'),
    // A client with a key of its own proves itself at every use; the others get a new token each time.
    rotateRefreshToken: ({ oidc }) => oidc.client?.clientAuthMethod !== 'private_key_jwt',
    extraTokenClaims: ({ oidc }, token) => {
      if (token.kind === 'ClientCredentials') {
        const agency = oidc.client === undefined ? undefined : registrationOf(oidc.client)?.x.agency;
        return agency === undefined ? undefined : { agency };
      }
      // RFC 9068 section 2.2.1, RFC 9470 section 6: what the resource needs to ask for more.
      const { acr, amr, authTime } = oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken ?? {};
      return { acr, amr, auth_time: authTime };
    },

    cookies: {
      names: secure
        ? { session: '__Host-sid', interaction: '__Secure-int', resume: '__Secure-res' }
        : { session: 'sid', interaction: 'int', resume: 'res' },
      long: { signed: true, httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true },
      short: { signed: true, httpOnly: true, sameSite: 'lax', secure, overwrite: true },
      keys: cookieKeys,
    },

    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      dPoP: {
        enabled: true,
        allowReplay: false,
        nonceSecret: createKeyedDigest(Buffer.from(cookieKeys[0] ?? ''))('dpop nonce', issuer.href),
        requireNonce: () => false,
      },
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      introspection: {
        enabled: true,
        allowedPolicy: (ctx, client, token) => client.clientAuthMethod !== 'none' && own(ctx, client, token),
      },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) =>
          resourceServer(registrationOf(client), resource, adminResource),
      },
      revocation: { enabled: true, allowedPolicy: own },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: pages.logoutSource,
        postLogoutSuccessSource: pages.postLogoutSuccessSource,
      },
      userinfo: { enabled: true },

      deviceFlow: { enabled: false },
      encryption: { enabled: false },
      jwtIntrospection: { enabled: false },
      jwtResponseModes: { enabled: false },
      jwtUserinfo: { enabled: false },
      registration: { enabled: false },
      requestObjects: { enabled: false },
    },
    discovery: {
      claim_types_supported: ['normal'],
      ui_locales_supported: ['id', 'en'],
      introspection_endpoint_auth_methods_supported: AUTH_METHODS.filter((method) => method !== 'none'),
      revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    },
    renderError: pages.renderError,
    // The provider refuses private addresses by itself; a redirect could name one.
    fetch: (address, init) => fetch(address, { redirect: 'error', ...init }),
    fetchResponseBodyLimits: { jwks_uri: MAX_JWKS_BYTES },
  };
}

/** A phone application: its refresh tokens live for weeks when it asks for `offline_access`. */
const isPhone = (client: Client): boolean =>
  client.applicationType === 'native' && client.grantTypeAllowed('refresh_token');

/** an assertion is made for us alone and for one request (RFC 7523 section 3, FAPI 2.0 section 5.3.2.1). */
function requireShortAssertion(assertion: { claims: Record<string, JsonValue>; issuer: string; now: number }): void {
  const { aud, iat, exp } = assertion.claims;
  if (aud !== assertion.issuer) throw new errors.InvalidClientAuth('audience (aud) must equal the issuer identifier');
  const latest = Math.min(
    (typeof iat === 'number' ? iat : assertion.now) + ASSERTION_SECONDS,
    assertion.now + ASSERTION_SECONDS + CLOCK_TOLERANCE_SECONDS,
  );
  if (typeof exp !== 'number' || exp > latest) {
    throw new errors.InvalidClientAuth(`a client assertion must expire within ${ASSERTION_SECONDS} seconds`);
  }
}
