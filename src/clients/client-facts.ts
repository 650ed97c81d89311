import { allowedClaims } from './allowed-claims.js';
import { DEVICE_GRANT, type ClientRegistration } from './client-schema.js';
import { isFapi2 } from './fapi2.js';
import { OIDC_SCOPES } from './scopes.js';

/** What a client must do besides what all must. */
export type ClientDemand = 'pkce' | 'par' | 'signed_request' | 'dpop' | 'certificate_bound' | 'fapi2';

/** `resource`: it gets no tokens, and checks those that others bring. */
export type ClientType = 'web' | 'native' | 'device' | 'service' | 'resource';

/** Grant types by names that can be keys of texts. */
const GRANTS = {
  authorization_code: 'code',
  refresh_token: 'refresh',
  client_credentials: 'credentials',
  'urn:ietf:params:oauth:grant-type:device_code': 'device',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'exchange',
} as const satisfies Readonly<Record<ClientRegistration['grant_types'][number], string>>;
export type ClientGrant = (typeof GRANTS)[keyof typeof GRANTS];

/** A registration in the order in which people ask for it, defaults included; codes, for words of the pages. */
export interface ClientFacts {
  readonly type: ClientType;
  /** Whether people log in by it; else it acts for itself, or only checks tokens. */
  readonly isForPeople: boolean;
  /** How it comes by tokens. */
  readonly grants: readonly ClientGrant[];
  readonly redirectUris: readonly string[];
  readonly startUri: string | undefined;
  readonly authentication: string;
  readonly jwksUri: string | undefined;
  readonly demands: readonly ClientDemand[];
  readonly scopes: readonly string[];
  /** What it may learn of a person, `sub` apart. */
  readonly claims: readonly string[];
  readonly claimsInIdToken: boolean;
  readonly isPairwise: boolean;
  readonly allowed: {
    readonly employment: readonly string[];
    readonly agencies: readonly string[];
    readonly roles: readonly string[];
  };
  readonly acr: string | undefined;
  readonly maxAgeSeconds: number | undefined;
  readonly logoutUris: readonly string[];
  readonly backchannelUri: string | undefined;
  /** Of which services it checks the tokens. */
  readonly serves: readonly string[];
  /** Which services it may call, with which scopes. */
  readonly resources: readonly { readonly uri: string; readonly scopes: readonly string[] }[];
}

function typeOf({ application_type: type, grant_types: grants }: ClientRegistration): ClientType {
  if (grants.includes('authorization_code')) return type;
  if (grants.includes(DEVICE_GRANT)) return 'device';
  return grants.length === 0 ? 'resource' : 'service';
}

export function factsOf(client: ClientRegistration): ClientFacts {
  const { x } = client;
  const scopes = client.scope?.split(' ') ?? OIDC_SCOPES;
  const redirects = client.grant_types.includes('authorization_code');
  const isForPeople = redirects || client.grant_types.includes(DEVICE_GRANT);
  const demands: readonly (readonly [ClientDemand, boolean])[] = [
    ['fapi2', isFapi2(client)],
    ['pkce', redirects && x.require_pkce !== false],
    ['par', client.require_pushed_authorization_requests === true],
    ['signed_request', client.require_signed_request_object === true],
    ['dpop', client.dpop_bound_access_tokens === true],
    ['certificate_bound', client.tls_client_certificate_bound_access_tokens === true],
  ];
  return {
    type: typeOf(client),
    isForPeople,
    grants: client.grant_types.map((grant) => GRANTS[grant]),
    redirectUris: client.redirect_uris,
    startUri: x.launch_uri ?? client.client_uri,
    authentication: client.token_endpoint_auth_method,
    jwksUri: client.jwks_uri,
    demands: demands.flatMap(([demand, is]) => (is ? [demand] : [])),
    scopes: isForPeople ? scopes : [],
    claims: isForPeople ? allowedClaims(client) : [],
    claimsInIdToken: x.claims_in_id_token === true,
    isPairwise: client.subject_type === 'pairwise',
    allowed: {
      employment: x.allowed_employment ?? [],
      agencies: x.allowed_agencies ?? [],
      roles: x.allowed_roles ?? [],
    },
    acr: x.acr,
    maxAgeSeconds: x.max_age_seconds,
    logoutUris: client.post_logout_redirect_uris,
    backchannelUri: client.backchannel_logout_uri,
    serves: x.serves ?? [],
    resources: Object.entries(x.resources ?? {}).map(([uri, own]) => ({ uri, scopes: own })),
  };
}
