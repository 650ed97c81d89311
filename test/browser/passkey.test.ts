import { jest } from '@jest/globals';
import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Shown, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, login, WORDS, type authenticator } from './steps.js';

const t = WORDS.id;
jest.setTimeout(90_000);

/** Chromium's own authenticator, driven over the DevTools protocol: a fingerprint reader that says yes at once. */
async function plugIn(tab: Tab) {
  const devTools = await tab.context.newCDPSession(tab.page);
  await devTools.send('WebAuthn.enable');
  const { authenticatorId } = await devTools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    credentials: async () => (await devTools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    forget: () => devTools.send('WebAuthn.clearCredentials', { authenticatorId }),
  };
}

/** What a sample application was told of the login. */
async function claims(tab: Tab): Promise<Record<string, string>> {
  const rows = await tab.page.locator('.claims tr').all();
  const told = await Promise.all(rows.map((row) => row.locator('th, td').allInnerTexts()));
  return Object.fromEntries(told.map(([name = '', value = '']) => [name, value]));
}

describeInBrowser('passkeys in Chromium', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let key: Awaited<ReturnType<typeof plugIn>>;
  let phone: ReturnType<typeof authenticator>;
  const who = demoPerson('Bayu Lesmana');

  const signOut = async (): Promise<void> => {
    expect((await tab.open('/login')).page).toBe('launcher');
    await tab.press(t('shell.signOut'));
  };
  const visible = (name: string): Promise<boolean> => tab.page.getByRole('button', { name, exact: true }).isVisible();

  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    phone = await signInOnTour(tab, { site, clock, who });
    key = await plugIn(tab);
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  it('one is registered on the account page', async () => {
    await tab.open('/account/devices');
    await tab.press(t('account.devices.add'));
    expect((await tab.press(new RegExp(`^${t('account.add.passkey.title')}`))).page).toBe(
      'account/devices/add-passkey',
    );
    await tab.type({ device_name: 'Laptop kantor' });
    const done = await tab.press(t('account.passkey.submit'));
    expect([done.page, done.errors]).toEqual(['account/devices', []]);
    expect(await tab.page.locator('[data-done="passkey_added"]').isVisible()).toBe(true);
    expect(await tab.page.getByRole('row', { name: /Laptop kantor/ }).innerText()).toContain('Passkey');
    expect(await key.credentials()).toMatchObject([{ isResidentCredential: true, rpId: 'localhost' }]);
  });

  it('the same device is not registered twice, and is told so', async () => {
    await tab.open('/account/devices/add/passkey');
    await tab.type({ device_name: 'Laptop lagi' });
    await tab.page.getByRole('button', { name: t('account.passkey.submit') }).click();
    const told = tab.page.locator('[data-error="passkey_known"]');
    await told.waitFor({ state: 'visible' });
    expect(await told.innerText()).toBe(t('passkey.known'));
    expect(await key.credentials()).toHaveLength(1);
  });

  it('it is the second factor after the password', async () => {
    await signOut();
    clock.pass({ seconds: 1 });
    await tab.open('/demo/myasn/login');
    expect((await login(tab, who, PASSWORD)).page).toBe('sign-in/otp');
    expect((await tab.press(t('passkey.use'))).page).toBe('demo/signed-in');
    expect(await claims(tab)).toMatchObject({ acr: 'phr', amr: '["pwd","hwk","user","mfa"]' });
  });

  it('it is offered first at the next login, and is the whole login without a password', async () => {
    await signOut();
    await tab.open('/demo/myasn/login');
    await login(tab, who, PASSWORD);
    expect(await tab.page.locator('h1').innerText()).toBe(t('signIn.otp.passkey.either'));
    await tab.open('/demo/myasn/login');
    expect((await tab.press(t('passkey.signIn'))).page).toBe('demo/signed-in');
    expect(await claims(tab)).toMatchObject({ acr: 'phr', amr: '["hwk","user","mfa"]' });
  });

  it('a page that was open too long leads on without a word lost', async () => {
    await signOut();
    await tab.open('/demo/myasn/login');
    await login(tab, who, PASSWORD);
    clock.pass({ seconds: 3_700 });
    expect((await tab.press(t('passkey.use'))).page).toBe('expired');
  });

  it('a passkey that is not there is told, and the other way is open', async () => {
    await key.forget();
    await tab.open('/demo/myasn/login');
    await tab.page.getByRole('button', { name: t('passkey.signIn') }).click();
    const told = tab.page.locator('[data-error="passkey_cancelled"]');
    await told.waitFor({ state: 'visible' });
    expect(await visible(t('passkey.signIn'))).toBe(true);
    await login(tab, who, PASSWORD);
    await tab.type({ otp: phone.code() });
    expect((await tab.press(t('action.continue'))).page).toBe('demo/signed-in');
    expect(await claims(tab)).toMatchObject({ acr: 'urn:asn:aal2', amr: '["pwd","otp","mfa"]' });
  });

  it('nothing was blocked, and no page weighed more than 30 kB', () => {
    // What Chromium says of the challenge that came too late, and nothing else.
    expect(tab.complaints).toEqual([expect.stringMatching(/\/otp: .* status of 410/)]);
    for (const { path, encodedBytes, decodedBytes } of tab.weights()) {
      expect([path, Math.max(encodedBytes, decodedBytes) <= 30_000]).toEqual([path, true]);
    }
  });

  describe.each([
    ['without JavaScript', false],
    ['without WebAuthn', true],
  ])('in a browser %s', (_, javaScript) => {
    it('there is nothing of it, and the login is as it was', async () => {
      const old = await browser.openTab({ origin: site.origin, javaScript });
      if (javaScript) await old.page.addInitScript('delete window.PublicKeyCredential');
      const shows = async (shown: Shown): Promise<unknown[]> => [
        shown.page,
        await old.page.getByRole('button').filter({ visible: true }).allInnerTexts(),
      ];
      expect(await shows(await old.open('/demo/myasn/login'))).toEqual([
        'sign-in/password',
        ['LOGIN', t('action.back', { service: 'MyASN' })],
      ]);
      expect(await shows(await login(old, who, PASSWORD))).toEqual(['sign-in/otp', [t('action.continue')]]);
      await old.type({ otp: phone.code() });
      expect((await old.press(t('action.continue'))).page).toBe('demo/signed-in');
      await old.open('/account/devices/add/passkey');
      expect(await old.page.getByText(t('account.passkey.absent')).isVisible()).toBe(true);
      expect(await old.page.getByRole('button', { name: t('account.passkey.submit') }).isVisible()).toBe(false);
      expect(old.complaints).toEqual([]);
      await old.close();
    });
  });
});
