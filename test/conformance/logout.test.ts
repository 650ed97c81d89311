import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { startLogoutReceiver, type LogoutReceiver } from '../support/logout-receiver.js';
import { eventually } from '../support/processes.js';
import { oidcClient, type Login, type OidcClient } from './support/oidc-client.js';
import { configuration, openSuite, random, type OidcConfiguration, type Suite, type Visit } from './support/suite.js';

// The modules of the RP-initiated and the back-channel logout plans, by their names (docs/conformance.md).

let suite: Suite;
let receiver: LogoutReceiver;
let client: OidcClient;
let visit: Visit;
let login: Login;
let goodbye: string;
beforeAll(async () => {
  receiver = await startLogoutReceiver();
  suite = await openSuite(receiver.address);
  const { client: named } = await configuration<OidcConfiguration>('oidc.json');
  client = oidcClient(suite, named, { mode: 'default', method: 'client_secret_basic' });
  goodbye = suite.redirectUri(named.client_id).replace(/callback$/, 'post_logout_redirect');
});
afterAll(async () => {
  await suite.stop();
  await receiver.stop();
});
beforeEach(async () => {
  visit = await suite.newcomer();
  login = await client.logIn(visit);
});

const hint = (): { id_token_hint: string } => ({ id_token_hint: login.tokens.id_token });

async function sendToLogout(parameters: Record<string, string>): Promise<void> {
  const url = new URL(suite.metadata.end_session_endpoint);
  url.search = new URLSearchParams(parameters).toString();
  await visit.browser.get(url.href);
}

/** The person agrees. */
const agree = (): Promise<unknown> => visit.browser.submit('/confirm');

async function expectLoggedOut(): Promise<void> {
  await client.open(visit, { prompt: 'none' });
  expect(client.callback(visit).get('error')).toBe('login_required');
}

/** The person sees an error of ours, or a question; and nobody is sent to the client, whatever they answer. */
async function expectNoWayBack(): Promise<void> {
  const { page } = visit.browser.shown;
  expect(['error', 'sign-out/confirm']).toContain(page);
  if (page === 'sign-out/confirm') await agree();
  expect(visit.browser.shown.url.origin).toBe(suite.house.site.origin);
}

describe('oidcc-rp-initiated-logout-certification-test-plan', () => {
  it('oidcc-rp-initiated-logout-discovery-endpoint-verification', () => {
    expect(URL.canParse(suite.metadata.end_session_endpoint)).toBe(true);
  });

  it('oidcc-rp-initiated-logout', async () => {
    const state = random();
    await sendToLogout({ ...hint(), post_logout_redirect_uri: goodbye, state });
    expect(visit.browser.shown.page).toBe('sign-out/confirm');
    await agree();
    expect(visit.browser.shown.url.href).toBe(`${goodbye}?state=${state}`);
    await expectLoggedOut();
  });

  it('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', async () => {
    await sendToLogout({ ...hint(), post_logout_redirect_uri: `${goodbye}/${random()}`, state: random() });
    await expectNoWayBack();
  });

  it('oidcc-rp-initiated-logout-modified-id-token-hint', async () => {
    const [, claims] = login.tokens.id_token.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    await sendToLogout({ id_token_hint: `${none}.${claims ?? ''}.`, post_logout_redirect_uri: goodbye });
    await expectNoWayBack();
  });

  it('oidcc-rp-initiated-logout-no-id-token-hint', async () => {
    await sendToLogout({ post_logout_redirect_uri: goodbye, state: random() });
    await expectNoWayBack();
  });

  it.each([
    ['oidcc-rp-initiated-logout-no-params', () => ({})],
    ['oidcc-rp-initiated-logout-no-post-logout-redirect-uri', () => ({ ...hint(), state: random() })],
    ['oidcc-rp-initiated-logout-only-state', () => ({ state: random() })],
  ])('%s', async (_module, parameters) => {
    await sendToLogout(parameters());
    expect(visit.browser.shown.page).toBe('sign-out/confirm');
    await agree();
    expect(visit.browser.shown.page).toBe('sign-out/done');
    await expectLoggedOut();
  });

  it('oidcc-rp-initiated-logout-no-state', async () => {
    await sendToLogout({ ...hint(), post_logout_redirect_uri: goodbye });
    await agree();
    expect(visit.browser.shown.url.href).toBe(goodbye);
    await expectLoggedOut();
  });

  it('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', async () => {
    await sendToLogout({ ...hint(), post_logout_redirect_uri: `${goodbye}?foo=bar`, state: random() });
    await expectNoWayBack();
  });

  it('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT(decodeJwt(login.tokens.id_token))
      .setProtectedHeader({ alg: 'RS256', kid: 'of the suite' })
      .sign(privateKey);
    await sendToLogout({ id_token_hint: forged, post_logout_redirect_uri: goodbye, state: random() });
    await expectNoWayBack();
  });
});

describe('oidcc-backchannel-rp-initiated-logout-certification-test-plan', () => {
  it('oidcc-backchannel-logout-discovery-endpoint-verification', () => {
    expect(suite.metadata).toMatchObject({
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      end_session_endpoint: expect.any(String),
    });
  });

  it('oidcc-backchannel-rp-initiated-logout', async () => {
    const { length: before } = receiver.received;
    await sendToLogout({ ...hint(), post_logout_redirect_uri: goodbye, state: random() });
    await agree();
    expect(visit.browser.shown.url.href.startsWith(goodbye)).toBe(true);
    await eventually('the client to be told', () => receiver.received.length > before);
    const told = receiver.received.at(-1);
    expect(told?.contentType).toMatch(/^application\/x-www-form-urlencoded/);
    const { payload, protectedHeader } = await jwtVerify(
      told?.token ?? '',
      createRemoteJWKSet(new URL(suite.metadata.jwks_uri)),
      { issuer: suite.metadata.issuer, audience: client.clientId },
    );
    expect(payload).toMatchObject({
      sub: login.claims.sub,
      sid: login.claims.sid,
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(payload).not.toHaveProperty('nonce');
    expect(protectedHeader).toMatchObject({ typ: 'logout+jwt', kid: expect.any(String) });
    await expectLoggedOut();
  });
});
