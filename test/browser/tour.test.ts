import { jest } from '@jest/globals';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeIn, PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { challengeOf } from '../support/person.js';
import { CAPTCHA, startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { totp } from '../support/totp.js';
import { authenticator, demoPerson, login, readKey, WORDS } from './steps.js';
import { writeClientsFile } from './clients-file.js';
import { stopInTheMorning } from './morning.js';
import { createGuide, FOLDER, PATIENCE_MS, UPDATES, type Guide } from './tour-guide.js';
import { PICTURES, writeReadme } from './tour-stops.js';

const README = join(FOLDER, 'README.md');
const t = WORDS.id;
jest.setTimeout(PATIENCE_MS);

/** One service more, for permanent employees only. */
const CLOSED = {
  client_id: 'kenaikan-pangkat',
  client_name: 'Kenaikan Pangkat',
  redirect_uris: ['http://localhost/callback'],
  token_endpoint_auth_method: 'none',
  x: { category: 'Individu', allowed_employment: ['PNS'] },
};
const authorize = (params: Record<string, string>): string =>
  `/oidc/auth?${new URLSearchParams({
    response_type: 'code',
    scope: 'openid',
    code_challenge: challengeOf('v'.repeat(43)),
    code_challenge_method: 'S256',
    ...params,
  }).toString()}`;
const atClosed = authorize({ client_id: CLOSED.client_id, redirect_uri: 'http://localhost/callback' });
const byForm = (origin: string): string =>
  authorize({ client_id: 'myasn', redirect_uri: `${origin}/demo/myasn/callback`, response_mode: 'form_post' });

describeInBrowser('the tour in Chromium: every page, phone and desktop, light and dark', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let clients: Awaited<ReturnType<typeof writeClientsFile>>;
  let guide: Guide;
  const stop: Guide['stop'] = (name) => guide.stop(name);
  beforeAll(async () => {
    clock = stopInTheMorning();
    clients = await writeClientsFile(CLOSED);
    // As `npm start` runs: mail stays in the local outbox.
    [site, browser] = await Promise.all([
      startSite({ SMTP_URL: undefined, CLIENTS_FILE: clients.path }),
      launchChromium(),
    ]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    guide = createGuide(tab, 'login');
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    await clients.remove();
    clock.release();
  });

  let mails = 0;
  /** Reads the next code where a newcomer does: reloads until it is there. */
  async function readMailedCode(look: () => Promise<void> = () => Promise.resolve()): Promise<string> {
    const { url } = await tab.look();
    const subjects = tab.page.locator('.mail h2');
    do await tab.open('/dev/mail');
    while ((await subjects.count()) <= mails);
    mails = await subjects.count();
    const code = codeIn(await tab.page.locator('pre').first().innerText());
    await look();
    await tab.open(url.pathname);
    return code;
  }
  async function signOutAt(app: string): Promise<void> {
    await tab.open(`/demo/${app}`);
    await tab.press(t('demo.signedIn.signOut'));
  }

  it('first activation', async () => {
    const bayu = demoPerson('Bayu Lesmana');
    await tab.open('/');
    await stop('front');
    await tab.press('LOGIN');
    await stop('sign-in/password');
    await tab.press('RESET');
    await stop('reset/menu');
    await tab.press(/^Reset Password \(Lupa Password\)/);
    await stop('reset/password/start');
    await tab.type({ username: bayu.nip, captcha: CAPTCHA });
    await tab.press('Check');
    await stop('reset/password/email');
    await tab.type({ email: bayu.email });
    await tab.press('Kirim');
    await stop('reset/password/code');
    const code = await readMailedCode(async () => {
      await stop('dev/mail');
      await tab.arrive(() => tab.page.locator('.mail h2 a').first().click());
      await stop('dev/mail/message');
    });
    await tab.type({ code, new_password: PASSWORD, confirm_password: PASSWORD });
    await tab.press('Reset Password');
    await stop('reset/password/done');
    await tab.press('LOGIN');
    await login(tab, bayu);
  });

  it('the first login, single sign-on, and a code once more', async () => {
    const bayu = demoPerson('Bayu Lesmana');
    await stop('sign-in/enrol');
    const secret = await readKey(tab);
    const phone = authenticator(secret, clock);
    await tab.type({ otp: phone.code(), device_name: 'Ponsel kerja' });
    await tab.press('Submit');
    await stop('sign-in/recovery-codes');
    await tab.page.locator('#saved').check();
    await tab.press(t('signIn.codes.continue', { service: 'ASN Digital' }));
    await stop('launcher');
    await tab.open('/demo/myasn');
    await stop('demo/home');
    await tab.open('/demo/myasn/login');
    await stop('demo/signed-in');
    // The service answers nothing, so that the page stays.
    await tab.page.route('**/demo/myasn/callback', (route) => route.fulfill({ status: 204 }));
    await tab.page.goto(byForm(site.origin), { waitUntil: 'commit' });
    await tab.page.getByRole('button', { name: t('formPost.submit') }).waitFor();
    await stop('form-post');
    await tab.page.unroute('**/demo/myasn/callback');
    await tab.open(atClosed);
    await stop('no-access');

    await signOutAt('myasn');
    await stop('sign-out/confirm');
    await tab.press(t('signOut.confirm.submit'));
    await stop('demo/signed-out');

    await tab.open('/demo/myasn/login');
    await login(tab, bayu, 'salah');
    await stop('sign-in/password, refused');
    await login(tab, bayu);
    await stop('sign-in/otp');
    for (let typed = 0; typed < 2; typed += 1) {
      clock.pass({ seconds: 30 });
      await tab.type({ otp: totp(secret, new Date(clock.now().getTime() - 7 * 60_000)) });
      await tab.press(t('action.continue'));
    }
    await stop('sign-in/otp, clock slow');
    await tab.type({ otp: phone.code() });
    await tab.press(t('action.continue'));
    await tab.open('/reset/mfa');
    await stop('reset/mfa');
    await tab.open('/login');
    await tab.press(t('shell.signOut'));
    await stop('sign-out/done');
  });

  it('a password that no longer meets the rules', async () => {
    const tirta = demoPerson('Tirta Wibawa');
    await tab.open('/login');
    await login(tab, tirta, tirta.password);
    await stop('sign-in/prove-mailbox');
    await tab.type({ code: await readMailedCode() });
    await tab.press(t('action.continue'));
    await tab.type({ otp: totp(await readKey(tab), clock.now()), device_name: 'Ponsel' });
    await tab.press('Submit');
    await tab.page.locator('#saved').check();
    await tab.press(t('signIn.codes.continue', { service: 'ASN Digital' }));
    await stop('sign-in/change-password');
    await tab.type({ new_password: PASSWORD, confirm_password: PASSWORD });
    expect((await tab.press(t('signIn.change.submit'))).page).toBe('launcher');

    const galuh = demoPerson('Galuh Permadi');
    await tab.open('/reset/weak');
    await stop('reset/weak');
    await tab.type({ username: galuh.accountName ?? '', password: galuh.password ?? '' });
    await tab.type({ new_password: PASSWORD, confirm_password: PASSWORD });
    await tab.press('Reset Password');
    await stop('reset/weak/done');
  });

  it('help, and everything that can go wrong', async () => {
    await tab.open('/bantuan');
    await stop('help');
    await tab.open('/sign-in/lama');
    await stop('expired');
    await tab.open('/tidak-ada');
    await stop('not-found');
    await tab.open('/oidc/auth?client_id=myasn&response_type=code&scope=openid&redirect_uri=https://other.example/');
    await stop('error');

    await tab.context.clearCookies();
    await tab.open('/login');
    const { hashQueue } = site.running.services;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const crowd = Array.from({ length: 300 }, () => hashQueue.run(() => gate).catch(() => undefined));
    await login(tab, demoPerson('Bayu Lesmana'));
    release();
    await Promise.all(crowd);
    await stop('busy');
    // The form went to an address that shows nothing by itself.
    expect((await tab.press('English')).page).toBe('sign-in/password');
    await tab.press('Bahasa Indonesia');
    await tab.open('/dev/components');
    await stop('dev/components');
  });

  it('nothing was blocked or missing, nothing was above 30 kB', () => {
    guide.expectAllSeen();
  });

  it('every page has its pictures, and the list of them is up to date', async () => {
    if (UPDATES) await writeFile(README, writeReadme());
    expect(await readFile(README, 'utf8')).toBe(writeReadme());
    const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.png'));
    expect(files.sort()).toEqual([...PICTURES].sort());
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(FOLDER, file))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(7_500_000);
  });
});
