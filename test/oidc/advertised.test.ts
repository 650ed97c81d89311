import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader, exportJWK, SignJWT } from 'jose';
import { assertionFields, claimsOf, House, tokensOf } from './support/house.js';

// Whatever discovery promises works: shown here, or by the test that is named. A value that is new in the document
// makes this file fail until somebody has shown it.

const metadata = JSON.parse(
  await readFile(new URL('golden/discovery.mutual-tls.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;
const here = 'advertised.test.ts';
const messages = 'messages.test.ts';
const certificates = 'mutual-tls.test.ts';

/** By member and value: the test that shows it, and words that stand in it. */
const SHOWN: Readonly<Record<string, Readonly<Record<string, readonly [file: string, words: string]>>>> = {
  acr_values_supported: {
    'urn:asn:aal2': ['login.test.ts', "acr: 'urn:asn:aal2'"],
    phr: ['requests.test.ts', "'phr'"],
  },
  code_challenge_methods_supported: { S256: ['refused-requests.test.ts', 'as it should be ends in a code'] },
  grant_types_supported: {
    authorization_code: ['login.test.ts', 'ends with tokens that say what was proved'],
    refresh_token: ['tokens.test.ts', 'is replaced at every use'],
    client_credentials: ['tokens.test.ts', 'gets tokens of its own that name its agency'],
    'urn:ietf:params:oauth:grant-type:device_code': ['../device-login/device-login.test.ts', 'device_code'],
    'urn:ietf:params:oauth:grant-type:token-exchange': ['exchange.test.ts', 'token-exchange'],
  },
  response_modes_supported: {
    query: ['login.test.ts', 'ends with tokens that say what was proved'],
    fragment: [here, 'in the fragment'],
    form_post: ['login.test.ts', 'posts the code by the one script'],
    jwt: [messages, "'jwt', 'query.jwt', 'fragment.jwt'"],
    'query.jwt': [messages, "'jwt', 'query.jwt', 'fragment.jwt'"],
    'fragment.jwt': [messages, "'jwt', 'query.jwt', 'fragment.jwt'"],
    'form_post.jwt': [messages, "response_mode: 'form_post.jwt'"],
  },
  response_types_supported: { code: ['refused-requests.test.ts', 'as it should be ends in a code'] },
  scopes_supported: Object.fromEntries(
    ['openid', 'profile', 'email', 'asn', 'offline_access'].map((scope) => [scope, [here, 'every scope'] as const]),
  ),
  subject_types_supported: {
    public: ['login.test.ts', 'ends with tokens that say what was proved'],
    pairwise: ['subjects.test.ts', 'pairwise'],
  },
  token_endpoint_auth_methods_supported: {
    private_key_jwt: [here, "'private_key_jwt'"],
    client_secret_basic: [here, "'client_secret_basic'"],
    client_secret_post: [here, "'client_secret_post'"],
    none: [here, "'none'"],
    self_signed_tls_client_auth: [certificates, "'self-made', () => byteSequence(selfMade)"],
    tls_client_auth: [certificates, "'certified', () => escapedPem(certified)"],
  },
  introspection_endpoint_auth_methods_supported: {
    private_key_jwt: [here, "'private_key_jwt'"],
    client_secret_basic: [here, "'client_secret_basic'"],
    client_secret_post: [here, "'client_secret_post'"],
    self_signed_tls_client_auth: [certificates, "call('/oidc/introspect'"],
    tls_client_auth: [certificates, "call('/oidc/introspect'"],
  },
  revocation_endpoint_auth_methods_supported: {
    private_key_jwt: [here, "'private_key_jwt'"],
    client_secret_basic: [here, "'client_secret_basic'"],
    client_secret_post: [here, "'client_secret_post'"],
    none: [here, "'none'"],
    self_signed_tls_client_auth: [certificates, 'is known by it'],
    tls_client_auth: [certificates, 'is known by it'],
  },
  token_endpoint_auth_signing_alg_values_supported: {
    ES256: [here, "'private_key_jwt'"],
    PS256: [here, 'asserts with PS256'],
  },
  id_token_signing_alg_values_supported: {
    ES256: ['login.test.ts', 'ES256'],
    RS256: ['login.test.ts', 'signs with RS256 where the registration says so'],
  },
  id_token_encryption_alg_values_supported: {
    'RSA-OAEP-256': [messages, "['RSA-OAEP-256', 'A256GCM', RSA]"],
    'ECDH-ES': [messages, "['ECDH-ES', 'A256GCM', EC]"],
    'ECDH-ES+A256KW': [messages, "['ECDH-ES+A256KW', 'A128CBC-HS256', EC]"],
  },
  id_token_encryption_enc_values_supported: {
    A256GCM: [messages, "['ECDH-ES', 'A256GCM', EC]"],
    'A128CBC-HS256': [messages, "['RSA-OAEP-256', 'A128CBC-HS256', RSA]"],
  },
  request_object_signing_alg_values_supported: {
    ES256: [messages, "clientId: 'signed'"],
    PS256: [messages, "['pss', 'PS256']"],
    RS256: [messages, "['rsa', 'RS256']"],
  },
  authorization_signing_alg_values_supported: {
    ES256: [messages, "alg = 'ES256'"],
    RS256: [messages, 'is signed with RS256 where it is registered'],
  },
  dpop_signing_alg_values_supported: {
    ES256: [here, "['ES256', 'Ed25519', 'EdDSA']"],
    Ed25519: [here, "['ES256', 'Ed25519', 'EdDSA']"],
    EdDSA: [here, "['ES256', 'Ed25519', 'EdDSA']"],
  },
  claims_supported: Object.fromEntries(
    (metadata.claims_supported as string[]).map((claim) => [claim, [here, 'every scope'] as const]),
  ),
  claim_types_supported: { normal: ['login.test.ts', 'ends with tokens that say what was proved'] },
  ui_locales_supported: { id: ['../web/views.test.ts', "'id'"], en: ['../web/views.test.ts', "'en'"] },
};

describe('what discovery promises', () => {
  const promised = Object.entries(metadata).flatMap(([member, values]) =>
    Array.isArray(values) ? values.map((value) => [member, String(value)] as const) : [],
  );

  it.each(promised)('%s %s is shown by a test', async (member, value) => {
    const [file, words] = SHOWN[member]?.[value] ?? [];
    expect([file, words]).not.toContain(undefined);
    expect(await readFile(new URL(file ?? '', import.meta.url), 'utf8')).toContain(words);
  });
});

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
let house: House;
beforeAll(async () => {
  house = await House.open({
    clients: [
      {
        client_id: 'pss',
        client_name: 'Client pss',
        grant_types: ['client_credentials'],
        jwks: { keys: [{ ...(await exportJWK(RSA.publicKey)), kid: 'pss' }] },
      },
    ],
  });
});
afterAll(() => house.close());

it.each([
  ['private_key_jwt', 'web'],
  ['client_secret_basic', 'legacy'],
  ['client_secret_post', 'poster'],
  ['none', 'spa'],
])('a client with %s gets tokens, asks about them and ends them', async (method, clientId) => {
  const tokens = await house.tokens({ browser: house.browser(), clientId, account: await house.person() });
  if (method !== 'none') expect(await house.isActive(clientId, tokens.access_token)).toBe(true);
  expect((await house.post('/oidc/revoke', clientId, { token: tokens.access_token })).status).toBe(200);
  expect((await house.userinfo(tokens.access_token)).status).toBe(401);
});

it('a client asserts with PS256', async () => {
  const now = Math.floor(Date.now() / 1000);
  const assertion = await new SignJWT({
    iss: 'pss',
    sub: 'pss',
    aud: house.issuer,
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
  })
    .setProtectedHeader({ alg: 'PS256', kid: 'pss' })
    .sign(RSA.privateKey);
  const answer = await house.browser().call(house.address('/oidc/token'), {
    form: { grant_type: 'client_credentials', ...assertionFields(assertion) },
  });
  expect(tokensOf(answer).access_token).toEqual(expect.any(String));
});

it.each(['ES256', 'Ed25519', 'EdDSA'])('a proof of possession is taken with %s', async (alg) => {
  const pair = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const { privateKey, publicKey } = pair;
  const proof = await new SignJWT({
    htm: 'POST',
    htu: house.address('/oidc/token'),
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
  })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
    .sign(privateKey);
  const { form } = await house.credentials('service');
  const answer = await house.browser().call(house.address('/oidc/token'), {
    headers: { dpop: proof },
    form: { grant_type: 'client_credentials', ...form },
  });
  expect(tokensOf(answer).token_type).toBe('DPoP');
});

it('a page gets its code in the fragment', async () => {
  const browser = house.browser();
  await house.tokens({ browser, clientId: 'web', account: await house.person() });
  const asked = house.request({ clientId: 'spa', params: { response_mode: 'fragment' } });
  const { search, hash } = (await browser.call(asked.url)).redirect();
  const code = new URLSearchParams(hash.slice(1)).get('code') ?? '';
  expect(search).toBe('');
  expect(tokensOf(await house.redeem('spa', { ...asked, code })).access_token).toEqual(expect.any(String));
});

it('every scope gives its claims, all of those that are promised', async () => {
  const clientId = 'roles-of-all';
  const whole = await House.open({
    clients: [
      {
        client_id: clientId,
        client_name: 'Client of all',
        redirect_uris: [`https://${clientId}.example/cb`],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        x: {
          claims: ['name', 'preferred_username', 'email', 'email_verified', 'nip', 'employment', 'agency', 'roles'],
        },
      },
    ],
  });
  const account = await whole.person();
  await whole.db.query(
    "INSERT INTO role_grants (account_id, role, agency_code, granted_at) VALUES ($1, 'helpdesk', '3300', now())",
    [account],
  );
  const scope = (metadata.scopes_supported as string[]).join(' ');
  const tokens = await whole.tokens({
    browser: whole.browser(),
    clientId,
    account,
    params: { scope, prompt: 'consent' },
  });
  expect(tokens.scope).toBe(scope);
  expect(decodeProtectedHeader(tokens.id_token).alg).toBe('ES256');
  const told = JSON.parse((await whole.userinfo(tokens.access_token)).body) as object;
  const known = new Set([...Object.keys(told), ...Object.keys(claimsOf(tokens.id_token))]);
  expect((metadata.claims_supported as string[]).filter((claim) => !known.has(claim))).toEqual([]);
  await whole.close();
});
