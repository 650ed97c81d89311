import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Configuration } from 'oidc-provider';
import { registryOf } from '../clients/support/registry.js';
import { parseClients } from '#src/clients/clients-file.js';
import { ENDPOINTS } from '#src/oidc/endpoints.js';
import type { MutualTlsParts } from '#src/oidc/clients/mutual-tls.js';
import { providerSettings } from '#src/oidc/provider/settings.js';
import { systemClock } from '#src/kernel/clock.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { API, registrations } from './support/registrations.js';
import { services } from './support/services.js';
import { clientCertificates } from '#src/web/client-certificate.js';
import { createReachable, Unreachable } from '#src/security/reachable.js';

const ADMIN = 'https://sso.asn.example/api/admin';

function settingsFor(issuer: string, mutualTls?: MutualTlsParts): Configuration {
  const url = new URL(issuer);
  const loaded = parseClients([...registrations(ADMIN), ...services], {
    issuer: url,
    adminResource: ADMIN,
    production: false,
    demoSecret: undefined,
  });
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded.problems));
  return providerSettings({
    db: undefined as never,
    audit: undefined as never,
    notices: undefined as never,
    keyed: createKeyedDigest(Buffer.alloc(32, 3)),
    rates: undefined as never,
    clock: systemClock,
    issuer: url,
    endpoints: ENDPOINTS.standard,
    registry: registryOf(loaded.clients, {
      issuer: url,
      name: 'ASN Digital',
      console: { origin: url.origin, name: 'Helpdesk SSO ASN' },
    }),
    keys: [],
    cookieKeys: ['new', 'old'],
    adminResource: ADMIN,
    mutualTls,
    reachable: createReachable({ privateHosts: [], allowsLoopback: true }),
    subjects: undefined as never,
    pages: {
      logoutSource: () => Promise.resolve(),
      postLogoutSuccessSource: () => Promise.resolve(),
      renderError: () => undefined,
      device: {
        userCodeInputSource: () => undefined,
        userCodeConfirmSource: () => undefined,
        successSource: () => undefined,
      },
    },
  });
}

const withCertificates = (authorities: MutualTlsParts['authorities']): Configuration =>
  settingsFor('https://sso.asn.example', {
    certificates: clientCertificates({ header: 'Client-Cert', trustedProxies: [], clock: systemClock }),
    authorities,
    origin: undefined,
  });
const settings = settingsFor('https://sso.asn.example');
const plain = settingsFor('http://localhost:3000');
const { features = {}, ttl = {}, cookies = {}, enabledJWA = {} } = settings;

const client = (clientId: string, rest: object = {}): never =>
  ({ clientId, clientAuthMethod: 'private_key_jwt', grantTypeAllowed: () => true, ...rest }) as never;
const ctx = (oidc: object = {}): never => ({ oidc: { entities: {}, ...oidc } }) as never;
const run = (setting: unknown, ...args: unknown[]): unknown => (setting as (...args: unknown[]) => unknown)(...args);
const now = Math.floor(Date.now() / 1000);

// SECURITY.md section 8, row by row: what the provider would do by itself, and what ours must be.
describe('the settings of the provider', () => {
  it.each<[string, unknown, unknown]>([
    ['features.devInteractions', features.devInteractions, { enabled: false }],
    ['adapter', typeof settings.adapter, 'function'],
    ['pkce.required, unless registered otherwise', run(settings.pkce?.required, ctx(), client('web')), true],
    ['pkce.required, registered otherwise', run(settings.pkce?.required, ctx(), client('poster')), false],
    ['responseTypes', settings.responseTypes, ['code']],
    ['allowOmittingSingleRegisteredRedirectUri', settings.allowOmittingSingleRegisteredRedirectUri, false],
    ['acceptQueryParamAccessTokens', settings.acceptQueryParamAccessTokens, false],
    [
      'clientAuthMethods',
      settings.clientAuthMethods,
      ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'],
    ],
    ['default client authentication', settings.clientDefaults?.token_endpoint_auth_method, 'private_key_jwt'],
    ['enabledJWA.clientAuthSigningAlgValues', enabledJWA.clientAuthSigningAlgValues, ['ES256', 'PS256']],
    ['enabledJWA.idTokenSigningAlgValues', enabledJWA.idTokenSigningAlgValues, ['ES256', 'RS256']],
    ['default ID token algorithm', settings.clientDefaults?.id_token_signed_response_alg, 'ES256'],
    ['ttl.Interaction', ttl.Interaction, 3600],
    ['ttl.AuthorizationCode', ttl.AuthorizationCode, 60],
    ['ttl.AccessToken', ttl.AccessToken, 600],
    ['ttl.ClientCredentials', ttl.ClientCredentials, 600],
    ['ttl.IdToken', ttl.IdToken, 600],
    ['ttl.Grant', run(ttl.Grant, ctx({ client: client('web', { applicationType: 'web' }) })), 43_200],
    [
      'ttl.Grant of a phone',
      run(ttl.Grant, ctx({ client: client('phone', { applicationType: 'native' }) })),
      2_592_000,
    ],
    ['ttl.RefreshToken', run(ttl.RefreshToken, ctx(), { scopes: new Set(['openid']) }, client('web')), 43_200],
    [
      'ttl.RefreshToken with offline_access',
      run(ttl.RefreshToken, ctx(), { scopes: new Set(['offline_access']) }, client('web', { applicationType: 'web' })),
      43_200,
    ],
    [
      'ttl.RefreshToken of a successor',
      run(
        ttl.RefreshToken,
        ctx({ entities: { RotatedRefreshToken: { remainingTTL: 17 } } }),
        { scopes: new Set() },
        client('spa'),
      ),
      17,
    ],
    ['ttl.Session of a fresh login', run(ttl.Session, ctx(), { authTime: () => now }), 3600],
    ['ttl.Session 11 hours and a half after it', run(ttl.Session, ctx(), { authTime: () => now - 41_400 }), 1800],
    ['ttl.Session at the end', run(ttl.Session, ctx(), { authTime: () => now - 50_000 }), 1],
    ['rotateRefreshToken with a key', run(settings.rotateRefreshToken, ctx({ client: client('web') })), false],
    [
      'rotateRefreshToken with a certificate',
      run(settings.rotateRefreshToken, ctx({ client: client('web', { clientAuthMethod: 'tls_client_auth' }) })),
      false,
    ],
    [
      'rotateRefreshToken without',
      run(settings.rotateRefreshToken, ctx({ client: client('spa', { clientAuthMethod: 'none' }) })),
      true,
    ],
    ['expiresWithSession', run(settings.expiresWithSession, ctx(), { scopes: new Set(['openid']) }), true],
    [
      'expiresWithSession, offline_access',
      run(settings.expiresWithSession, ctx(), { scopes: new Set(['offline_access']) }),
      false,
    ],
    ['cookies.names', cookies.names, { session: '__Host-sid', interaction: '__Secure-int', resume: '__Secure-res' }],
    ['cookies.names over http', plain.cookies?.names, { session: 'sid', interaction: 'int', resume: 'res' }],
    [
      'cookies.long',
      cookies.long,
      { signed: true, httpOnly: true, sameSite: 'lax', secure: true, path: '/', overwrite: true },
    ],
    ['cookies.short', cookies.short, { signed: true, httpOnly: true, sameSite: 'lax', secure: true, overwrite: true }],
    ['cookies over http', plain.cookies?.long?.secure, false],
    ['cookies.keys, rotated', cookies.keys, ['new', 'old']],
    ['features.backchannelLogout', features.backchannelLogout, { enabled: true }],
    ['features.rpInitiatedLogout', features.rpInitiatedLogout?.enabled, true],
    ['features.rpInitiatedLogout asks', typeof features.rpInitiatedLogout?.logoutSource, 'function'],
    ['features.revocation', features.revocation?.enabled, true],
    [
      'revocation of own tokens',
      run(features.revocation?.allowedPolicy, ctx(), client('web'), { clientId: 'web' }),
      true,
    ],
    [
      'revocation of others',
      run(features.revocation?.allowedPolicy, ctx(), client('web'), { clientId: 'other' }),
      false,
    ],
    ['features.introspection', features.introspection?.enabled, true],
    [
      'introspection of own tokens',
      run(features.introspection?.allowedPolicy, ctx(), client('web'), { clientId: 'web' }),
      true,
    ],
    [
      'introspection of others',
      run(features.introspection?.allowedPolicy, ctx(), client('web'), { clientId: 'other' }),
      false,
    ],
    [
      'introspection by the resource of a token',
      run(features.introspection?.allowedPolicy, ctx(), client('desk-api'), { clientId: 'web', aud: API }),
      true,
    ],
    [
      'introspection by another resource',
      run(features.introspection?.allowedPolicy, ctx(), client('desk-api'), { clientId: 'web', aud: ADMIN }),
      false,
    ],
    ['features.pushedAuthorizationRequests', features.pushedAuthorizationRequests, { enabled: true }],
    ['features.dPoP', features.dPoP?.enabled, true],
    ['features.dPoP.allowReplay', features.dPoP?.allowReplay, false],
    ['features.dPoP.nonceSecret', features.dPoP?.nonceSecret?.length, 32],
    [
      'features.dPoP.nonceSecret, the same in every process',
      settingsFor('https://sso.asn.example').features?.dPoP?.nonceSecret,
      features.dPoP?.nonceSecret,
    ],
    [
      'features.dPoP.requireNonce, of a proof of now, of one of another time, of none',
      [0, 70, -70]
        .map((seconds) => `x.${Buffer.from(JSON.stringify({ iat: now + seconds })).toString('base64url')}.x`)
        .concat('', 'x')
        .map((proof) => run(features.dPoP?.requireNonce, { get: () => proof })),
      [false, true, true, false, false],
    ],
    ['features.claimsParameter', features.claimsParameter, { enabled: true }],
    ['features.clientCredentials', features.clientCredentials, { enabled: true }],
    ['features.resourceIndicators', features.resourceIndicators?.enabled, true],
    ['features.registration', features.registration, { enabled: false }],
    ['features.deviceFlow', features.deviceFlow?.enabled, true],
    ['features.deviceFlow.mask', features.deviceFlow?.mask, '****-****'],
    ['features.deviceFlow.deviceInfo keeps nothing of a device', run(features.deviceFlow?.deviceInfo, ctx()), {}],
    ['ttl.DeviceCode', ttl.DeviceCode, 600],
    ['features.jwtIntrospection', features.jwtIntrospection, { enabled: false }],
    ['features.jwtUserinfo', features.jwtUserinfo, { enabled: false }],
    ['features.requestObjects, signed ones that come by value', features.requestObjects?.enabled, true],
    [
      'features.requestObjects, for whom registers them',
      features.requestObjects?.requireSignedRequestObject,
      undefined,
    ],
    ['enabledJWA.requestObjectSigningAlgValues', enabledJWA.requestObjectSigningAlgValues, ['ES256', 'PS256', 'RS256']],
    ['enabledJWA.requestObjectEncryptionAlgValues', enabledJWA.requestObjectEncryptionAlgValues, []],
    ['features.encryption', features.encryption, { enabled: true }],
    [
      'enabledJWA.idTokenEncryptionAlgValues',
      enabledJWA.idTokenEncryptionAlgValues,
      ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW'],
    ],
    ['enabledJWA.idTokenEncryptionEncValues', enabledJWA.idTokenEncryptionEncValues, ['A256GCM', 'A128CBC-HS256']],
    ['features.jwtResponseModes', features.jwtResponseModes, { enabled: true }],
    ['enabledJWA.authorizationSigningAlgValues', enabledJWA.authorizationSigningAlgValues, ['ES256', 'RS256']],
    ['enabledJWA.authorizationEncryptionAlgValues', enabledJWA.authorizationEncryptionAlgValues, []],
    ['default algorithm of signed responses', settings.clientDefaults?.authorization_signed_response_alg, 'ES256'],
    ['enabledJWA.dPoPSigningAlgValues', enabledJWA.dPoPSigningAlgValues, ['ES256', 'Ed25519', 'EdDSA']],
    ['features.fapi, for a client of the profile', run(features.fapi?.profile, ctx(), client('fapi')), '2.0'],
    ['features.fapi, for others', run(features.fapi?.profile, ctx(), client('web')), undefined],
    ['features.ciba', features.ciba, undefined],
    ['features.mTLS, without a proxy for it', features.mTLS, { enabled: false }],
    [
      'features.mTLS, self-signed certificates',
      withCertificates(undefined).features?.mTLS,
      expect.objectContaining({
        selfSignedTlsClientAuth: true,
        tlsClientAuth: false,
        certificateBoundAccessTokens: true,
      }),
    ],
    [
      'features.mTLS, with authorities',
      withCertificates({ issued: () => true }).features?.mTLS,
      expect.objectContaining({ selfSignedTlsClientAuth: true, tlsClientAuth: true }),
    ],
    [
      'clientAuthMethods, with certificates',
      [...(withCertificates({ issued: () => true }).clientAuthMethods ?? [])].slice(-2),
      ['self_signed_tls_client_auth', 'tls_client_auth'],
    ],
    ['enableHttpPostMethods', settings.enableHttpPostMethods, false],
    ['fetchResponseBodyLimits', settings.fetchResponseBodyLimits, { jwks_uri: 65_536 }],
    ['renderError', typeof settings.renderError, 'function'],
    ['clockTolerance', settings.clockTolerance, 10],
    ['subjectTypes', settings.subjectTypes, ['public', 'pairwise']],
    ['the ID token always holds', settings.claims?.openid, ['sub', 'acr', 'amr', 'auth_time']],
    ['acrValues', settings.acrValues, ['urn:asn:aal2', 'phr']],
  ])('%s', async (_, value, expected) => {
    expect(await value).toEqual(expected);
  });

  it('interactions.policy asks for what is missing, and for no consent', () => {
    const policy = settings.interactions?.policy ?? [];
    expect(policy.map(({ name, checks }) => [name, [...checks].map(({ reason }) => reason)])).toEqual([
      [
        'login',
        [
          'login_prompt',
          'no_session',
          'max_age',
          'id_token_hint',
          'claims_id_token_sub_value',
          'account_unavailable',
          'select_account',
          'cred_epoch',
          'factor_age',
          'acr',
          'phishing_resistant',
        ],
      ],
      ['consent', []],
      ['select_account', []],
      ['entitlement', ['no_access']],
      ['device', ['device_unconfirmed']],
    ]);
  });

  it('assertJwtClientAuthClaimsAndHeader takes an assertion for us alone, of 60 seconds', () => {
    const check = (claims: object): unknown =>
      run(settings.assertJwtClientAuthClaimsAndHeader, ctx({ issuer: 'https://sso.asn.example' }), claims);
    const good = { aud: 'https://sso.asn.example', iat: now, exp: now + 60 };
    expect(() => check(good)).not.toThrow();
    for (const bad of [
      { aud: [good.aud] },
      { aud: `${good.aud}/oidc/token` },
      { exp: now + 61 },
      { iat: undefined, exp: now + 90 },
      { iat: now + 15, exp: now + 60 },
    ]) {
      expect(() => check({ ...good, ...bad })).toThrow('invalid_client');
    }
  });

  it.each([
    ['a redirect', '/moved', 'answered 302'],
    ['more than 64 kB', '/large', 'longer than 65536 bytes'],
  ])('fetch takes no %s', async (_, path, problem) => {
    const server = createServer((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end('x'.repeat(65_537));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(settings.fetch?.(`http://127.0.0.1:${port}${path}`, {})).rejects.toThrow(problem);
    server.closeAllConnections();
    server.close();
  });

  it('fetch calls no private address that is not listed', async () => {
    await expect(settings.fetch?.('http://10.0.0.1/jwks', {})).rejects.toThrow(Unreachable);
  });

  it('clientBasedCORS lets browser clients call from their own pages', () => {
    const cors = (origin: string, clientAuthMethod: string): unknown =>
      run(
        settings.clientBasedCORS,
        ctx(),
        origin,
        client('spa', { clientAuthMethod, redirectUris: ['https://spa.example/cb', 'app.x:/cb'] }),
      );
    expect(cors('https://spa.example', 'none')).toBe(true);
    expect(cors('https://evil.example', 'none')).toBe(false);
    expect(cors('null', 'none')).toBe(false);
    expect(cors('https://spa.example', 'private_key_jwt')).toBe(false);
  });
});
