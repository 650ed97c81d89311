/** What the FAPI 2.0 Security Profile has a say in. */
export interface Fapi2Fields {
  readonly token_endpoint_auth_method: string;
  readonly require_pushed_authorization_requests?: boolean | undefined;
  readonly dpop_bound_access_tokens?: boolean | undefined;
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined;
  readonly id_token_signed_response_alg: string;
  readonly authorization_signed_response_alg?: string | undefined;
  readonly request_object_signing_alg?: string | undefined;
  readonly redirect_uris: readonly string[];
  readonly x: { readonly profile?: 'fapi2' | undefined; readonly require_pkce?: boolean | undefined };
}

/** Clients that prove a key of their own, by signature or certificate (FAPI 2.0 section 5.3.2.1). */
const OWN_KEY_METHODS: readonly string[] = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'];

/** A client that proves itself anew at every use: its refresh tokens need not rotate (FAPI 2.0 section 5.3.2.1). */
export const provesOwnKey = (method: string): boolean => OWN_KEY_METHODS.includes(method);

export const isFapi2 = (client: Pick<Fapi2Fields, 'x'>): boolean => client.x.profile === 'fapi2';

/** Where a registration says something else than the profile it names. */
export function* fapi2Contradictions(client: Fapi2Fields): Generator<{ field: string; problem: string }> {
  const {
    dpop_bound_access_tokens: dpop,
    tls_client_certificate_bound_access_tokens: certificate,
    require_pushed_authorization_requests: pushed,
  } = client;
  const no = (field: string, problem: string) => ({ field, problem: `${problem} in the profile fapi2` });

  if (!provesOwnKey(client.token_endpoint_auth_method)) {
    yield no('token_endpoint_auth_method', `must be one of ${OWN_KEY_METHODS.join(', ')}`);
  }
  if (pushed === false) yield no('require_pushed_authorization_requests', 'must not be false');
  if (client.x.require_pkce === false) yield no('x.require_pkce', 'must not be false');
  if (dpop === false && certificate !== true) {
    yield no('dpop_bound_access_tokens', 'must not be false without tls_client_certificate_bound_access_tokens');
  }
  for (const field of [
    'id_token_signed_response_alg',
    'authorization_signed_response_alg',
    'request_object_signing_alg',
  ] as const) {
    if (client[field] === 'RS256') yield no(field, 'must not be RS256');
  }
  const plain = client.redirect_uris.find((uri) => !uri.startsWith('https:') && !isOwnMachine(uri));
  if (plain !== undefined) yield no('redirect_uris', `${plain} must be https`);
}

/** RFC 8252 section 7.3: the port that a native application listens on for itself. */
const isOwnMachine = (uri: string): boolean => /^http:\/\/(?:127\.0\.0\.1|\[::1\])[:/]/.test(uri);

/**
 * The FAPI 2.0 Security Profile switched on in standard fields: pushed requests, and tokens bound to the client's
 * certificate where it is registered for that, else to a DPoP key.
 */
export function withFapi2<Client extends Fapi2Fields>(client: Client): Client {
  if (!isFapi2(client)) return client;
  return {
    ...client,
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: client.tls_client_certificate_bound_access_tokens !== true,
  };
}
