import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { MutualTlsParts } from '#src/oidc/clients/mutual-tls.js';
import { systemClock } from '#src/kernel/clock.js';
import { authoritiesIn } from '#src/security/certificates.js';
import { clientCertificates } from '#src/web/client-certificate.js';
import { byteSequence, escapedPem, issue, type Authority } from '../support/certificates.js';
import type { Answer } from './support/browser.js';
import { claimsOf, errorOf, House, tokensOf } from './support/house.js';
import { API, keyOf } from './support/registrations.js';

const HOUR_MS = 3_600_000;
const dns = (value: string) => ({ names: [{ type: 'dns' as const, value }] });

let root: Authority;
let certified: Authority;
let neighbour: Authority;
let selfMade: Authority;
let house: House;
/** Everything the same, but connections do not come from a proxy that is listed. */
let exposed: House;

const partsOf = (trustedProxies: readonly string[]): MutualTlsParts => ({
  certificates: clientCertificates({ header: 'Client-Cert', trustedProxies, clock: systemClock }),
  authorities: authoritiesIn(root.certificate.toString()),
  origin: 'https://mtls.asn.example',
});

const publicKeyOf = (clientId: string): object => {
  const { kty, crv, x, y, kid } = keyOf(clientId);
  return { kty, crv, x, y, kid };
};

beforeAll(async () => {
  root = await issue({ name: 'CN=Otoritas Contoh', isAuthority: true });
  certified = await issue(dns('certified.example'), root);
  neighbour = await issue(dns('neighbour.example'), root);
  selfMade = await issue();
  const common = {
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    tls_client_certificate_bound_access_tokens: true,
    x: { resources: { [API]: ['read'] } },
  };
  const addresses = (id: string) => ({
    client_id: id,
    client_name: `Client ${id}`,
    redirect_uris: [`https://${id}.example/cb`],
  });
  const clients = [
    {
      ...addresses('certified'),
      ...common,
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'certified.example',
    },
    {
      ...addresses('self-made'),
      ...common,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: { keys: [{ ...publicKeyOf('self-made'), x5c: [selfMade.certificate.raw.toString('base64')] }] },
      x: { profile: 'fapi2' },
    },
    { ...addresses('bound'), ...common, jwks: { keys: [publicKeyOf('bound')] } },
  ];
  house = await House.open({ clients, mutualTls: partsOf(['127.0.0.1']) });
  exposed = await House.open({ clients, mutualTls: partsOf(['192.0.2.1']) });
});
afterAll(async () => {
  await house.close();
  await exposed.close();
});

const call = (
  endpoint: string,
  form: Record<string, string>,
  certificate?: string,
  at: House = house,
): Promise<Answer> =>
  at.browser().call(at.address(endpoint), {
    method: 'POST',
    headers: { accept: 'application/json', ...(certificate === undefined ? {} : { 'client-cert': certificate }) },
    form,
  });
const SERVICE = { grant_type: 'client_credentials', resource: API };

describe('a client with a certificate', () => {
  it.each([
    ['certified', () => byteSequence(certified)],
    ['certified', () => escapedPem(certified)],
    ['self-made', () => byteSequence(selfMade)],
  ])('%s is known by it', async (clientId, header) => {
    const form = { grant_type: 'client_credentials', client_id: clientId };
    const answer = await call('/oidc/token', form, header());
    expect(tokensOf(answer).token_type).toBe('Bearer');
  });

  it.each<[string, () => Promise<[Record<string, string>, string | undefined]>]>([
    ['none', () => Promise.resolve([{}, undefined])],
    ['one that is none', () => Promise.resolve([{}, ':AAAA:'])],
    ['that of another client', () => Promise.resolve([{}, byteSequence(neighbour)])],
    ['that of the authority', () => Promise.resolve([{}, byteSequence(root)])],
    ['one it made itself', async () => [{}, byteSequence(await issue(dns('certified.example')))]],
    [
      'one of an authority of the same name',
      async () => {
        const other = await issue({ name: 'CN=Otoritas Contoh', isAuthority: true });
        return [{}, byteSequence(await issue(dns('certified.example'), other))];
      },
    ],
    [
      'an old one',
      async () => {
        const times = { from: new Date(Date.now() - 2 * HOUR_MS), to: new Date(Date.now() - HOUR_MS) };
        return [{}, byteSequence(await issue({ ...dns('certified.example'), ...times }, root))];
      },
    ],
    [
      'one for servers',
      async () => [{}, byteSequence(await issue({ ...dns('certified.example'), isForServers: true }, root))],
    ],
    ['two', () => Promise.resolve([{}, `${byteSequence(certified)}, ${byteSequence(certified)}`])],
    ['its own and a secret', () => Promise.resolve([{ client_secret: 'x'.repeat(40) }, byteSequence(certified)])],
  ])('is refused with %s', async (_, parts) => {
    const [form, header] = await parts();
    const answer = await call('/oidc/token', { ...SERVICE, client_id: 'certified', ...form }, header);
    expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_client']);
  });

  it.each([
    ['self-made', () => byteSequence(certified)],
    ['self-made', () => byteSequence(neighbour)],
    ['certified', () => byteSequence(selfMade)],
    ['web', () => byteSequence(certified)],
  ])('%s is not one with another’s', async (clientId, header) => {
    const answer = await call('/oidc/token', { ...SERVICE, client_id: clientId }, header());
    expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_client']);
  });

  it.each(['certified', 'self-made'])('%s is not believed from elsewhere than a listed proxy', async (clientId) => {
    const header = byteSequence(clientId === 'certified' ? certified : selfMade);
    const form = { ...SERVICE, client_id: clientId };
    expect(errorOf(await call('/oidc/token', form, header, exposed))).toBe('invalid_client');
    // What a client says of its own way here changes nothing.
    const answer = await exposed.browser().call(exposed.address('/oidc/token'), {
      headers: { 'client-cert': header, 'x-forwarded-for': '192.0.2.1', forwarded: 'for=192.0.2.1' },
      form,
    });
    expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_client']);
  });
});

describe('a token bound to a certificate', () => {
  const userinfo = (token: string, certificate?: string): Promise<Answer> =>
    house.browser().call(house.address('/oidc/userinfo'), {
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(certificate === undefined ? {} : { 'client-cert': certificate }),
      },
    });

  it('says so, and is of use with the certificate only', async () => {
    const clientId = 'certified';
    const asked = await house.code({ browser: house.browser(), clientId, account: await house.person() });
    const redeem = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: asked.code,
      code_verifier: asked.verifier,
      redirect_uri: asked.redirectUri,
    };
    const tokens = tokensOf(await call('/oidc/token', redeem, byteSequence(certified)));
    expect((await userinfo(tokens.access_token, byteSequence(certified))).status).toBe(200);
    for (const other of [undefined, byteSequence(neighbour), ':AAAA:']) {
      expect([(await userinfo(tokens.access_token, other)).status, other]).toEqual([401, other]);
    }
    const form = { client_id: clientId, token: tokens.access_token };
    const seen = JSON.parse((await call('/oidc/introspect', form, byteSequence(certified))).body) as object;
    expect(seen).toMatchObject({ active: true, cnf: { 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) } });

    const again = { grant_type: 'refresh_token', client_id: clientId, refresh_token: tokens.refresh_token };
    expect(errorOf(await call('/oidc/token', again, byteSequence(neighbour)))).toBe('invalid_client');
    const next = tokensOf(await call('/oidc/token', again, byteSequence(certified)));
    // It proves itself anew each time: nothing is rotated (FAPI 2.0).
    expect(next.refresh_token).toBe(tokens.refresh_token);
    expect((await userinfo(next.access_token, byteSequence(certified))).status).toBe(200);
  });

  it('in the form of a JWT tells the resource (RFC 8705 section 3.1)', async () => {
    const answer = await call('/oidc/token', { ...SERVICE, client_id: 'certified' }, byteSequence(certified));
    expect(decodeJwt(tokensOf(answer).access_token).cnf).toEqual({ 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) });
  });

  it('is what a client with a key gets too, where it is registered', async () => {
    const proof = async (): Promise<Record<string, string>> => (await house.credentials('bound')).form;
    const without = await call('/oidc/token', { ...SERVICE, ...(await proof()) });
    expect([without.status, errorOf(without)]).toEqual([400, 'invalid_grant']);
    const tokens = tokensOf(await call('/oidc/token', { ...SERVICE, ...(await proof()) }, byteSequence(selfMade)));
    expect(claimsOf(tokens.access_token)).toMatchObject({ cnf: { 'x5t#S256': expect.any(String) } });
  });

  it('of the profile fapi2 comes by a pushed request', async () => {
    const clientId = 'self-made';
    const browser = house.browser();
    const direct = await browser.call(house.request({ clientId }).url);
    expect([direct.status, errorOf(direct)]).toEqual([400, 'invalid_request']);
    const asked = house.request({ clientId });
    const pushed = await call('/oidc/par', Object.fromEntries(asked.url.searchParams), byteSequence(selfMade));
    const { request_uri: uri } = JSON.parse(pushed.body) as { request_uri: string };
    const url = new URL(house.address(`/oidc/auth?client_id=${clientId}&request_uri=${encodeURIComponent(uri)}`));
    const page = await house.toSignIn(browser, url);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: await house.person() });
    const back = await house.follow(browser, resumed.redirect());
    const form = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: back.location?.searchParams.get('code') ?? '',
      code_verifier: asked.verifier,
      redirect_uri: asked.redirectUri,
    };
    const tokens = tokensOf(await call('/oidc/token', form, byteSequence(selfMade)));
    expect((await userinfo(tokens.access_token)).status).toBe(401);
    expect((await userinfo(tokens.access_token, byteSequence(selfMade))).status).toBe(200);
  });
});

it('is off where no proxy hands certificates over', async () => {
  const plain = await House.open();
  const answer = await plain.browser().call(plain.address('/oidc/token'), {
    headers: { accept: 'application/json', 'client-cert': byteSequence(certified) },
    form: { ...SERVICE, client_id: 'service' },
  });
  expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_client']);
  await plain.close();
});
