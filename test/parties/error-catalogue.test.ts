import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { errors } from 'oidc-provider';
import type { Person } from '../support/person.js';
import { guide } from './support/guide.js';
import { startPartySite, type PartySite } from './support/party-site.js';

// The error catalogue of docs/relying-parties.md: every code that our endpoints can answer, and none that they cannot.

const SECRET = 'a-shared-secret-of-forty-characters-long';
const REDIRECT_URI = 'https://arsip.asn.example/callback';
const API = 'https://api.asn.example/';

/** Codes that the provider knows, of what is off here (src/oidc/provider/feature-settings.ts) or has no prompt (policy.ts). */
const NEVER_ANSWERED = [
  // Consent is the registration; nobody is asked for anything but a login.
  ...['consent_required', 'interaction_required'],
  // Request objects are taken; a grant type that is not registered is an invalid_request.
  ...['request_not_supported', 'unauthorized_client'],
  // Client-initiated back-channel authentication.
  ...['expired_login_hint_token', 'invalid_binding_message', 'invalid_user_code', 'missing_user_code'],
  ...['transaction_failed', 'unknown_user_id'],
  // Rich authorization requests, software statements, attested clients, verifiable credentials.
  ...['invalid_authorization_details', 'invalid_software_statement', 'unapproved_software_statement'],
  ...['invalid_client_attestation', 'use_attestation_challenge', 'use_fresh_attestation'],
  ...['credential_request_denied', 'invalid_credential_request', 'invalid_nonce', 'invalid_proof'],
  ...['unknown_credential_configuration', 'unknown_credential_identifier'],
];

interface Row {
  readonly code: string;
  readonly where: string;
  readonly cause: string;
  readonly remedy: string;
}

async function catalogue(): Promise<Row[]> {
  const rows = (await guide()).matchAll(/^\| `(\w+)` +\| ((?:all|back|page|JSON)[^|]*?) +\| (.+?) +\| (.+?) +\|$/gm);
  return [...rows].map(([, code = '', where = '', cause = '', remedy = '']) => ({ code, where, cause, remedy }));
}

/** What the provider has a class for, by its code. */
function known(): string[] {
  const codes = Object.values(errors as unknown as Record<string, new (text: string) => { error?: string }>).flatMap(
    (Kind) => {
      const { error } = new Kind('test');
      return error === undefined || error === 'test' ? [] : [error];
    },
  );
  return [...new Set(['server_error', ...codes])];
}

describe('the error catalogue for relying parties', () => {
  it('names every code that can be answered, once, with a cause and a remedy', async () => {
    const rows = await catalogue();
    const codes = rows.map(({ code }) => code);
    expect(codes).toEqual([...new Set(codes)].sort());
    expect(codes).toEqual(
      known()
        .filter((code) => !NEVER_ANSWERED.includes(code))
        .sort(),
    );
    for (const { cause, remedy } of rows)
      expect([cause.length, remedy.length].every((length) => length > 5)).toBe(true);
  });

  it('leaves out nothing but what the provider knows', () => {
    expect(NEVER_ANSWERED.filter((code) => !known().includes(code))).toEqual([]);
  });

  describe('and each is where it says', () => {
    let house: PartySite;
    let browser: Person;
    beforeAll(async () => {
      const common = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'client_secret_basic' };
      house = await startPartySite({
        registrations: [
          {
            ...common,
            client_id: 'arsip',
            client_name: 'Arsip',
            client_secret: SECRET,
            scope: 'openid profile',
            response_modes: ['query'],
            grant_types: ['authorization_code', 'refresh_token'],
          },
          {
            client_id: 'layanan',
            client_name: 'Layanan',
            token_endpoint_auth_method: 'client_secret_basic',
            client_secret: SECRET,
            grant_types: ['client_credentials'],
            x: { resources: { [API]: ['read'] } },
          },
        ],
      });
      browser = house.browser({ stopsAtParties: true });
    });
    afterAll(() => house.stop());

    const documented = async (code: string, where: string): Promise<void> => {
      const row = (await catalogue()).find((each) => each.code === code);
      expect([code, row?.where === 'all' || row?.where.includes(where)]).toEqual([code, true]);
    };

    const authorization = {
      client_id: 'arsip',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    };

    it.each<[string, Record<string, string>]>([
      ['invalid_request', { code_challenge: '' }],
      ['invalid_client', { client_id: 'unknown' }],
      ['invalid_redirect_uri', { redirect_uri: `${REDIRECT_URI}/` }],
      ['invalid_request_uri', { request_uri: 'urn:ietf:params:oauth:request_uri:unknown' }],
      ['invalid_request_object', { request: 'x.y.z' }],
      ['invalid_scope', { scope: 'openid email' }],
      ['invalid_target', { resource: API }],
      ['registration_not_supported', { registration: '{}' }],
      ['request_uri_not_supported', { request_uri: 'https://arsip.asn.example/request.jwt' }],
      ['unsupported_response_type', { response_type: 'none' }],
      ['unsupported_response_mode', { response_mode: 'web_message' }],
    ])('%s on a page', async (code, parameters) => {
      const all = Object.entries({ ...authorization, ...parameters }).filter(([, value]) => value !== '');
      await browser.get(`${house.site.origin}/oidc/auth?${new URLSearchParams(all).toString()}`);
      expect(browser.shown.page).toBe('error');
      expect(browser.shown.html).toContain(code);
      await documented(code, 'page');
    });

    it.each<[string, Record<string, string>]>([['login_required', { prompt: 'none' }]])(
      '%s back at the service',
      async (code, parameters) => {
        const all = new URLSearchParams({ ...authorization, ...parameters });
        const { url } = await browser.get(`${house.site.origin}/oidc/auth?${all.toString()}`);
        expect([url.origin, url.searchParams.get('error')]).toEqual(['https://arsip.asn.example', code]);
        await documented(code, 'back');
      },
    );

    const basic = (id: string, secret = SECRET): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

    it.each<[string, string, Record<string, string>, Record<string, string>]>([
      ['invalid_client', '/oidc/token', { authorization: basic('arsip', 'wrong') }, { grant_type: 'refresh_token' }],
      ['invalid_request', '/oidc/token', { authorization: basic('arsip') }, {}],
      [
        'invalid_grant',
        '/oidc/token',
        { authorization: basic('arsip') },
        { grant_type: 'refresh_token', refresh_token: 'unknown' },
      ],
      ['unsupported_grant_type', '/oidc/token', { authorization: basic('arsip') }, { grant_type: 'password' }],
      ['invalid_request', '/oidc/token', { authorization: basic('arsip') }, { grant_type: 'client_credentials' }],
      [
        'invalid_target',
        '/oidc/token',
        { authorization: basic('layanan') },
        { grant_type: 'client_credentials', resource: 'https://other.example/' },
      ],
      [
        'invalid_scope',
        '/oidc/token',
        { authorization: basic('layanan') },
        { grant_type: 'client_credentials', resource: API, scope: 'write' },
      ],
      [
        'invalid_dpop_proof',
        '/oidc/token',
        { authorization: basic('layanan'), dpop: 'x' },
        { grant_type: 'client_credentials', resource: API, scope: 'read' },
      ],
      ['invalid_token', '/oidc/userinfo', { authorization: 'Bearer unknown' }, {}],
      ['request_uri_not_supported', '/oidc/par', { authorization: basic('arsip') }, { request_uri: 'urn:x' }],
    ])('%s as JSON of %s', async (code, path, headers, form) => {
      const body = new URLSearchParams(form);
      const answer = await fetch(`${house.site.origin}${path}`, { method: 'POST', headers, body });
      expect(await answer.json()).toMatchObject({ error: code });
      expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
      await documented(code, 'JSON');
    });
  });
});
