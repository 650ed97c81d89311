import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemClock } from '#src/kernel/clock.js';
import type { EndpointStyle } from '#src/oidc/endpoints.js';
import type { MutualTlsParts } from '#src/oidc/clients/mutual-tls.js';
import { clientCertificates } from '#src/web/client-certificate.js';
import { House } from './support/house.js';

const fileOf = (name: string): URL => new URL(`golden/discovery.${name}.json`, import.meta.url);
const golden = async (name: string): Promise<unknown> => JSON.parse(await readFile(fileOf(name), 'utf8'));

const mutualTls = (parts: Partial<MutualTlsParts>): MutualTlsParts => ({
  certificates: clientCertificates({ header: 'Client-Cert', trustedProxies: ['127.0.0.1'], clock: systemClock }),
  authorities: undefined,
  origin: undefined,
  ...parts,
});

/** Every installation whose document is another one. */
const INSTALLATIONS: readonly { name: string; style: EndpointStyle; issuer: string; mutualTls?: MutualTlsParts }[] = [
  { name: 'standard', style: 'standard', issuer: 'https://sso.asn.example' },
  { name: 'standard-path', style: 'standard', issuer: 'https://sso.asn.example/masuk' },
  { name: 'keycloak', style: 'keycloak', issuer: 'https://sso.asn.example/realms/asn' },
  { name: 'self-signed', style: 'standard', issuer: 'https://sso.asn.example', mutualTls: mutualTls({}) },
  {
    name: 'mutual-tls',
    style: 'keycloak',
    issuer: 'https://sso.asn.example/realms/asn',
    mutualTls: mutualTls({ authorities: { issued: () => false }, origin: 'https://mtls.asn.example' }),
  },
];

describe.each(INSTALLATIONS)(
  'metadata of the installation $name',
  ({ name, style, issuer, mutualTls: certificates }) => {
    let house: House;
    beforeAll(async () => {
      house = await House.open({ issuer, style, ...(certificates === undefined ? {} : { mutualTls: certificates }) });
    });
    afterAll(() => house.close());

    const { origin, pathname } = new URL(issuer);
    const path = pathname === '/' ? '' : pathname;
    const forms = [
      `${issuer}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server${path}`,
    ];

    it.each(forms)('%s equals the golden file', async (address) => {
      const answer = await house.browser().call(address);
      // A change of it is to be read before it is landed: `npx prettier --write test/oidc/golden`, `git diff`.
      if (process.env.UPDATE_DOCS === '1') await writeFile(fileOf(name), answer.body);
      expect(JSON.parse(answer.body)).toEqual(await golden(name));
      expect(answer.headers).toMatchObject({
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
      });
    });

    it('names addresses that exist', async () => {
      const metadata = (await golden(name)) as Record<string, unknown>;
      const addresses = Object.entries(metadata).filter(
        ([key]) => /_(endpoint|uri)$/.test(key) && key !== 'require_request_uri',
      );
      expect(addresses.length).toBeGreaterThanOrEqual(8);
      for (const [key, address] of addresses) {
        // Answered beside the provider: registration.test.ts.
        if (key === 'registration_endpoint') continue;
        const get = /authorization_endpoint|userinfo|jwks|end_session/.test(key) && !/^(?:pushed|device)/.test(key);
        const answer = await house.browser().call(address as string, get ? {} : { form: {} });
        expect([key, answer.status === 404]).toEqual([key, false]);
      }
    });

    it('publishes the public halves of the keys only', async () => {
      const { jwks_uri: address } = (await golden(name)) as { jwks_uri: string };
      const answer = await house.browser().call(address);
      const { keys } = JSON.parse(answer.body) as { keys: Record<string, unknown>[] };
      expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'RS256']);
      for (const key of keys) {
        expect(Object.keys(key).filter((part) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(part))).toEqual([]);
        expect(key).toMatchObject({ use: 'sig', kid: expect.any(String) });
      }
      expect(answer.headers['cache-control']).toBe('public, max-age=300');
    });

    it('answers HEAD and preflights', async () => {
      const [form = ''] = forms;
      expect(await house.browser().call(form, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
      const headers = { origin: 'https://spa.example', 'access-control-request-method': 'GET' };
      expect((await house.browser().call(form, { method: 'OPTIONS', headers })).status).toBe(204);
    });
  },
);

describe('a foreign host', () => {
  let house: House;
  beforeAll(async () => {
    house = await House.open();
  });
  afterAll(() => house.close());
  const discovery = '/.well-known/openid-configuration';

  it.each(['evil.example', 'sso.asn.example:evil', 'sso.asn.example.evil.example', 'sso.asn.example@evil.example'])(
    '%s in the Host header is refused',
    async (host) => {
      const answer = await house.browser().call(house.address(discovery), { host });
      expect([answer.status, answer.body.includes('evil')]).toEqual([421, false]);
    },
  );

  it.each([
    { 'x-forwarded-host': 'evil.example' },
    { 'x-forwarded-proto': 'http' },
    { forwarded: 'host=evil.example' },
  ])('in %j changes nothing', async (headers) => {
    const answer = await house.browser().call(house.address(discovery), { headers });
    expect(JSON.parse(answer.body)).toEqual(await golden('standard'));
    const asked = house.request({ clientId: 'web' });
    const page = await house.browser().call(asked.url, { headers });
    expect(page.location?.origin).toBe(house.issuer);
    const [row] = await house.db.query('SELECT return_to FROM sign_in_attempts WHERE uid = $1', [
      page.location?.pathname.split('/')[2],
    ]);
    expect(row?.return_to).toMatch(/^https:\/\/sso\.asn\.example\/oidc\/auth\//);
  });

  it('in the request line is refused, and gets into no address', async () => {
    const asked = house.request({ clientId: 'web' });
    const foreign = new URL(asked.url);
    const answer = await house
      .browser()
      .callLine(`https://evil.example${foreign.pathname}${foreign.search}`, 'sso.asn.example');
    expect(answer.status).toBe(421);
    expect(answer.body + JSON.stringify(answer.headers)).not.toContain('evil.example');
    expect(await house.rows('sign_in_attempts', "return_to LIKE '%evil%'")).toBe(0);
  });

  it('that is one more of ours gets addresses of that host', async () => {
    const asked = house.request({ clientId: 'web' });
    const answer = await house.browser().call(asked.url, { host: 'sso.internal' });
    const [row] = await house.db.query('SELECT return_to FROM sign_in_attempts WHERE uid = $1', [
      answer.location?.pathname.split('/')[2],
    ]);
    expect(row?.return_to).toMatch(/^https:\/\/sso\.internal\/oidc\/auth\//);
  });
});
