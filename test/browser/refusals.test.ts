import { openPerson } from '../support/person.js';
import { describeInBrowser, launchChromium, type Size, type Tab, type TestBrowser } from '../support/chromium.js';
import { CAPTCHA, startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { totp } from '../support/totp.js';
import { enrol, PASSWORD, resetPassword } from '../journeys/steps.js';
import type { Locale } from '#src/web/locale.js';
import { demoPerson, login, WORDS } from './steps.js';
import { stopInTheMorning } from './morning.js';

describeInBrowser('what Chromium shows when something is refused', () => {
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

  describe.each<[Size, Locale, string, string]>([
    ['phone', 'id', 'Galuh Permadi', '199001012023211001'],
    ['desktop', 'en', 'Ratri Anjani', '199001012023211002'],
  ])('%s, %s: %s', (size, locale, name, stranger) => {
    const t = WORDS[locale];
    const who = demoPerson(name);
    let tab: Tab;
    let secret: string;
    beforeAll(async () => {
      // Elsewhere, so that this browser is unknown to the program.
      const before = openPerson(site.origin);
      await resetPassword(site, before, { nip: who.nip, email: who.email });
      await before.get('/demo/myasn/login');
      await before.submit('/password', { username: who.nip, password: PASSWORD });
      ({ secret } = await enrol(before));
      tab = await browser.openTab({ origin: site.origin, size, locale });
    });
    afterAll(() => tab.close());

    /** Where the person reads on: the field or the message that gets the focus, once the page is drawn. */
    const standsAt = (id: string): Promise<void> => tab.page.locator(`#${id}:focus`).waitFor();
    const valueOf = (field: string): Promise<string> => tab.page.locator(`[name="${field}"]`).inputValue();
    /** Lowest edge of the first button, in pixels from the top of the page. */
    const buttonEnds = async (): Promise<number> => {
      const box = await tab.page.locator('main .button').first().boundingBox();
      return (box?.y ?? 0) + (box?.height ?? 0) + (await tab.ask<number>('scrollY'));
    };
    const atCode = async (): Promise<void> => {
      await tab.open('/demo/myasn/login');
      await login(tab, who);
    };
    const answer = async (otp: string): Promise<string | undefined> => {
      await tab.type({ otp });
      return (await tab.press(t('action.continue'))).errors[0];
    };

    it('a wrong password: says so above the form, keeps the name, forgets the password', async () => {
      await tab.open('/demo/myasn/login');
      const refused = await login(tab, who, 'salah sekali');
      expect(refused).toMatchObject({ page: 'sign-in/password', errors: ['invalid_credentials'] });
      expect(refused.title).toBe(`${t('shell.failed')}: ${t('signIn.password.title', { service: 'MyASN' })} - SSO ASN`);
      await standsAt('problem');
      expect([await valueOf('username'), await valueOf('password')]).toEqual([who.nip, '']);
      expect(await buttonEnds()).toBeLessThanOrEqual(740);
    });

    it('too many passwords: when to come back, and RESET at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        expect((await login(tab, { ...who, nip: stranger }, 'salah')).errors).toEqual(['invalid_credentials']);
      }
      expect((await login(tab, { ...who, nip: stranger }, 'salah')).errors).toEqual(['throttled']);
      const when = t('when.seconds', { seconds: 30 });
      expect(await tab.page.locator('#problem').innerText()).toContain(when);
      expect((await tab.arrive(() => tab.page.locator('#problem a').click())).page).toBe('reset/menu');
      clock.pass({ seconds: 31 });
    });

    it('a wrong code, a used one and half of one, each in its own words at the field', async () => {
      await atCode();
      expect(await answer('000000')).toBe('otp_invalid');
      await standsAt('otp');
      expect(await buttonEnds()).toBeLessThanOrEqual(740);
      expect(await tab.page.locator('#otp-error').innerText()).toContain(t('error.otp_invalid.title'));

      // The half minute in which the phone was enrolled is spent for good.
      expect(await answer(totp(secret, new Date(clock.now().getTime() - 31_000)))).toBe('otp_reused');
      expect(await answer('12 34 5')).toBe('otp_invalid');
      expect(await valueOf('otp')).toBe('');
    });

    it('a phone whose clock is seven minutes slow: by the second code the page knows', async () => {
      clock.pass({ minutes: 15 });
      await atCode();
      const slow = (): string => totp(secret, new Date(clock.now().getTime() - 7 * 60_000));
      expect(await answer(slow())).toBe('otp_invalid');
      clock.pass({ seconds: 30 });
      expect(await answer(slow())).toBe('clock_drift');
      const alert = tab.page.locator('#problem');
      expect(await alert.getAttribute('data-drift-minutes')).toBe('-7');
      expect(await alert.innerText()).toContain(t('error.clock_drift.slow', { minutes: 7 }));
      await standsAt('problem');
      expect(await buttonEnds()).toBeLessThanOrEqual(740);
    });

    it('the other language in the middle of it: same sign-in, same step, and from then on', async () => {
      const before = (await tab.look()).url.pathname;
      const other = await tab.press(t('shell.otherLanguage'));
      expect(other).toMatchObject({ page: 'sign-in/otp', lang: locale === 'id' ? 'en' : 'id' });
      expect(other.url.pathname).toBe(before);
      await tab.type({ otp: totp(secret, clock.now()) });
      const after = await tab.press(WORDS[locale === 'id' ? 'en' : 'id']('action.continue'));
      expect(after).toMatchObject({ page: 'demo/signed-in', lang: locale === 'id' ? 'en' : 'id' });
      await tab.press(t('shell.otherLanguage') === 'English' ? 'Bahasa Indonesia' : 'English');
      expect((await tab.open('/')).lang).toBe(locale);
    });

    it('five wrong codes: the sign-in is over, and begins again when the wait is', async () => {
      await tab.open('/demo/myasn');
      await tab.press(t('demo.signedIn.signOut'));
      await tab.press(t('signOut.confirm.submit'));
      await atCode();
      for (let round = 1; round < 5; round += 1) expect(await answer(`00000${round}`)).toBe('otp_invalid');
      expect(await answer('000005')).toBe('throttled');
      clock.pass({ minutes: 15 });
      expect((await tab.press(t('signIn.otp.restart'))).page).toBe('sign-in/password');
      expect((await login(tab, who)).page).toBe('sign-in/otp');
      expect(await answer(totp(secret, clock.now()))).toBeUndefined();
      expect((await tab.look()).page).toBe('launcher');
    });

    it('wrong letters: another picture, the name stays', async () => {
      await tab.open('/reset/password');
      const picture = (): Promise<string | null> => tab.page.locator('.captcha').getAttribute('src');
      const first = await picture();
      await tab.type({ username: who.nip, captcha: CAPTCHA.toLowerCase() });
      expect((await tab.press('Check')).errors).toEqual(['captcha_wrong']);
      expect(await picture()).not.toBe(first);
      await standsAt('captcha');
      expect(await valueOf('username')).toBe(who.nip);
    });

    it('another picture keeps what was typed, and Enter still presses Check', async () => {
      await tab.open('/reset/password');
      await tab.type({ username: who.nip, captcha: 'x' });
      expect(await tab.press(t('reset.start.newPicture'))).toMatchObject({ page: 'reset/password/start', errors: [] });
      expect(await valueOf('username')).toBe(who.nip);
      await tab.type({ captcha: CAPTCHA.toLowerCase() });
      await tab.page.locator('[name="captcha"]').press('Enter');
      await tab.page.locator('[data-error="captcha_wrong"]').waitFor();
      expect((await tab.look()).errors).toEqual(['captcha_wrong']);
      expect(await valueOf('username')).toBe(who.nip);
    });

    it('five wrong mailed codes: begin again, the password has not changed', async () => {
      await tab.type({ username: stranger, captcha: CAPTCHA });
      await tab.press('Check');
      await tab.type({ email: 'siapa@contoh.example' });
      await tab.press('Kirim');
      const typed = { code: 'AAAAA-AAAAA', new_password: PASSWORD, confirm_password: PASSWORD };
      for (let round = 1; round < 5; round += 1) {
        await tab.type(typed);
        expect((await tab.press('Reset Password')).errors).toEqual(['code_invalid']);
        await standsAt('code');
      }
      await tab.type(typed);
      expect(await tab.press('Reset Password')).toMatchObject({ page: 'expired', errors: ['flow_expired'] });
      expect(await tab.page.locator('main .lead').innerText()).toBe(t('expired.kept.password_unchanged'));
      expect((await tab.press(t('action.restart'))).page).toBe('reset/menu');
    });

    it('a login left open over night is over, and says how to begin again', async () => {
      await tab.context.clearCookies();
      await tab.open('/login');
      const { url } = await tab.look();
      clock.pass({ hours: 12 });
      expect(await tab.open(url.pathname)).toMatchObject({ page: 'expired', errors: ['flow_expired'] });
      expect((await tab.press(t('action.restart'))).page).toBe('sign-in/password');
    });

    it('all of it without a complaint of the browser', () => {
      expect(tab.complaints).toEqual([]);
    });
  });
});
