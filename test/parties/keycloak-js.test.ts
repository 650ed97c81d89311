import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { eventually } from '../support/processes.js';
import { unusedPort } from '../support/unused-port.js';
import type { BrowserApp } from './support/browser-app.js';
import { startKeycloakApp } from './support/keycloak-app.js';
import { startPartySite, type PartySite } from './support/party-site.js';

// keycloak-js 26 as it comes, in Chromium, against the whole program in the style `keycloak` (ADR 0029).
describeInBrowser('keycloak-js', () => {
  let house: PartySite;
  let app: BrowserApp;
  let stranger: BrowserApp;
  let browser: TestBrowser;
  let tab: Tab;
  let person: Employee;

  beforeAll(async () => {
    const port = await unusedPort();
    house = await startPartySite({
      style: 'keycloak',
      registrations: [
        {
          client_id: 'lama',
          client_name: 'Aplikasi Keycloak',
          redirect_uris: [`http://localhost:${port}/`],
          post_logout_redirect_uris: [`http://localhost:${port}/`],
          token_endpoint_auth_method: 'none',
          grant_types: ['authorization_code', 'refresh_token'],
          response_modes: ['query', 'fragment'],
          x: { keycloak_js: true },
        },
      ],
    });
    const { issuer } = house;
    app = await startKeycloakApp({ port, issuer, clientId: 'lama' });
    stranger = await startKeycloakApp({ port: await unusedPort(), issuer, clientId: 'lama' });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
    await stranger.stop();
    await house.stop();
  });
  beforeEach(async () => {
    person = await house.person();
    tab = await browser.openTab({ origin: app.origin, javaScript: true });
  });
  afterEach(() => tab.close());

  const becomes = (state: string): Promise<void> =>
    eventually(`the application to be ${state}`, async () =>
      (await tab.page.locator('#state').innerText()).startsWith(state),
    );

  async function logIn(): Promise<void> {
    await tab.page.goto(app.origin);
    await becomes('nobody');
    await tab.arrive(() => tab.page.locator('#login').click());
    await tab.type({ username: person.nip, password: PASSWORD });
    await tab.press('LOGIN');
    await tab.type({ otp: otpOf(person) });
    await tab.page.getByRole('button', { name: 'Lanjut' }).click();
    await becomes('signed in');
  }
  interface Held {
    readonly token: string;
    readonly refreshToken: string;
    readonly tokenParsed: Record<string, unknown>;
    readonly refreshTokenParsed: Record<string, unknown>;
    readonly idTokenParsed: Record<string, unknown>;
    readonly sessionId: string;
    readonly subject: string;
    readonly timeSkew: number;
  }
  const held = (): Promise<Held> =>
    tab.ask(`(({ token, refreshToken, tokenParsed, refreshTokenParsed, idTokenParsed, sessionId, subject, timeSkew }) =>
      ({ token, refreshToken, tokenParsed, refreshTokenParsed, idTokenParsed, sessionId, subject, timeSkew }))(keycloak)`);

  it('logs in, knows who it is and until when, and finds the session again', async () => {
    await logIn();
    const { token, refreshToken, tokenParsed, refreshTokenParsed, idTokenParsed, ...known } = await held();
    expect(known).toEqual({ sessionId: idTokenParsed.sid, subject: person.id, timeSkew: expect.any(Number) });
    expect(Math.abs(known.timeSkew)).toBeLessThan(5);
    expect(tokenParsed).toMatchObject({ iss: house.issuer, azp: 'lama', scope: 'openid', typ: 'Bearer' });
    expect(Number(tokenParsed.exp) - Number(tokenParsed.iat)).toBe(600);
    expect(refreshTokenParsed).toMatchObject({ sub: person.id, typ: 'Refresh' });
    expect(idTokenParsed).toMatchObject({ aud: 'lama', acr: 'urn:asn:aal2' });
    // No JWT that anybody could take for a signed one, and nothing of the person in it.
    expect([token, refreshToken].map((each) => each.split('.').length)).toEqual([2, 2]);
    expect(JSON.stringify([tokenParsed, refreshTokenParsed])).not.toContain(person.nip);
    await tab.page.goto(app.origin);
    await becomes('signed in');
    expect(tab.complaints).toEqual([]);
  });

  it('reads userinfo, and renews its tokens again and again', async () => {
    await logIn();
    const first = await held();
    expect(await tab.ask('keycloak.loadUserInfo()')).toMatchObject({ sub: person.id });
    for (let turn = 0; turn < 3; turn += 1) expect(await tab.ask('keycloak.updateToken(-1)')).toBe(true);
    const last = await held();
    expect(last.token).not.toBe(first.token);
    expect(last.refreshToken).not.toBe(first.refreshToken);
    expect(await tab.ask('keycloak.loadUserInfo()')).toMatchObject({ sub: person.id });
    expect(await tab.ask('keycloak.isTokenExpired(30)')).toBe(false);
    expect(await tab.ask('keycloak.isTokenExpired(601)')).toBe(true);
    expect(tab.complaints).toEqual([]);
  });

  it('logs out and comes back', async () => {
    await logIn();
    await tab.arrive(() => tab.page.locator('#logout').click());
    expect((await tab.look()).page).toBe('sign-out/confirm');
    await tab.page.getByRole('button', { name: 'Keluar' }).first().click();
    await becomes('nobody');
    expect(new URL(tab.page.url()).origin).toBe(app.origin);
  });

  it('learns of a logout elsewhere when it renews', async () => {
    await logIn();
    const other = await tab.context.newPage();
    await other.goto(`${house.site.origin}/login`);
    await other.getByRole('button', { name: 'Keluar' }).first().click();
    await other.waitForURL(/logout|\//);
    await eventually(
      'the renewal to fail',
      async () =>
        (await tab.ask<string>("keycloak.updateToken(-1).then(() => 'renewed', () => 'refused')")) === 'refused',
    );
    await becomes('lost');
  });

  it('is framed nowhere but where it is registered', async () => {
    for (const path of ['3p-cookies/step1.html', '3p-cookies/step2.html', 'login-status-iframe.html']) {
      const answer = await fetch(`${house.issuer}/protocol/openid-connect/${path}`);
      expect([path, answer.status]).toEqual([path, 200]);
      expect(answer.headers.get('content-security-policy')).toContain(`frame-ancestors ${app.origin};`);
      expect(answer.headers.get('x-frame-options')).toBeNull();
      expect(answer.headers.get('set-cookie')).toBeNull();
    }
    const login = await fetch(`${house.issuer}/protocol/openid-connect/nothing`);
    expect(login.headers.get('x-frame-options')).toBe('DENY');
    // On another origin the frame stays silent, and the library gives up.
    await tab.page.goto(stranger.origin);
    await becomes('failed: Timeout when waiting for 3rd party check iframe message.');
  });
});
