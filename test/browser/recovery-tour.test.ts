import { jest } from '@jest/globals';
import { findByName } from '#src/accounts/accounts.js';
import { canonicalName } from '#src/accounts/name.js';
import { codeIn, PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { CAPTCHA, startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, login, readKey, WORDS, authenticator } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
jest.setTimeout(PATIENCE_MS);

const who = demoPerson('Bayu Lesmana');
const other = demoPerson('Laras Kinanti');

describeInBrowser('Reset MFA in Chromium', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  /** Looked at closely, which needs JavaScript: axe. */
  let tab: Tab;
  /** Another browser, without JavaScript. */
  let plain: Tab;
  let guide: Guide;
  const stop: Guide['stop'] = (name) => guide.stop(name);
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    plain = await browser.openTab({ origin: site.origin });
    guide = createGuide(tab, 'recovery');
    await signInOnTour(tab, { site, clock, who });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  /** From the RESET menu to the page that asks who it is. */
  async function choose(at: Tab, way: 'withCode' | 'waiting'): Promise<void> {
    await at.open('/reset');
    await at.press(/^Reset MFA/);
    await at.press(new RegExp(`^${t(`reset.mfa.${way}.title`)}`));
  }
  async function start(at: Tab, way: 'withCode' | 'waiting', person: { readonly nip: string } = who): Promise<void> {
    await choose(at, way);
    await at.type({ username: person.nip, password: PASSWORD, captcha: CAPTCHA });
  }
  async function mailedCode(at: Tab, email: string): Promise<string> {
    clock.pass({ seconds: 1 });
    const asked = clock.now();
    await at.press(t('action.continue'));
    return codeIn((await site.mailbox.next(email, asked)).text);
  }

  it('with neither code nor device: the mailed code, then a wait', async () => {
    await choose(tab, 'waiting');
    await stop('reset/mfa/start');
    await start(tab, 'waiting');
    const code = await mailedCode(tab, who.email);
    await stop('reset/mfa/code');
    await tab.type({ code: code.toLowerCase() });
    await tab.press(t('action.continue'));
    await stop('reset/mfa/waiting');
  });

  it('the owner sees it wherever they are logged in, and stops it with the link in the mail', async () => {
    await tab.open('/');
    await stop('launcher, reset waits');
    const mail = site.mailbox.mails.findLast(({ to, text }) => to.includes(who.email) && text.includes('/stop/'));
    const link = /https?:\/\/\S+/.exec(mail?.text ?? '')?.[0] ?? '';
    await tab.open(new URL(link).pathname);
    await stop('reset/mfa/stop');
    await tab.press(t('reset.mfa.stop.submit'));
    await stop('reset/mfa/stopped');
    await tab.open('/');
    expect(await tab.page.locator('[data-waiting-reset]').count()).toBe(0);
  });

  it('after 50 wrong codes: what happened, and the ways on', async () => {
    const { db, wrongCodes } = site.running.services;
    const name = canonicalName(who.nip);
    const account = name.kind === 'malformed' ? undefined : await findByName(db, name);
    if (account === undefined) throw new Error('the person is gone');
    await db.transaction((tx) =>
      wrongCodes.follow(tx, {
        account,
        failures: 50,
        trace: { requestId: 'tour', agent: { browser: '', system: '' } },
      }),
    );
    await tab.open('/login');
    clock.pass({ seconds: 1 });
    expect((await login(tab, who)).page).toBe('sign-in/factors-closed');
    await stop('sign-in/factors-closed');
    await tab.press(t('signIn.presence.offer'));
    await tab.press(t('signIn.presence.show'));
    await stop('sign-in/presence');
    expect(await tab.page.locator('[data-presence-code]').count()).toBe(1);
    expect((await tab.press(t('action.cancel'))).page).toBe('sign-in/factors-closed');
    expect((await tab.press(/^Reset MFA/)).page).toBe('reset/mfa/start');
  });

  it('with a recovery code: at once', async () => {
    await start(tab, 'withCode');
    await tab.press(t('action.continue'));
    await stop('reset/mfa/factor');
    const { db, recoveryCodes } = site.running.services;
    const [row] = await db.query('SELECT id FROM accounts WHERE nip = $1', [who.nip]);
    const prepared = await recoveryCodes.prepare();
    await db.transaction((tx) =>
      recoveryCodes.issue(tx, row?.id as Parameters<typeof recoveryCodes.issue>[1], prepared),
    );
    await tab.type({ recovery_code: (prepared.codes[0] ?? '').toLowerCase() });
    await tab.press(t('reset.mfa.factor.submitCode'));
    await stop('reset/mfa/done');
    // Logged out everywhere, and back by password and mailbox.
    await tab.press('LOGIN');
    clock.pass({ seconds: 1 });
    expect((await login(tab, who)).page).toBe('sign-in/prove-mailbox');
  });

  it('nothing was blocked or missing, nothing was above 30 kB', () => {
    guide.expectAllSeen();
  });

  it('the whole way without JavaScript: a lost phone, a day, a new one', async () => {
    await signInOnTour(plain, { site, clock, who: other });
    await plain.press(t('shell.signOut'));
    await start(plain, 'waiting', other);
    const code = await mailedCode(plain, other.email);
    await plain.type({ code });
    expect((await plain.press(t('action.continue'))).page).toBe('reset/mfa/waiting');
    clock.pass({ hours: 24 });
    await plain.open('/login');
    clock.pass({ seconds: 1 });
    const asked = clock.now();
    expect((await login(plain, other)).page).toBe('sign-in/prove-mailbox');
    // Two mails come: that MFA is reset, and the code.
    const mails = () =>
      site.mailbox.mails.filter(({ to, receivedAt }) => to.includes(other.email) && receivedAt >= asked);
    while (!mails().some(({ text }) => codeIn(text) !== '')) await new Promise((resolve) => setTimeout(resolve, 20));
    await plain.type({
      code: mails()
        .map(({ text }) => codeIn(text))
        .join(''),
    });
    expect((await plain.press(t('action.continue'))).page).toBe('sign-in/enrol');
    const phone = authenticator(await readKey(plain), clock);
    await plain.type({ otp: phone.code(), device_name: 'Ponsel baru' });
    await plain.press('Submit');
    await plain.page.locator('#saved').check();
    await plain.press(t('signIn.codes.continue', { service: 'ASN Digital' }));
    expect((await plain.look()).page).toBe('launcher');
    expect(plain.complaints).toEqual([]);
  });
});
