import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { eventually } from '../support/processes.js';
import { unusedPort } from '../support/unused-port.js';
import { startBrowserApp, type BrowserApp } from './support/browser-app.js';
import { registration } from './support/guide.js';
import { startPartySite, type PartySite } from './support/party-site.js';

// oidc-client-ts as docs/relying-parties.md sets it up: a public client with PKCE, in Chromium, against the whole program.
describeInBrowser.each(['standard', 'keycloak'] as const)('oidc-client-ts, endpoints in the style %s', (style) => {
  let house: PartySite;
  let app: BrowserApp;
  let stranger: BrowserApp;
  let browser: TestBrowser;
  let tab: Tab;
  let person: Employee;

  beforeAll(async () => {
    const port = await unusedPort();
    const origin = `http://localhost:${port}`;
    house = await startPartySite({
      style,
      registrations: [await registration('peramban', { 'http://localhost:5173': origin })],
    });
    const { issuer } = house;
    app = await startBrowserApp({ port, issuer, clientId: 'peramban' });
    stranger = await startBrowserApp({ port: await unusedPort(), issuer, clientId: 'peramban' });
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

  const textOf = (id: string): Promise<string> => tab.page.locator(`#${id}`).innerText();
  const claims = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await textOf('claims')) as Record<string, unknown>;
  const becomes = (state: string): Promise<void> =>
    eventually(`the application to be ${state}`, async () => (await textOf('state')).startsWith(state));

  async function logIn(): Promise<void> {
    await tab.open('/');
    await becomes('nobody');
    await tab.arrive(() => tab.page.locator('#login').click());
    await tab.type({ username: person.nip, password: PASSWORD });
    await tab.press('LOGIN');
    await tab.type({ otp: otpOf(person) });
    await tab.page.getByRole('button', { name: 'Lanjut' }).click();
    await becomes('signed in');
  }

  /** The tokens that the application holds, as a script on its pages sees them. */
  const held = (): Promise<{ access_token: string; refresh_token: string; id_token: string }> =>
    tab.ask('manager.getUser()');

  it('logs in with PKCE, reads who it is, and stays signed in when the page is loaded again', async () => {
    await logIn();
    expect(await claims()).toMatchObject({
      iss: house.issuer,
      aud: 'peramban',
      sub: person.id,
      acr: 'urn:asn:aal2',
      preferred_username: person.nip,
      nip: person.nip,
    });
    await tab.open('/');
    await becomes('signed in');
    expect(tab.complaints).toEqual([]);
  });

  it('renews its tokens by itself, again and again', async () => {
    await logIn();
    const first = await held();
    const renewed = async (times: number): Promise<boolean> => Number(await textOf('renewals')) >= times;
    // The login itself counts as one.
    await eventually('two renewals', () => renewed(3));
    const third = await held();
    expect(third.access_token).not.toBe(first.access_token);
    expect(third.refresh_token).not.toBe(first.refresh_token);
    expect(await claims()).toMatchObject({ sub: person.id, nip: person.nip });
    expect(await textOf('state')).toBe('signed in');
    expect(tab.complaints).toEqual([]);
  });

  it('logs out at the provider and comes back', async () => {
    await logIn();
    await tab.arrive(() => tab.page.locator('#logout').click());
    expect((await tab.look()).page).toBe('sign-out/confirm');
    await tab.page.getByRole('button', { name: 'Keluar' }).first().click();
    await becomes('signed out');
    expect(new URL(tab.page.url()).origin).toBe(app.origin);
    await tab.arrive(() => tab.page.locator('#login').click());
    expect((await tab.look()).page).toBe('sign-in/password');
  });

  it('learns of a logout elsewhere when it renews', async () => {
    await logIn();
    await tab.page.goto(`${house.site.origin}/login`);
    await tab.press('Keluar');
    await tab.open('/');
    await becomes('renewal failed');
    expect(await textOf('state')).toContain('grant request is invalid');
  });

  it('reads tokens and claims from its own origin only', async () => {
    await logIn();
    const { access_token: accessToken, refresh_token: refreshToken } = await held();
    const calls = (issuer: string): string => `(async () => {
      const metadata = await fetch('${issuer}/.well-known/openid-configuration').then((answer) => answer.json());
      const told = async (address, init) =>
        fetch(address, init).then(async (answer) => [answer.status, Object.keys(await answer.json())], () => 'kept back');
      return {
        keys: await told(metadata.jwks_uri),
        userinfo: await told(metadata.userinfo_endpoint, { headers: { authorization: 'Bearer ${accessToken}' } }),
        token: await told(metadata.token_endpoint, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'refresh_token', client_id: 'peramban', refresh_token: '${refreshToken}',
          }),
        }),
      };
    })()`;
    await tab.page.goto(stranger.origin);
    expect(await tab.ask(calls(house.issuer))).toEqual({
      keys: [200, ['keys']],
      userinfo: 'kept back',
      token: 'kept back',
    });
    await tab.page.goto(app.origin);
    expect(await tab.ask(calls(house.issuer))).toMatchObject({
      keys: [200, ['keys']],
      userinfo: [200, expect.arrayContaining(['sub', 'nip'])],
      token: [200, expect.arrayContaining(['access_token', 'id_token', 'refresh_token'])],
    });
  });
});
