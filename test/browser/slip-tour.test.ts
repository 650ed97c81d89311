import { jest } from '@jest/globals';
import { findByName } from '#src/accounts/accounts.js';
import { canonicalName } from '#src/accounts/name.js';
import { PASSWORD } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { CAPTCHA, startSite, type TestSite } from '../support/site.js';
import { demoPerson, login, WORDS } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
jest.setTimeout(PATIENCE_MS);

const who = demoPerson('Bayu Lesmana');

describeInBrowser('activation with a slip in Chromium', () => {
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let guide: Guide;
  beforeAll(async () => {
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    guide = createGuide(tab, 'slip');
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
  });

  async function accountOf({ nip }: { readonly nip: string }) {
    const name = canonicalName(nip);
    const account = name.kind === 'malformed' ? undefined : await findByName(site.running.services.db, name);
    if (account === undefined) throw new Error('the person is gone');
    return account;
  }

  it('from the paper to the first authenticator', async () => {
    const { db, activationSlips } = site.running.services;
    const [{ id: accountId }, officer] = [await accountOf(who), await accountOf(demoPerson('Laras Kinanti'))];
    const by = { officerId: officer.id };
    const made = await db.transaction((tx) => activationSlips.issue(tx, { accountId, by }));
    await tab.open('/aktivasi');
    await guide.stop('activate/start');
    const slip = activationSlips.codeOf(made?.slipId ?? '').toLowerCase();
    await tab.type({ username: who.nip, slip, captcha: CAPTCHA });
    await tab.press(t('action.continue'));
    await guide.stop('activate/password');
    await tab.type({ new_password: PASSWORD, confirm_password: PASSWORD });
    await db.query('UPDATE accounts SET email = NULL WHERE id = $1', [accountId]);
    await tab.press(t('activate.password.submit'));
    await guide.stop('activate/done');
    await tab.press('LOGIN');
    expect((await login(tab, who)).page).toBe('sign-in/enrol');
  });

  it('nothing was blocked or missing, nothing was above 30 kB', () => {
    guide.expectAllSeen();
  });
});
