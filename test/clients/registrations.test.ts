import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { registryOf } from './support/registry.js';
import { weaknesses } from '#src/clients/client-weaknesses.js';
import { findUnreachable } from '#src/clients/client-reach.js';
import { createReachable } from '#src/security/reachable.js';
import { loadClients, parseClients, type LoadOptions } from '#src/clients/clients-file.js';
import { TOKEN_EXCHANGE } from '#src/clients/client-schema.js';
import { demoKey } from '#src/clients/demo-clients.js';
import { isLimited, mayUse, missing } from '#src/clients/entitlement.js';
import { keyOf, registrations, SECRET } from '../oidc/support/registrations.js';

const ADMIN = 'https://admin.asn.example/api/admin';
const FILE = fileURLToPath(new URL('../../config/clients.json', import.meta.url));
const options: LoadOptions = {
  issuer: new URL('https://sso.asn.example/realms/asn'),
  adminResource: ADMIN,
  production: true,
  demoSecret: undefined,
};
const publicHalfOf = (key: object): object => Object.fromEntries(Object.entries(key).filter(([part]) => part !== 'd'));
const publicKey = publicHalfOf(keyOf('one'));
const valid = {
  client_id: 'one',
  client_name: 'One',
  redirect_uris: ['https://one.example/cb'],
  jwks: { keys: [publicKey] },
};
const judge = (change: object, rest: Partial<LoadOptions> = {}) =>
  parseClients([JSON.parse(JSON.stringify({ ...valid, ...change }))], { ...options, ...rest });
const problemsOf = (loaded: ReturnType<typeof judge>): string[] =>
  loaded.kind === 'refused'
    ? loaded.problems.map(({ client, field, problem }) => `${client} ${field}: ${problem}`)
    : [];
const only = (change: object = {}) => {
  const loaded = judge(change);
  if (loaded.kind === 'refused' || loaded.clients[0] === undefined) throw new Error(problemsOf(loaded).join());
  return loaded.clients[0];
};

describe('the clients file that comes with the program', () => {
  it('is accepted in production, as it is', async () => {
    const loaded = await loadClients(FILE, options);
    expect(loaded.kind === 'loaded' && loaded.clients.map(({ client_id: id }) => id)).toEqual([
      'myasn',
      'siasn',
      'sscasn',
      'dms',
    ]);
  });

  it('warns that its addresses are placeholders', async () => {
    const loaded = await loadClients(FILE, options);
    if (loaded.kind === 'refused') throw new Error();
    for (const client of loaded.clients) {
      expect(weaknesses(client)).toEqual([{ field: 'redirect_uris', warning: expect.stringContaining('placeholder') }]);
    }
  });

  it('asks for a second factor of five minutes for DMS, and for pushed requests from SIASN', async () => {
    const loaded = await loadClients(FILE, options);
    if (loaded.kind === 'refused') throw new Error();
    const byId = new Map(loaded.clients.map((client) => [client.client_id, client]));
    expect(byId.get('dms')?.x.max_age_seconds).toBe(300);
    expect(byId.get('siasn')?.require_pushed_authorization_requests).toBe(true);
    expect(byId.get('dms')?.x.claims).not.toEqual(byId.get('siasn')?.x.claims);
  });

  it('in demo mode leads to this program, with keys that every process derives alike', async () => {
    const demo = {
      ...options,
      production: false,
      issuer: new URL('http://localhost:3000'),
      demoSecret: Buffer.alloc(32, 9),
    };
    const [one, two] = await Promise.all([loadClients(FILE, demo), loadClients(FILE, demo)]);
    expect(one).toEqual(two);
    if (one.kind === 'refused') throw new Error(JSON.stringify(one.problems));
    expect([...one.demoKeys.keys()]).toEqual(['myasn', 'siasn', 'sscasn', 'dms']);
    for (const client of one.clients) {
      const home = `http://localhost:3000/demo/${client.client_id}`;
      expect(client).toMatchObject({
        redirect_uris: [`${home}/callback`],
        post_logout_redirect_uris: [home, `${home}/signed-out`],
        x: { launch_uri: home },
      });
      expect(client.jwks_uri).toBeUndefined();
      expect(JSON.stringify(client)).not.toContain('"d":');
    }
    expect(one.clients.find(({ client_id: id }) => id === 'dms')?.x.max_age_seconds).toBe(300);
  });

  it('outside demo mode hands no keys out', async () => {
    const loaded = await loadClients(FILE, options);
    expect(loaded.kind === 'loaded' && loaded.demoKeys.size).toBe(0);
  });
});

describe('a derived key', () => {
  it('is a valid key pair, another one for each client and secret', () => {
    const [key, otherClient, otherSecret] = [
      demoKey(Buffer.alloc(32, 1), 'myasn'),
      demoKey(Buffer.alloc(32, 1), 'dms'),
      demoKey(Buffer.alloc(32, 2), 'myasn'),
    ];
    expect(new Set([key.d, otherClient.d, otherSecret.d]).size).toBe(3);
    const publicHalf = publicHalfOf(key);
    const data = Buffer.from('data');
    const signature = sign('sha256', data, createPrivateKey({ key, format: 'jwk' }));
    expect(verify('sha256', data, createPublicKey({ key: publicHalf as JsonWebKey, format: 'jwk' }), signature)).toBe(
      true,
    );
  });
});

describe('a registration', () => {
  it('has safe defaults', () => {
    expect(only()).toMatchObject({
      application_type: 'web',
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
      x: {},
    });
    expect(weaknesses(only({ redirect_uris: ['https://one.go.id/cb'] }))).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['without a name', { client_name: undefined }, 'one client_name:'],
    ['with an id of its own kind', { client_id: 'a b' }, 'a b client_id:'],
    [
      'with the id of a built-in client',
      { client_id: 'asn-digital' },
      'asn-digital client_id: is the id of a built-in client',
    ],
    ['with an id that is a step in an address', { client_id: '..' }, '.. client_id: must be 1 to 64'],
    ['with an id that is a page', { client_id: 'new' }, 'new client_id: is a word with a meaning of its own'],
    ['with an id of every object', { client_id: '__proto__' }, '__proto__ client_id: must be 1 to 64'],
    ['with another id of every object', { client_id: 'constructor' }, 'constructor client_id: is a word'],
    ['with a NUL in its name', { client_name: 'One\0' }, 'one client_name: holds characters that cannot be kept'],
    ['with half a character deep down', { x: { allowed_roles: ['a', '\ud800'] } }, 'one x.allowed_roles.1: holds'],
    ['with half a character for a name of a field', { '\udc00': 1 }, 'one : holds names with characters'],
    ['with NUL in a key of a key', { jwks: { keys: [{ ...publicKey, 'a\0': 1 }] } }, 'one jwks.keys.0: holds names'],
    ['with a name that turns around', { client_name: 'NSA\u202eyM' }, 'one client_name: must not hold characters that'],
    ['with a name that is longer than it looks', { client_name: 'My\u200bASN' }, 'one client_name: must not hold'],
    ['with a name that clears the screen', { client_name: 'My\u001b[2J' }, 'one client_name: must not hold'],
    ['with a name on two lines', { client_name: 'My\u2028ASN' }, 'one client_name: must not hold'],
    ['with a name that is a blank', { client_name: ' ' }, 'one client_name: must not begin or end with a blank'],
    ['with a name that looks like none', { client_name: '\u3164' }, 'one client_name: must not hold'],
    ['with a name behind a blank', { client_name: ' One' }, 'one client_name: must not begin or end with a blank'],
    ['with a name of dots', { client_name: '...' }, 'one client_name: must hold a letter or digit'],
    ['with a description of ours that is not seen', { x: { description: 'a\u0085' } }, 'one x.description: must not'],
    ...['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri', 'backchannel_logout_uri'].flatMap(
      (field): [string, object, string][] => [
        [`with every host in ${field}`, { [field]: 'https://%2A/' }, `one ${field}: must name a host by letters`],
        [`with a password in ${field}`, { [field]: 'https://a:b@one.example/' }, `one ${field}: must not hold cred`],
      ],
    ),
    ['with every host for its keys', { jwks: undefined, jwks_uri: 'https://*/' }, 'one jwks_uri: must name a host'],
    ['with every host to begin at', { x: { launch_uri: 'https://*/' } }, 'one x.launch_uri: must name a host'],
    ['with every host on its way', { x: { redirect_origins: ['https://*'] } }, 'one x.redirect_origins.0: must name'],
    ['with every host, in figures', { redirect_uris: ['https://%2a/cb'] }, 'https://%2a/cb must name a host'],
    ['with a directive for a host', { redirect_uris: ['https://x;sandbox/cb'] }, 'https://x;sandbox/cb must name a'],
    ['with a directive to leave to', { post_logout_redirect_uris: ['https://x;sandbox/'] }, 'must name a host by'],
    [
      'with a sector of every host',
      { subject_type: 'pairwise', sector_identifier_uri: 'https://*/' },
      'one sector_identifier_uri: must name a host',
    ],
    ['with a misspelt field', { redirect_uri: 'x' }, 'one redirect_uri: is not known'],
    ['with a misspelt field of ours', { x: { max_age: 3 } }, 'one x.max_age: is not known'],
    ['without a redirect address', { redirect_uris: [] }, 'one redirect_uris: must hold an address'],
    ['with a fragment', { redirect_uris: ['https://one.example/cb#a'] }, 'must not have a fragment'],
    ['with a wildcard', { redirect_uris: ['https://*.one.example/cb'] }, 'must be exact, without wildcards'],
    ['with credentials', { redirect_uris: ['https://a:b@one.example/cb'] }, 'must not hold credentials'],
    ['with http', { redirect_uris: ['http://one.example/cb'] }, 'must be https'],
    ['with http to this machine, in production', { redirect_uris: ['http://localhost/cb'] }, 'must be https'],
    ['with a scheme of its own', { redirect_uris: ['one:/cb'] }, 'must be https'],
    ['with script', { redirect_uris: ['javascript:alert(1)'] }, 'must be https'],
    ['with a relative address', { redirect_uris: ['/cb'] }, 'must be an absolute address'],
    [
      'with a logout address over http',
      { post_logout_redirect_uris: ['http://one.example/'] },
      'one post_logout_redirect_uris:',
    ],
    ['without keys', { jwks: undefined }, 'one jwks: either jwks or jwks_uri is needed'],
    ['with keys twice', { jwks_uri: 'https://one.example/jwks' }, 'one jwks: either jwks or jwks_uri, not both'],
    ['with a response mode of its own', { response_modes: ['web_message'] }, 'one response_modes.0: must be one of'],
    ['with no response mode', { response_modes: [] }, 'one response_modes:'],
    [
      'that answers nobody, in a mode',
      { redirect_uris: undefined, grant_types: ['client_credentials'], response_modes: ['query'] },
      'one response_modes: are of no use without authorization_code',
    ],
    ['with unsigned request objects', { request_object_signing_alg: 'none' }, 'one request_object_signing_alg:'],
    ['with secret request objects', { request_object_signing_alg: 'HS256' }, 'one request_object_signing_alg:'],
    [
      'that has to sign requests and has no key',
      {
        jwks: undefined,
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: SECRET,
        require_signed_request_object: true,
      },
      'one jwks: either jwks or jwks_uri is needed for require_signed_request_object',
    ],
    ['encrypted with RSA1_5', { id_token_encrypted_response_alg: 'RSA1_5' }, 'one id_token_encrypted_response_alg:'],
    ['encrypted with a secret', { id_token_encrypted_response_alg: 'dir' }, 'one id_token_encrypted_response_alg:'],
    [
      'encrypted with no algorithm',
      { id_token_encrypted_response_enc: 'A256GCM' },
      'one id_token_encrypted_response_enc: needs id_token_encrypted_response_alg',
    ],
    [
      'encrypted to a key that only signs',
      { id_token_encrypted_response_alg: 'ECDH-ES' },
      'one jwks: holds no key to encrypt to with ECDH-ES',
    ],
    [
      'that is known by a certificate where none is handed over',
      { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'one.example' },
      'one token_endpoint_auth_method: needs a proxy that hands client certificates over',
    ],
    [
      'with tokens bound to a certificate where none is handed over',
      { tls_client_certificate_bound_access_tokens: true },
      'one tls_client_certificate_bound_access_tokens: needs a proxy',
    ],
    ['with an unknown profile', { x: { profile: 'fapi1' } }, 'one x.profile:'],
    [
      'of the profile fapi2 with a secret',
      {
        jwks: undefined,
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: SECRET,
        x: { profile: 'fapi2' },
      },
      'one token_endpoint_auth_method: must be one of private_key_jwt, tls_client_auth, self_signed_tls_client_auth',
    ],
    [
      'of the profile fapi2 without pushed requests',
      { require_pushed_authorization_requests: false, x: { profile: 'fapi2' } },
      'one require_pushed_authorization_requests: must not be false in the profile fapi2',
    ],
    [
      'of the profile fapi2 without PKCE',
      { x: { profile: 'fapi2', require_pkce: false } },
      'one x.require_pkce: must not be false in the profile fapi2',
    ],
    [
      'of the profile fapi2 with bearer tokens',
      { dpop_bound_access_tokens: false, x: { profile: 'fapi2' } },
      'one dpop_bound_access_tokens: must not be false without',
    ],
    [
      'of the profile fapi2 with RS256',
      { id_token_signed_response_alg: 'RS256', x: { profile: 'fapi2' } },
      'one id_token_signed_response_alg: must not be RS256 in the profile fapi2',
    ],
    [
      'of the profile fapi2 with http',
      { redirect_uris: ['http://localhost/cb'], x: { profile: 'fapi2' } },
      'one redirect_uris: http://localhost/cb must be https in the profile fapi2',
    ],
    ['with a private key', { jwks: { keys: [keyOf('one')] } }, 'must hold public keys only'],
    ['with a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, 'one jwks.keys.0:'],
    ['with a secret of no use', { client_secret: SECRET }, 'one client_secret: is of no use with private_key_jwt'],
    [
      'with a short secret',
      { jwks: undefined, token_endpoint_auth_method: 'client_secret_post', client_secret: 'short' },
      'one client_secret:',
    ],
    [
      'that signs with HS256',
      { token_endpoint_auth_method: 'client_secret_jwt' },
      'one token_endpoint_auth_method: must be one of',
    ],
    ['with unsigned ID tokens', { id_token_signed_response_alg: 'none' }, 'one id_token_signed_response_alg:'],
    ['with the implicit flow', { response_types: ['id_token'] }, 'one response_types.0:'],
    ['with the password grant', { grant_types: ['password'] }, 'one grant_types.0: must be one of'],
    [
      'with refresh tokens and no login',
      { grant_types: ['refresh_token'], redirect_uris: undefined },
      'refresh_token needs authorization_code',
    ],
    [
      'with neither secret nor PKCE',
      { jwks: undefined, token_endpoint_auth_method: 'none', x: { require_pkce: false } },
      'one x.require_pkce:',
    ],
    [
      'that is nobody and a service',
      {
        jwks: undefined,
        redirect_uris: undefined,
        token_endpoint_auth_method: 'none',
        grant_types: ['client_credentials'],
      },
      'client_credentials needs client authentication',
    ],
    ['with an agency and no service', { x: { agency: '3300' } }, 'one x.agency:'],
    ['that is a feed and no service', { x: { personnel_feed: true } }, 'one x.personnel_feed: is for clients with'],
    [
      'that is a feed and may not write',
      { redirect_uris: undefined, grant_types: ['client_credentials'], x: { personnel_feed: true } },
      'one x.personnel_feed: needs accounts:write at',
    ],
    [
      'with pairwise subjects and two hosts',
      { redirect_uris: ['https://one.example/cb', 'https://two.example/cb'], subject_type: 'pairwise' },
      'one sector_identifier_uri: is needed',
    ],
    [
      'with a sector and public subjects',
      { sector_identifier_uri: 'https://one.example/' },
      'one sector_identifier_uri: is of no use',
    ],
    [
      'with a sector over http',
      { subject_type: 'pairwise', sector_identifier_uri: 'http://one.example/' },
      'one sector_identifier_uri: must be https',
    ],
    [
      'with keycloak-js and a key',
      { x: { keycloak_js: true } },
      'one x.keycloak_js: is for applications in the browser',
    ],
    ['that does nothing', { grant_types: [], redirect_uris: undefined }, 'one grant_types: may be empty only'],
    ['that serves the admin API', { x: { serves: [ADMIN] } }, 'one x.serves.0: is served by this program'],
    [
      'that serves and cannot prove itself',
      { jwks: undefined, token_endpoint_auth_method: 'none', x: { serves: ['https://api.example/'] } },
      'one x.serves: needs client authentication',
    ],
    [
      'that exchanges tokens of nobody',
      { redirect_uris: undefined, grant_types: [TOKEN_EXCHANGE], x: { resources: { 'https://api.example/': [] } } },
      'one x.serves: names whose tokens',
    ],
    [
      'that exchanges tokens for nothing',
      { redirect_uris: undefined, grant_types: [TOKEN_EXCHANGE], x: { serves: ['https://api.example/'] } },
      'one x.resources: names what',
    ],
    [
      'that exchanges tokens and cannot prove itself',
      { jwks: undefined, token_endpoint_auth_method: 'none', grant_types: ['authorization_code', TOKEN_EXCHANGE] },
      'token-exchange needs client authentication',
    ],
    ['with an unknown class', { x: { acr: 'gold' } }, 'one x.acr:'],
    ['with a claim nobody has', { x: { claims: ['nik'] } }, 'one x.claims.0:'],
    ['with an employment nobody has', { x: { allowed_employment: ['pns'] } }, 'one x.allowed_employment.0:'],
    [
      'with an address for an origin',
      { x: { redirect_origins: ['https://one.example/a'] } },
      'one x.redirect_origins.0:',
    ],
    [
      'with a scope the admin API lacks',
      { x: { resources: { [ADMIN]: ['everything'] } } },
      'the admin API has no scope everything',
    ],
    ['with a scope of no provider', { scope: 'openid accounts:read' }, 'one scope: must be some of'],
  ])('%s is refused', (_, change, expected) => {
    expect(problemsOf(judge(change)).join('\n')).toContain(expected);
  });

  it.each<[string, object, string]>([
    [
      'without anything said of it',
      { token_endpoint_auth_method: 'tls_client_auth' },
      'one tls_client_auth_subject_dn: exactly one of tls_client_auth_subject_dn,',
    ],
    [
      'with two things said of it',
      {
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: 'one.example',
        tls_client_auth_san_ip: '192.0.2.1',
      },
      'one tls_client_auth_subject_dn: exactly one of',
    ],
    [
      'with an address that is none',
      { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_ip: 'one' },
      'one tls_client_auth_san_ip: must be an address',
    ],
    [
      'with what only another way needs',
      { tls_client_auth_san_dns: 'one.example' },
      'one tls_client_auth_san_dns: is of no use with private_key_jwt',
    ],
    [
      'that is in no key set',
      { token_endpoint_auth_method: 'self_signed_tls_client_auth' },
      'one jwks: must hold the certificate as x5c for self_signed_tls_client_auth',
    ],
    [
      'that is none',
      {
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks: { keys: [{ ...publicHalfOf(keyOf('one')), x5c: ['AAAA'] }] },
      },
      'one jwks: must hold the certificate as x5c',
    ],
    [
      'and a DPoP key',
      { tls_client_certificate_bound_access_tokens: true, dpop_bound_access_tokens: true },
      'one dpop_bound_access_tokens: either to a DPoP key or to a certificate, not both',
    ],
  ])('by certificate is refused %s', (_, change, expected) => {
    expect(problemsOf(judge(change, { mutualTls: { authorities: true } })).join('\n')).toContain(expected);
  });

  it('by certificate of an authority needs authorities that are believed', () => {
    const change = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'one.example' };
    expect(problemsOf(judge({ ...change, jwks: undefined }, { mutualTls: { authorities: true } }))).toEqual([]);
    expect(problemsOf(judge(change, { mutualTls: { authorities: false } }))).toEqual([
      'one token_endpoint_auth_method: tls_client_auth needs CLIENT_CERTIFICATE_AUTHORITIES',
    ]);
  });

  it('may name hosts in every script, and addresses of the sixth version', () => {
    expect(
      problemsOf(judge({ redirect_uris: ['https://pegawai-é.go.id/cb', 'https://[2001:db8::1]:8443/cb'] })),
    ).toEqual([]);
  });

  it('of fields that every object has is refused', () => {
    const written = JSON.parse(`{"__proto__":{"client_id":"one"},"x":{"__proto__":{"claims":["nip"]}}}`) as object;
    expect(problemsOf(parseClients([{ ...valid, ...written }], options))).toEqual([
      'one __proto__: is not known',
      'one x.__proto__: is not known',
    ]);
  });

  it('that is nested without end is refused, and nobody loses themselves in it', () => {
    const keys = [{ ...publicKey, more: JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)) as object }];
    expect(problemsOf(parseClients([{ ...valid, jwks: { keys } }], options)).join()).toMatch(/: is nested too deeply$/);
  });

  it('is refused with all its problems, beside those of the others', () => {
    const loaded = parseClients(
      [{ client_id: 'a' }, { client_name: 'B' }, 7, { ...valid, x: { acr: 'gold', max_age_seconds: -1 } }, valid],
      options,
    );
    const where = new Set(
      loaded.kind === 'refused' ? loaded.problems.map(({ client, field }) => `${client} ${field}`) : [],
    );
    for (const each of [
      'a client_name',
      '#2 client_id',
      '#3 ',
      'one x.acr',
      'one x.max_age_seconds',
      'one client_id',
    ]) {
      expect([...where]).toContain(each);
    }
  });

  it('may lead to this machine outside production, and always for a phone', () => {
    expect(problemsOf(judge({ redirect_uris: ['http://localhost:8080/cb'] }, { production: false }))).toEqual([]);
    const phone = { application_type: 'native', jwks: undefined, token_endpoint_auth_method: 'none' };
    expect(
      problemsOf(judge({ ...phone, redirect_uris: ['http://127.0.0.1/cb', 'id.go.one:/cb', 'https://one.go.id/cb'] })),
    ).toEqual([]);
    expect(problemsOf(judge({ ...phone, redirect_uris: ['one:/cb'] }))).toHaveLength(1);
    expect(problemsOf(judge({ ...phone, redirect_uris: ['http://one.example/cb'] }))).toHaveLength(1);
  });

  it.each<[string, object, string[]]>([
    [
      'a shared secret',
      { jwks: undefined, token_endpoint_auth_method: 'client_secret_basic', client_secret: SECRET },
      ['token_endpoint_auth_method'],
    ],
    ['no secret', { jwks: undefined, token_endpoint_auth_method: 'none' }, ['token_endpoint_auth_method']],
    ['no PKCE', { x: { require_pkce: false } }, ['x.require_pkce']],
    ['RS256', { id_token_signed_response_alg: 'RS256' }, ['id_token_signed_response_alg']],
    ['RS256 in signed answers', { authorization_signed_response_alg: 'RS256' }, ['authorization_signed_response_alg']],
    ['RS256 in signed requests', { request_object_signing_alg: 'RS256' }, ['request_object_signing_alg']],
    ['codes in the fragment', { response_modes: ['fragment'] }, ['response_modes']],
    ['keys over http', { jwks: undefined, jwks_uri: 'http://one.go.id/jwks' }, ['jwks_uri']],
    ['logout over http', { backchannel_logout_uri: 'http://one.go.id/out' }, ['backchannel_logout_uri']],
  ])('is warned of with %s', (_, change, fields) => {
    const client = only({ redirect_uris: ['https://one.go.id/cb'], ...change });
    expect(weaknesses(client).map(({ field }) => field)).toEqual(fields);
  });
});

describe('a file', () => {
  it.each([
    ['that is not there', undefined, 'the file cannot be read'],
    ['that is no JSON', '[', 'the file is not JSON'],
    ['that is no array', '{}', 'the file must hold an array of clients'],
  ])('%s is refused', async (_, content, problem) => {
    const folder = await mkdtemp(join(tmpdir(), 'clients-'));
    const file = join(folder, 'clients.json');
    if (content !== undefined) await writeFile(file, content);
    expect(await loadClients(file, options)).toEqual({
      kind: 'refused',
      problems: [{ client: '', field: '', problem }],
    });
    await rm(folder, { recursive: true });
  });
});

describe('who may use a client', () => {
  const person = { employment: 'PNS', agencyLineage: ['3300', '33'] };
  it.each<[object, string[], boolean]>([
    [{}, [], true],
    [{ allowed_employment: [], allowed_agencies: [], allowed_roles: [] }, [], true],
    [{ allowed_employment: ['PNS', 'CPNS'] }, [], true],
    [{ allowed_employment: ['PPPK'] }, [], false],
    [{ allowed_agencies: ['3300'] }, [], true],
    // One of a ministry is open to its units, not the other way round; codes are compared whole.
    [{ allowed_agencies: ['33'] }, [], true],
    [{ allowed_agencies: ['330001', '3', '3300 ', '3300a'] }, [], false],
    [{ allowed_roles: ['helpdesk'] }, [], false],
    [{ allowed_roles: ['helpdesk', 'auditor'] }, ['auditor'], true],
    [{ allowed_employment: ['PNS'], allowed_agencies: ['9'] }, [], false],
    [{ allowed_employment: ['PNS'], allowed_agencies: ['3300'], allowed_roles: ['operator'] }, ['operator'], true],
  ])('%j with roles %j: %s', (limits, roles, expected) => {
    expect(mayUse(limits, person, roles)).toBe(expected);
    if (!expected) expect(isLimited(limits)).toBe(true);
  });
});

it('every condition that is not met is named', () => {
  const person = { employment: 'PNS', agencyLineage: ['3300', '33'] };
  const limits = { allowed_employment: ['PPPK' as const], allowed_agencies: ['9'], allowed_roles: ['auditor'] };
  expect(missing(limits, person, [])).toEqual(['employment', 'agency', 'role']);
  expect(missing({ ...limits, allowed_employment: ['PNS'] }, person, ['auditor'])).toEqual(['agency']);
  expect(missing({ ...limits, allowed_agencies: ['33'] }, person, ['auditor'])).toEqual(['employment']);
  expect(missing({ allowed_roles: ['auditor'] }, person, ['helpdesk'])).toEqual(['role']);
  expect(missing({}, person, [])).toEqual([]);
});

describe('the registry', () => {
  const OWN = {
    issuer: options.issuer,
    name: 'ASN Digital',
    console: { origin: 'https://admin.asn.example', name: 'Helpdesk SSO ASN' },
  };
  const loaded = parseClients(registrations(ADMIN), { ...options, production: false });
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems));
  const registry = registryOf(loaded.clients, OWN);

  it('tells the login pages what a service is called and where its redirects may lead', () => {
    expect(registry.find('web')).toEqual({
      name: 'Client web',
      href: undefined,
      isOwnAccount: false,
      formOrigins: ['https://web.example'],
    });
    expect(registry.find('phone')?.formOrigins).toEqual(['http://127.0.0.1:*', 'id.example.phone:']);
    expect(registry.find('nobody')).toBeUndefined();
  });

  it('knows the client that is this program', () => {
    expect(registry.find('asn-digital')).toEqual({
      name: 'ASN Digital',
      href: 'https://sso.asn.example/',
      isOwnAccount: false,
      formOrigins: ['https://sso.asn.example'],
    });
    expect(registry.registration('asn-digital')?.redirect_uris).toEqual(['https://sso.asn.example/session/callback']);
  });

  it('knows the console, on its own origin, which asks for a second factor of the last 15 minutes (R-58)', () => {
    expect(registry.find('helpdesk')).toEqual({
      name: 'Helpdesk SSO ASN',
      href: 'https://admin.asn.example/helpdesk',
      isOwnAccount: false,
      formOrigins: ['https://admin.asn.example'],
    });
    const redirectUris = ['https://admin.asn.example/session/callback'];
    expect(registry.registration('helpdesk')).toMatchObject({
      redirect_uris: redirectUris,
      x: { max_age_seconds: 900 },
    });
    expect(registry.registration('helpdesk-act')).toMatchObject({
      redirect_uris: redirectUris,
      x: { max_age_seconds: 300 },
    });
  });

  it('lists what a person may open, in the order of the file', async () => {
    const file = await loadClients(FILE, options);
    if (file.kind === 'refused') throw new Error();
    const [myasn, ...others] = file.clients;
    const limited = { ...others[0], x: { ...others[0]?.x, allowed_roles: ['helpdesk'] } } as never;
    const services = registryOf([myasn as never, limited, ...others.slice(1)], OWN);
    const person = { employment: 'PNS', agencyLineage: ['1'] };
    expect(services.servicesFor(person, []).map(({ name }) => name)).toEqual(['MyASN', 'SSCASN', 'DMS']);
    expect(services.servicesFor(person, ['helpdesk']).map(({ name, asksAgain }) => [name, asksAgain])).toEqual([
      ['MyASN', false],
      ['SIASN', false],
      ['SSCASN', false],
      ['DMS', true],
    ]);
  });
});

describe.each(['backchannel_logout_uri', 'jwks_uri'] as const)('the address in %s (R-50)', (field) => {
  const change = (address: string | undefined): object =>
    address === undefined ? {} : { [field]: address, ...(field === 'jwks_uri' ? { jwks: undefined } : {}) };

  it.each<[string, string | undefined, readonly string[], string | undefined]>([
    ['none', undefined, [], undefined],
    ['public', 'https://[2a00::1]/logout', [], undefined],
    ['private', 'https://10.1.2.3/logout', [], 'its address is private'],
    ['private and listed', 'https://10.1.2.3/logout', ['10.0.0.0/8'], undefined],
    ['a name of this machine', 'https://localhost/logout', [], 'localhost is at a private address'],
    ['such a name, listed', 'https://localhost/logout', ['localhost'], undefined],
    ['a name of nothing', 'https://tidak-ada.invalid/logout', [], 'does not resolve here'],
  ])('%s', async (_, address, privateHosts, warning) => {
    const reachable = createReachable({ privateHosts, allowsLoopback: false });
    const told = await findUnreachable(only(change(address)), reachable);
    if (warning === undefined) expect(told).toEqual([]);
    else expect(told).toEqual([{ field, warning: expect.stringContaining(warning) }]);
  });
});
