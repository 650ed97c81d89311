import { readFile } from 'node:fs/promises';
import { jest } from '@jest/globals';
import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { challengeOf } from '../support/person.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { totp } from '../support/totp.js';
import { authenticator, demoPerson, downloadCodes, login, readKey, WORDS, goToPart } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
const NEW_PASSWORD = 'Gajah Merah 8 tidur-pulas';
jest.setTimeout(PATIENCE_MS);

describeInBrowser('the account pages in Chromium, phone and desktop, light and dark', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let guide: Guide;
  let phone: ReturnType<typeof authenticator>;
  let tablet: ReturnType<typeof authenticator>;
  const stop: Guide['stop'] = (name) => guide.stop(name);
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    guide = createGuide(tab, 'account');
    phone = await signInOnTour(tab, { site, clock, who: demoPerson('Bayu Lesmana') });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  /** MyASN on a phone, as it would be after its login: none of the sample services is one. */
  const addStayingApp = (nip: string): Promise<unknown> =>
    site.running.services.db.query(
      `INSERT INTO oidc_grants (id, account_id, cred_epoch, client_id, payload, expires_at)
       SELECT 'phone', id, cred_epoch, 'myasn', $2, $3 FROM accounts WHERE nip = $1`,
      [
        nip,
        { iat: Math.floor(clock.now().getTime() / 1000), openid: { scope: 'openid offline_access' } },
        new Date(clock.now().getTime() + 30 * 24 * 3_600_000),
      ],
    );

  it('devices', async () => {
    await tab.open('/');
    await tab.press(t('shell.account'));
    await stop('account/devices');
  });

  it('activity', async () => {
    await goToPart(tab, 'activity');
    await stop('account/activity');
    const lines = await tab.page.locator('.timeline strong').allInnerTexts();
    expect(lines.slice(0, 3)).toEqual([
      'Masuk ke ASN Digital',
      '10 kode pemulihan dibuat',
      'Autentikator dipasang: Ponsel kerja',
    ]);
    await tab.press('bekukan akun');
    await stop('account/freeze');
    await tab.press(t('account.freeze.stay'));
  });

  it('sessions', async () => {
    const other = await browser.openTab({ origin: site.origin });
    const who = demoPerson('Bayu Lesmana');
    await other.open('/demo/myasn/login');
    await login(other, who, PASSWORD);
    await other.type({ otp: phone.code() });
    await other.press(t('action.continue'));
    await tab.open('/account/devices');
    await goToPart(tab, 'sessions');
    await stop('account/sessions');
    await tab.press(/^Akhiri Chrome/);
    await stop('account/sessions/end');
    await tab.press(t('account.sessions.cancel'));
    await tab.press(new RegExp(`^${t('account.sessions.endOthers.link')}`));
    await stop('account/sessions/end-others');
    await tab.press(t('account.sessions.cancel'));
    await tab.press(new RegExp(`^${t('account.sessions.endAll.link')} Peramban`));
    await stop('account/sessions/end-all');
    await addStayingApp(who.nip);
    await tab.press(t('account.sessions.cancel'));
    await tab.press(/^Akhiri MyASN/);
    await stop('account/sessions/end-app');
    await other.close();
  });

  it('a new e-mail address', async () => {
    await tab.open('/account/contact');
    await stop('account/contact');
    await tab.type({ new_email: 'bayu.lesmana@surat.example' });
    await tab.press('Kirim');
    await stop('account/contact/code');
    await tab.press(t('account.contact.code.stop'));
  });

  it('my data, to read and as a file', async () => {
    await tab.open('/account/devices');
    await goToPart(tab, 'data');
    await stop('account/data');
    const button = tab.page.getByRole('button', { name: t('account.data.download') });
    const [download] = await Promise.all([tab.page.waitForEvent('download'), button.click()]);
    expect(download.suggestedFilename()).toBe('data-saya-sso-asn.json');
    const file = JSON.parse(await readFile(await download.path(), 'utf8')) as { account: { name: string }[] };
    expect(file.account.map(({ name }) => name)).toEqual(['Bayu Lesmana']);
  });

  it('password, the old one wrong and then right', async () => {
    await goToPart(tab, 'password');
    await stop('account/password');
    const fresh = { new_password: NEW_PASSWORD, confirm_password: NEW_PASSWORD };
    await tab.type({ password: 'Salah Sekali 1 lari', ...fresh });
    expect(await tab.press(t('account.password.submit'))).toMatchObject({ errors: ['invalid_credentials'] });
    await tab.type({ password: PASSWORD, ...fresh });
    expect(await tab.press(t('account.password.submit'))).toMatchObject({ page: 'account/activity', errors: [] });
    expect(await tab.page.locator('[data-done="password_changed"]').innerText()).toContain('Password sudah diganti');
    expect(await tab.page.locator('.timeline strong').allInnerTexts()).toEqual(
      expect.arrayContaining(['Password diganti', 'Password salah', 'Semua data akun diunduh']),
    );
  });

  it('another device', async () => {
    await tab.open('/account/devices');
    await tab.press(t('account.devices.add'));
    await stop('account/devices/add');
    await tab.press(new RegExp(`^${t('account.add.app.title')}`));
    await stop('account/devices/add/app');
    tablet = authenticator(await readKey(tab), clock);
    await tab.type({ otp: tablet.code(), device_name: 'Tablet' });
    expect((await tab.press('Submit')).page).toBe('account/devices');
  });

  it('its name', async () => {
    await tab.press(`${t('account.devices.rename')} Tablet`);
    await stop('account/devices/rename');
    await tab.type({ device_name: 'Tablet rumah' });
    expect((await tab.press(t('account.rename.save'))).page).toBe('account/devices');
  });

  it('a new phone in place of the old one, asked for a code alone because time has passed', async () => {
    clock.pass({ minutes: 6 });
    expect((await tab.press(t('account.devices.move'))).page).toBe('sign-in/otp');
    await tab.type({ otp: tablet.code() });
    expect((await tab.press(t('action.continue'))).page).toBe('account/devices/move');
    await stop('account/devices/move');
    await tab.press(/^Ponsel kerja/);
    await stop('account/devices/move/app');
    // With the clock of the new phone an hour behind; the second code tells.
    const key = await readKey(tab);
    for (const round of [1, 2]) {
      clock.pass({ seconds: 30 * round });
      const otp = totp(key, new Date(clock.now().getTime() - 3_600_000));
      await tab.type({ otp, device_name: 'Ponsel baru' });
      expect((await tab.press('Submit')).errors).toEqual([round === 1 ? 'otp_invalid' : 'clock_drift']);
    }
    await stop('account/devices/move/app, clock slow');
    phone = authenticator(key, clock);
    await tab.type({ otp: phone.code() });
    expect((await tab.press('Submit')).page).toBe('account/devices');
    expect(await tab.page.locator('tbody th').allInnerTexts()).toEqual(['Tablet rumah', 'Ponsel baru']);
    await tab.page.locator('main summary').click();
    await stop('account/devices, with history');
  });

  it('one less', async () => {
    await tab.press(`${t('account.devices.remove')} Tablet rumah`);
    await stop('account/devices/remove');
    expect((await tab.press(t('account.remove.yes'))).page).toBe('account/devices');
    expect(await tab.page.locator('tbody th').allInnerTexts()).toEqual(['Ponsel baru']);
  });

  it('new recovery codes', async () => {
    await goToPart(tab, 'recovery-codes');
    await stop('account/recovery-codes');
    await tab.press(t('account.codes.make'));
    await stop('account/recovery-codes/renew');
    await tab.press(t('account.codes.make'));
    await stop('account/recovery-codes/new');
    const file = await downloadCodes(tab);
    expect(file).toHaveLength(10);
    expect(await tab.page.locator('.codes li').allInnerTexts()).toEqual(file);
    await tab.page.locator('#saved').check();
    expect((await tab.press(t('account.codes.finish'))).page).toBe('account/recovery-codes');
  });

  it('a passkey', async () => {
    await tab.open('/account/devices');
    await tab.press(t('account.devices.add'));
    await tab.press(new RegExp(`^${t('account.add.passkey.title')}`));
    await stop('account/devices/add-passkey');
    // What a service may ask, asked in its place.
    const verifier = 'x'.repeat(43);
    await tab.open(
      `/oidc/auth?${new URLSearchParams({
        client_id: 'asn-digital',
        response_type: 'code',
        redirect_uri: `${site.origin}/session/callback`,
        scope: 'openid',
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
        acr_values: 'phr',
      }).toString()}`,
    );
    await stop('sign-in/passkey-missing');
  });

  it('nothing was blocked or missing, nothing was above 30 kB', () => {
    guide.expectAllSeen();
  });
});
