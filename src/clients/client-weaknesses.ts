import { DEVICE_GRANT, type ClientRegistration } from './client-schema.js';

/** A registration that is accepted although it is weaker than the default. */
export interface Weakness {
  readonly field: string;
  readonly warning: string;
}

const PLACEHOLDER = /(?:^|\.)(?:example|invalid|test)$/;

const SIGNATURES = [
  ['id_token_signed_response_alg', 'ID tokens are signed'],
  ['authorization_signed_response_alg', 'authorization responses are signed'],
  ['request_object_signing_alg', 'request objects may be signed'],
] as const;

/** What `check-config`, `clients show` and the console warn of: every way in which a client is less safe than one that registers only addresses and keys. */
export function weaknesses(client: ClientRegistration): readonly Weakness[] {
  const found: Weakness[] = [];
  const warn = (field: string, warning: string): void => {
    found.push({ field, warning });
  };
  switch (client.token_endpoint_auth_method) {
    case 'private_key_jwt':
    case 'self_signed_tls_client_auth':
    case 'tls_client_auth':
      break;
    case 'none':
      warn('token_endpoint_auth_method', 'none: anyone can claim to be this client; PKCE alone protects its codes');
      break;
    case 'client_secret_basic':
    case 'client_secret_post':
      warn(
        'token_endpoint_auth_method',
        client.client_secret === undefined
          ? `${client.token_endpoint_auth_method}: a shared secret; clients rotate-secret makes it`
          : `${client.token_endpoint_auth_method}: a shared secret, which this file holds in clear`,
      );
  }
  if (client.x.require_pkce === false)
    warn('x.require_pkce', 'false: stolen codes can be redeemed by whoever is the client');
  for (const [field, what] of SIGNATURES) {
    if (client[field] === 'RS256')
      warn(field, `RS256: ${what} with RSA PKCS #1 v1.5, for clients that know nothing newer`);
  }
  if (client.response_modes?.some((mode) => mode.startsWith('fragment')) === true) {
    warn('response_modes', 'fragment: scripts of the page that is returned to can read the code');
  }
  if (client.grant_types.includes(DEVICE_GRANT))
    warn('grant_types', 'device_code: whoever talks a person into typing a code is let in as that person');
  const addresses = [
    ...client.redirect_uris,
    ...client.post_logout_redirect_uris,
    client.jwks_uri,
    client.backchannel_logout_uri,
  ].filter((address) => address !== undefined);
  const hosts = addresses.flatMap((address) => URL.parse(address) ?? []);
  if (hosts.some((url) => PLACEHOLDER.test(url.hostname))) {
    warn('redirect_uris', 'an address is a placeholder: this client cannot log anyone in yet');
  }
  if (client.jwks_uri?.startsWith('http:') === true)
    warn('jwks_uri', 'http: whoever is on the way can replace the keys');
  if (client.backchannel_logout_uri?.startsWith('http:') === true) {
    warn('backchannel_logout_uri', 'http: logout tokens travel in clear');
  }
  return found;
}
