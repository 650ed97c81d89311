import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Size, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import type { Locale } from '#src/web/locale.js';
import { readPng } from './png.js';
import { readQr } from './qr.js';
import { activate, authenticator, demoPerson, downloadCodes, login, readKey, WORDS } from './steps.js';
import { stopInTheMorning } from './morning.js';

const JOURNEYS: readonly (readonly [Size, Locale, string])[] = [
  ['phone', 'id', 'Bayu Lesmana'],
  ['desktop', 'id', 'Laras Kinanti'],
  ['phone', 'en', 'Wening Prasasti'],
  ['desktop', 'en', 'Endah Puspita'],
];

const SERVICES = ['SSCASN', 'MyASN', 'DMS', 'SIASN'];

describeInBrowser('the main job in Chromium, without JavaScript', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  describe.each(JOURNEYS)('%s, %s: %s', (size, locale, name) => {
    const t = WORDS[locale];
    const who = demoPerson(name);
    let tab: Tab;
    let phone: { code(): string };
    let recoveryCodes: string[] = [];
    beforeAll(async () => {
      tab = await browser.openTab({ origin: site.origin, size, locale });
    });
    afterAll(() => tab.close());

    const enter = async (app: string): Promise<string | undefined> => {
      await tab.open(`/demo/${app.toLowerCase()}`);
      return (await tab.press(t('demo.home.signIn', { name: 'SSO ASN' }))).page;
    };
    const signOutAt = async (app: string): Promise<void> => {
      await tab.open(`/demo/${app.toLowerCase()}`);
      await tab.press(t('demo.signedIn.signOut'));
      await tab.press(t('signOut.confirm.submit'));
    };
    const textOf = (selector: string): Promise<string> => tab.page.locator(selector).innerText();

    it('makes a password from the front door through RESET, and leads back to the login', async () => {
      expect(await tab.open('/')).toMatchObject({ page: 'front', lang: locale });
      expect((await tab.press('LOGIN')).page).toBe('sign-in/password');
      const begun = (await tab.look()).url.pathname;
      expect((await tab.press('RESET')).page).toBe('reset/menu');
      expect((await activate(tab, { site, clock, who })).page).toBe('reset/password/done');
      const back = await tab.press('LOGIN');
      expect({ page: back.page, path: back.url.pathname }).toEqual({ page: 'sign-in/password', path: begun });
    });

    it('enrols with the key that the page, its link and its QR code all hold', async () => {
      expect((await login(tab, who)).page).toBe('sign-in/enrol');
      const secret = await readKey(tab);
      expect(secret).toMatch(/^[A-Z2-7]{32}$/);
      const link = new URL((await tab.page.locator('a[href^="otpauth:"]').getAttribute('href')) ?? '');
      expect(link.searchParams.get('secret')).toBe(secret);
      expect(readQr(readPng(await tab.page.locator('.qr svg').screenshot()))).toBe(link.href);

      phone = authenticator(secret, clock);
      await tab.type({ otp: phone.code(), device_name: 'Ponsel kerja' });
      expect((await tab.press('Submit')).page).toBe('sign-in/recovery-codes');
    });

    it('keeps ten recovery codes as a file and arrives at the launcher', async () => {
      recoveryCodes = await downloadCodes(tab);
      expect(recoveryCodes).toHaveLength(10);
      expect(await tab.page.locator('.codes li').allInnerTexts()).toEqual(recoveryCodes);
      await tab.page.locator('#saved').check();
      expect((await tab.press(t('signIn.codes.continue', { service: 'ASN Digital' }))).page).toBe('launcher');
      expect(await textOf('.who strong')).toBe(who.name);
      expect(await tab.page.locator('.tiles strong').allInnerTexts()).toEqual(SERVICES);
    });

    it('opens all four from the launcher by that one login', async () => {
      for (const app of SERVICES) {
        await tab.open('/');
        expect((await tab.press(new RegExp(`^${app} `))).page).toBe('demo/home');
        expect((await tab.press(t('demo.home.signIn', { name: 'SSO ASN' }))).page).toBe('demo/signed-in');
        expect(await textOf('.claims')).toContain(who.nip);
      }
    });

    it('is asked by DMS for a fresh code after five minutes, and for nothing else', async () => {
      clock.pass({ minutes: 6 });
      await tab.open('/demo/dms/login');
      expect((await tab.look()).page).toBe('sign-in/otp');
      expect(await textOf('main .lead')).toContain(t('signIn.otp.again', { service: 'DMS' }));
      await tab.type({ otp: phone.code() });
      expect((await tab.press(t('action.continue'))).page).toBe('demo/signed-in');
      await tab.open('/demo/siasn/login');
      expect((await tab.look()).page).toBe('demo/signed-in');
    });

    it('logs out of everything at once', async () => {
      await signOutAt('DMS');
      expect((await tab.look()).page).toBe('demo/signed-out');
      for (const app of ['myasn', 'siasn', 'sscasn']) {
        expect((await tab.open(`/demo/${app}`)).page).toBe('demo/signed-out');
      }
      expect((await tab.open('/')).page).toBe('front');
    });

    it('logs in again with password and code', async () => {
      expect(await enter('SIASN')).toBe('sign-in/password');
      expect((await login(tab, who, PASSWORD)).page).toBe('sign-in/otp');
      await tab.type({ otp: phone.code() });
      expect((await tab.press(t('action.continue'))).page).toBe('demo/signed-in');
      expect(await textOf('.claims')).toContain('["pwd","otp","mfa"]');
    });

    it('logs in with a recovery code when the phone is gone', async () => {
      await signOutAt('SIASN');
      await enter('MyASN');
      await login(tab, who);
      await tab.page.getByText(t('signIn.otp.recovery')).click();
      await tab.type({ recovery_code: recoveryCodes[0]?.toLowerCase() ?? '' });
      expect((await tab.press(t('signIn.otp.useRecovery'))).page).toBe('demo/signed-in');
      expect(await textOf('.claims')).toContain('["pwd","mfa"]');
    });

    it('met no blocked form, no missing file, no page above 30 kB', () => {
      expect(tab.complaints).toEqual([]);
      const weights = tab.weights();
      expect(weights.length).toBeGreaterThan(30);
      for (const weight of weights) expect(weight.decodedBytes).toBeGreaterThan(10_000);
      const heavy = weights.filter(({ encodedBytes, decodedBytes }) => Math.max(encodedBytes, decodedBytes) > 30_000);
      expect(heavy).toEqual([]);
    });
  });
});
