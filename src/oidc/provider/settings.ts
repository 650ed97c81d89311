import type { Configuration, ExternalSigningKey, KoaContextWithOIDC } from 'oidc-provider';
import { epochSeconds } from '../../kernel/clock.js';
import { accountId } from '../../kernel/ids.js';
import { accessTokenClaims, keepSubject } from '../tokens/access-token-claims.js';
import { createFetch } from '../../security/outbound-fetch.js';
import type { Reachable } from '../../security/reachable.js';
import { adapterFactory, type AdapterParts } from '../storage/adapter.js';
import {
  ASSERTION_ALGS,
  CONTENT_ENCRYPTIONS,
  DPOP_ALGS,
  ENCRYPTION_ALGS,
  REQUEST_OBJECT_ALGS,
  SIGNED_RESPONSE_ALGS,
} from '../../clients/algorithms.js';
import { ACR_LADDER } from '../../clients/authentication-class.js';
import { AUTH_METHODS, type ClientRegistration } from '../../clients/client-schema.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { DEVICE_PAGES } from '../device/device-pages.js';
import { DEVICE_PROMPT } from '../device/device-prompt.js';
import { DEVICE_CODE_SECONDS } from '../device/device-codes.js';
import { mountPath, type Endpoints } from '../endpoints.js';
import { provesOwnKey } from '../../clients/fapi2.js';
import { requireShortAssertion } from '../clients/client-proofs.js';
import { featureSettings } from './feature-settings.js';
import { firstPartyGrant } from '../login/first-party-grant.js';
import {
  CLOCK_TOLERANCE_SECONDS,
  CODE_SECONDS,
  GRANT_SECONDS,
  INTERACTION_SECONDS,
  PHONE_GRANT_SECONDS,
  SESSION_ABSOLUTE_SECONDS,
  SESSION_IDLE_SECONDS,
  TOKEN_SECONDS,
} from '../lifetimes.js';
import { certificateMethods, endpointAliases, type MutualTlsParts } from '../clients/mutual-tls.js';
import { liveAccounts } from '../login/person-account.js';
import { signInPolicy } from '../login/policy.js';
import type { Subjects } from '../tokens/subjects.js';
import { ALWAYS_IN_ID_TOKEN, OIDC_SCOPES, SCOPE_CLAIMS } from '../../clients/scopes.js';

/** What the keys of a client may take: of our time, while it waits for its token, and of our memory. */
const JWKS_TIMEOUT_MS = 2_500;
const MAX_JWKS_BYTES = 64 * 1024;

export type Client = NonNullable<KoaContextWithOIDC['oidc']['client']>;

export interface SettingsParts extends AdapterParts {
  readonly issuer: URL;
  readonly endpoints: Endpoints;
  readonly registry: ClientRegistry;
  readonly keys: readonly ExternalSigningKey[];
  /** The first signs, all verify. */
  readonly cookieKeys: readonly string[];
  readonly adminResource: string;
  /** Which hosts the keys of clients are fetched from. */
  readonly reachable: Reachable;
  /** Absent where no proxy hands client certificates over. */
  readonly mutualTls?: MutualTlsParts | undefined;
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
  Required<Pick<Configuration, 'renderError'>> & {
    readonly device: Pick<
      NonNullable<NonNullable<Configuration['features']>['deviceFlow']>,
      'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'
    >;
  };

/** Every setting of the provider that SECURITY.md section 8 names; a test holds them one by one. */
export function providerSettings(parts: SettingsParts): Configuration {
  const { issuer, registry, keys, cookieKeys, pages } = parts;
  const authMethods = [...AUTH_METHODS, ...certificateMethods(parts.mutualTls)];
  const fetchDocument = createFetch({
    reachable: parts.reachable,
    timeoutMs: JWKS_TIMEOUT_MS,
    maxBytes: MAX_JWKS_BYTES,
  });
  const secure = issuer.protocol === 'https:';
  const now = (): number => epochSeconds(parts.clock.now());
  const accounts = liveAccounts(parts);
  const registrationOf = (client: Client): ClientRegistration | undefined => registry.registration(client.clientId);

  return {
    adapter: adapterFactory(parts),
    jwks: { keys },
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
      authorization_signed_response_alg: 'ES256',
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
      url: (_ctx, { uid, prompt }) => (prompt.name === DEVICE_PROMPT ? `${DEVICE_PAGES}/${uid}` : `/sign-in/${uid}`),
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
    // The schema refuses `false` for the profile fapi2 and for clients without a secret.
    pkce: { required: (_ctx, client) => registrationOf(client)?.x.require_pkce !== false },
    clockTolerance: CLOCK_TOLERANCE_SECONDS,

    clientAuthMethods: authMethods,
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASSERTION_ALGS],
      idTokenSigningAlgValues: [...SIGNED_RESPONSE_ALGS],
      authorizationSigningAlgValues: [...SIGNED_RESPONSE_ALGS],
      requestObjectSigningAlgValues: [...REQUEST_OBJECT_ALGS],
      dPoPSigningAlgValues: [...DPOP_ALGS],
      idTokenEncryptionAlgValues: [...ENCRYPTION_ALGS],
      idTokenEncryptionEncValues: [...CONTENT_ENCRYPTIONS],
      // Encrypted to a key of ours, or to a shared secret: nobody needs it.
      requestObjectEncryptionAlgValues: [],
      requestObjectEncryptionEncValues: [],
      authorizationEncryptionAlgValues: [],
      authorizationEncryptionEncValues: [],
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
      DeviceCode: DEVICE_CODE_SECONDS,
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
    rotateRefreshToken: ({ oidc }) => !provesOwnKey(oidc.client?.clientAuthMethod ?? 'none'),
    extraTokenClaims: accessTokenClaims(registry),
    formats: { customizers: { jwt: keepSubject } },

    cookies: {
      names: secure
        ? { session: '__Host-sid', interaction: '__Secure-int', resume: '__Secure-res' }
        : { session: 'sid', interaction: 'int', resume: 'res' },
      long: { signed: true, httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true },
      short: { signed: true, httpOnly: true, sameSite: 'lax', secure, overwrite: true },
      keys: cookieKeys,
    },

    features: featureSettings(parts),
    discovery: {
      claim_types_supported: ['normal'],
      registration_endpoint: `${issuer.origin}${mountPath(issuer)}${parts.endpoints.registration}`,
      ui_locales_supported: ['id', 'en'],
      introspection_endpoint_auth_methods_supported: authMethods.filter((method) => method !== 'none'),
      revocation_endpoint_auth_methods_supported: authMethods,
      ...endpointAliases(parts.mutualTls, { path: mountPath(issuer), endpoints: parts.endpoints }),
    },
    renderError: pages.renderError,
    // The provider's own guard knows no list of private hosts, and keeps connections.
    fetch: (address, init) => fetchDocument(address, init),
    fetchResponseBodyLimits: { jwks_uri: MAX_JWKS_BYTES },
  };
}

/** A phone application: its refresh tokens live for weeks when it asks for `offline_access`. */
const isPhone = (client: Client): boolean =>
  client.applicationType === 'native' && client.grantTypeAllowed('refresh_token');
