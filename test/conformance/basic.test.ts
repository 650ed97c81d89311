import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client';
import { oidcClient, type OidcClient, type ResponseMode } from './support/oidc-client.js';
import {
  configuration,
  expectErrorPage,
  logInIfAsked,
  openSuite,
  random,
  type Answer,
  type OidcConfiguration,
  type Suite,
  type Tokens,
  type Visit,
} from './support/suite.js';

// The modules of oidcc-basic-certification-test-plan and oidcc-formpost-basic-certification-test-plan, by their names
// (docs/conformance.md): what each asks of us, and what it wants to see.

let suite: Suite;
let config: OidcConfiguration;
beforeAll(async () => {
  suite = await openSuite();
  config = await configuration('oidc.json');
});
afterAll(() => suite.stop());

describe.each<[string, ResponseMode]>([
  ['oidcc-basic-certification-test-plan', 'default'],
  ['oidcc-formpost-basic-certification-test-plan', 'form_post'],
])('%s', (_plan, mode) => {
  let client: OidcClient;
  let visit: Visit;
  beforeEach(async () => {
    client = oidcClient(suite, config.client, { mode, method: 'client_secret_basic' });
    visit = await suite.newcomer();
  });

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const userinfo = (token: string): Promise<Answer> => suite.get(suite.metadata.userinfo_endpoint, bearer(token));
  /** Logs in at the page that is shown, as a request that was not opened in the usual way has to. */
  const finish = async (): Promise<Tokens> => {
    expect(await logInIfAsked(suite, visit)).toBe(true);
    const answer = await client.redeem(client.callback(visit).get('code') ?? '');
    expect(answer.status).toBe(200);
    return answer.body as unknown as Tokens;
  };
  /** An unsigned request object. */
  const unsigned = (claims: object): string =>
    [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.';
  const about = (): object => ({ sub: visit.person.id });
  const profile = (): object => ({ name: 'Nama Pegawai', preferred_username: visit.person.nip });
  const email = (): object => ({ email: visit.person.email, email_verified: expect.any(Boolean) });

  it('oidcc-server', async () => {
    const { tokens } = await client.logIn(visit);
    expect((await userinfo(tokens.access_token)).body).toEqual(about());
  });

  it('oidcc-response-type-missing', async () => {
    await client.open(visit, { response_type: undefined });
    expectErrorPage(visit, 'invalid_request');
  });

  it('oidcc-userinfo-get', async () => {
    const { tokens } = await client.logIn(visit);
    expect(await userinfo(tokens.access_token)).toMatchObject({ status: 200, body: about() });
  });

  it('oidcc-userinfo-post-header', async () => {
    const { tokens } = await client.logIn(visit);
    const answer = await suite.post(suite.metadata.userinfo_endpoint, {}, bearer(tokens.access_token));
    expect(answer).toMatchObject({ status: 200, body: about() });
  });

  it('oidcc-userinfo-post-body', async () => {
    const { tokens } = await client.logIn(visit);
    const answer = await suite.post(suite.metadata.userinfo_endpoint, { access_token: tokens.access_token });
    expect(answer).toMatchObject({ status: 200, body: about() });
  });

  it('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    const { claims } = await client.logIn(visit, { nonce: undefined });
    expect(claims).not.toHaveProperty('nonce');
  });

  it.each([
    ['oidcc-scope-profile', 'openid profile', () => profile()],
    ['oidcc-scope-email', 'openid email', () => email()],
    ['oidcc-scope-address', 'openid address', () => ({})],
    ['oidcc-scope-phone', 'openid phone', () => ({})],
    ['oidcc-scope-all', 'openid profile email address phone', () => ({ ...profile(), ...email() })],
  ])('%s', async (_module, scope, claims) => {
    const { tokens } = await client.logIn(visit, { scope });
    // Scopes that we do not have are passed over (OpenID Connect Core section 3.1.2.1).
    expect((await userinfo(tokens.access_token)).body).toEqual({ ...about(), ...claims() });
  });

  it('oidcc-alternate-happy-flow', async () => {
    const ordered = [...client.request({ scope: 'email profile openid' }).searchParams].reverse();
    await visit.browser.get(`${suite.metadata.authorization_endpoint}?${new URLSearchParams(ordered).toString()}`);
    const { access_token: token } = await finish();
    expect((await userinfo(token)).body).toEqual({ ...about(), ...profile(), ...email() });
  });

  it.each(['page', 'popup'])('oidcc-display-%s', async (display) => {
    expect((await client.logIn(visit, { display })).asked).toBe(true);
  });

  it('oidcc-prompt-login', async () => {
    const first = await client.logIn(visit);
    const second = await client.logIn(visit, { prompt: 'login' });
    expect(second.asked).toBe(true);
    expect(second.claims.auth_time).toBeGreaterThan(first.claims.auth_time);
  });

  it('oidcc-prompt-none-not-logged-in', async () => {
    await client.open(visit, { prompt: 'none' });
    expect(client.callback(visit).get('error')).toBe('login_required');
  });

  const expectSame = async (parameters: Record<string, string>, first: Record<string, string> = {}): Promise<void> => {
    const before = await client.logIn(visit, first);
    suite.time.pass({ seconds: 3 });
    const idTokenHint = parameters.id_token_hint === undefined ? {} : { id_token_hint: before.tokens.id_token };
    const after = await client.logIn(visit, { ...parameters, ...idTokenHint });
    expect(after.asked).toBe(false);
    expect(after.claims).toMatchObject({ sub: before.claims.sub, auth_time: before.claims.auth_time });
  };

  it('oidcc-prompt-none-logged-in', () => expectSame({ prompt: 'none' }));

  it('oidcc-max-age-1', async () => {
    const first = await client.logIn(visit);
    suite.time.pass({ seconds: 2 });
    const second = await client.logIn(visit, { max_age: '1' });
    expect(second.asked).toBe(true);
    expect(second.claims.auth_time).toBeGreaterThan(first.claims.auth_time);
  });

  it('oidcc-max-age-10000', () => expectSame({ max_age: '10000' }, { max_age: '15000' }));

  it('oidcc-ensure-request-with-unknown-parameter-succeeds', async () => {
    await client.logIn(visit, { extra: 'foobar' });
  });

  it('oidcc-id-token-hint', () => expectSame({ prompt: 'none', id_token_hint: 'of the first' }));

  it.each([
    ['oidcc-login-hint', () => ({ login_hint: config.server.login_hint })],
    ['oidcc-ui-locales', () => ({ ui_locales: config.server.ui_locales })],
    ['oidcc-claims-locales', () => ({ claims_locales: 'se' })],
  ])('%s', async (_module, parameters) => {
    expect((await client.logIn(visit, parameters())).asked).toBe(true);
  });

  it('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    const { acr_values_supported: classes } = suite.metadata;
    const { claims } = await client.logIn(visit, { acr_values: classes.join(' ') });
    expect(classes).toContain(claims.acr);
  });

  it.each([
    ['oidcc-codereuse', 0],
    ['oidcc-codereuse-30seconds', 30],
  ])('%s', async (_module, seconds) => {
    const { code, tokens } = await client.logIn(visit);
    suite.time.pass({ seconds });
    expect(await client.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    // RFC 6749 section 4.1.2: what was issued with the code is dead.
    expect(await userinfo(tokens.access_token)).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  it('oidcc-ensure-registered-redirect-uri', async () => {
    const registered = suite.redirectUri(client.clientId);
    await client.open(visit, { redirect_uri: `${registered}/${random()}` });
    expectErrorPage(visit, 'invalid_redirect_uri');
  });

  it('oidcc-ensure-post-request-succeeds', async () => {
    const { origin, searchParams } = client.request();
    const sent = await fetch(suite.metadata.authorization_endpoint, {
      method: 'POST',
      body: searchParams,
      headers: { origin: new URL(suite.redirectUri(client.clientId)).origin },
      redirect: 'manual',
    });
    expect(sent.status).toBe(303);
    await visit.browser.get(new URL(sent.headers.get('location') ?? '', origin).href);
    expect((await userinfo((await finish()).access_token)).body).toEqual(about());
  });

  it('oidcc-server-client-secret-post', async () => {
    const poster = oidcClient(suite, config.client_secret_post, { mode, method: 'client_secret_post' });
    const { tokens } = await poster.logIn(visit);
    expect((await userinfo(tokens.access_token)).body).toEqual(about());
  });

  // Neither unsigned request objects nor foreign addresses of them: each is named as what is not supported, or refused.
  it('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async () => {
    expect(suite.metadata.request_uri_parameter_supported).toBe(false);
    await client.open(visit, { request_uri: 'https://localhost.emobix.co.uk:8443/test/a/sso-asn/requesturi.jwt' });
    expect(visit.browser.shown.html + visit.browser.shown.url.search).toContain('request_uri_not_supported');
  });

  it('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
    const { request_object_signing_alg_values_supported: algorithms = [] } = suite.metadata;
    expect(algorithms).not.toContain('none');
    await client.open(visit, { request: unsigned({ client_id: client.clientId, iss: client.clientId }) });
    expect(visit.browser.shown.html + visit.browser.shown.url.search).toMatch(/request_not_supported|invalid_request/);
  });

  it('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const redirectUri = `${suite.redirectUri(client.clientId)}/${random()}`;
    await client.open(visit, { request: unsigned({ redirect_uri: redirectUri }) });
    expect(visit.browser.trail.filter((address) => address.startsWith(redirectUri))).toEqual([]);
    expect(visit.browser.shown.html + visit.browser.shown.url.search).toMatch(/request_not_supported|invalid_request/);
  });

  it('oidcc-claims-essential', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } });
    const { tokens } = await client.logIn(visit, { claims });
    expect((await userinfo(tokens.access_token)).body).toEqual({ ...about(), name: 'Nama Pegawai' });
  });

  it('oidcc-refresh-token', async () => {
    const offline = { scope: 'openid offline_access', prompt: 'consent' };
    const { tokens, claims } = await client.logIn(visit, offline);
    expect(tokens.refresh_token).toMatch(/^[\x20-\x7e]+$/);
    const renewed = (await client.refresh(tokens.refresh_token)).body as unknown as typeof tokens;
    expect(renewed.access_token).not.toBe(tokens.access_token);
    const { payload } = await suite.verify(renewed.id_token, client.clientId);
    expect(payload).toMatchObject({ iss: claims.iss, sub: claims.sub, aud: claims.aud, auth_time: claims.auth_time });
    expect((await userinfo(renewed.access_token)).body).toEqual(about());

    const second = oidcClient(suite, config.client2, { mode, method: 'client_secret_basic' });
    const others = await second.logIn(visit, offline);
    expect(await client.refresh(others.tokens.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  it('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const challenge = await calculatePKCECodeChallenge(randomPKCECodeVerifier());
    const { code } = await client.authorize(visit, { code_challenge: challenge, code_challenge_method: 'S256' });
    expect(code).not.toBe('');
  });
});
