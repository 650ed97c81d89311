import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parseClients } from '#src/clients/clients-file.js';
import { House } from './support/house.js';
let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

// A registration that our rules let in and the provider refuses would fail at the first login.
const base = { client_id: 'odd', client_name: 'Odd', redirect_uris: ['https://odd.example/cb'] };
it.each<[string, object]>([
  ['no crv', { jwks: { keys: [{ kty: 'EC' }] } }],
  ['bad point', { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] } }],
  ['unknown crv', { jwks: { keys: [{ kty: 'EC', crv: 'X', x: 'AA', y: 'AA' }] } }],
  ['rsa', { jwks: { keys: [{ kty: 'RSA', n: 'AA', e: 'AQAB' }] } }],
  ['okp', { jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] } }],
  ['kid number', { jwks: { keys: [{ kty: 'RSA', n: 'AA', e: 'AQAB', kid: 3 }] } }],
  [
    'dup uris',
    { redirect_uris: ['https://odd.example/cb', 'https://odd.example/cb'], jwks_uri: 'https://odd.example/j' },
  ],
  [
    'native http host',
    {
      application_type: 'native',
      redirect_uris: ['http://localhost/cb', 'odd.example:/x'],
      token_endpoint_auth_method: 'none',
    },
  ],
  [
    'native https loopback',
    { application_type: 'native', redirect_uris: ['https://localhost/cb'], token_endpoint_auth_method: 'none' },
  ],
  [
    'post logout custom',
    {
      application_type: 'native',
      redirect_uris: ['a.b:/cb'],
      post_logout_redirect_uris: ['a.b:/x'],
      token_endpoint_auth_method: 'none',
    },
  ],
  ['contacts', { contacts: [], jwks_uri: 'https://odd.example/j' }],
  ['http jwks', { jwks_uri: 'http://odd.example/j' }],
  ['userinfo logo', { logo_uri: 'https://u:p@odd.example/j', jwks_uri: 'https://odd.example/j' }],
  ['ini login http', { initiate_login_uri: 'http://odd.example/j', jwks_uri: 'https://odd.example/j' }],
  ['bcl http', { backchannel_logout_uri: 'http://odd.example/j#x', jwks_uri: 'https://odd.example/j' }],
  ['acr', { default_acr_values: ['phr'], default_max_age: 0, jwks_uri: 'https://odd.example/j' }],
  ['scope no openid', { scope: 'profile', jwks_uri: 'https://odd.example/j' }],
  ['scope offline', { scope: 'openid offline_access', jwks_uri: 'https://odd.example/j' }],
  ['scope dup', { scope: 'openid openid', jwks_uri: 'https://odd.example/j' }],
  ['modes', { response_modes: ['form_post'], jwks_uri: 'https://odd.example/j' }],
  ['dpop', { dpop_bound_access_tokens: true, jwks_uri: 'https://odd.example/j' }],
  [
    'sso sectors',
    {
      subject_type: 'pairwise',
      redirect_uris: ['https://a.example/cb', 'https://b.example/cb'],
      jwks_uri: 'https://odd.example/j',
    },
  ],
  [
    'service pairwise',
    {
      grant_types: ['client_credentials'],
      redirect_uris: [],
      subject_type: 'pairwise',
      jwks_uri: 'https://odd.example/j',
    },
  ],
  [
    'device',
    {
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [],
      token_endpoint_auth_method: 'none',
    },
  ],
  ['enc', { id_token_encrypted_response_alg: 'RSA-OAEP-256', jwks_uri: 'https://odd.example/j' }],
  ['enc only', { id_token_encrypted_response_enc: 'A256GCM', jwks_uri: 'https://odd.example/j' }],
  ['alg on none', { token_endpoint_auth_method: 'none', token_endpoint_auth_signing_alg: 'ES256' }],
  ['fapi', { x: { profile: 'fapi2' }, jwks_uri: 'https://odd.example/j', dpop_bound_access_tokens: true }],
  ['many codes', { response_types: ['code', 'code'], jwks_uri: 'https://odd.example/j' }],
  ['no types', { response_types: [], jwks_uri: 'https://odd.example/j' }],
  [
    'empty grants',
    { grant_types: ['refresh_token', 'authorization_code', 'authorization_code'], jwks_uri: 'https://odd.example/j' },
  ],
  ['uri unicode', { redirect_uris: ['https://ödd.example/cb'], jwks_uri: 'https://odd.example/j' }],
  ['uri port', { redirect_uris: ['https://odd.example:99999/cb'], jwks_uri: 'https://odd.example/j' }],
  ['uri space', { redirect_uris: ['https://odd.example/c b'], jwks_uri: 'https://odd.example/j' }],
])('what our rules accept, the provider does: %s', async (_, change) => {
  const parsed = parseClients([{ ...base, ...change }], {
    issuer: new URL(house.issuer),
    adminResource: house.adminResource,
    production: true,
    demoSecret: undefined,
  });
  const registrations = parsed.kind === 'loaded' ? parsed.clients : [];
  house.registry.replace(registrations.map((registration) => ({ registration, secrets: [], endedAt: undefined })));
  const refusals = await Promise.all(
    registrations.map(({ client_id: id }) =>
      house.openid.provider.Client.find(id).then(
        (client) => (client === undefined ? 'unknown' : undefined),
        (error: unknown) => (error as { error_description?: string }).error_description,
      ),
    ),
  );
  expect(refusals.filter((refusal) => refusal !== undefined)).toEqual([]);
});
