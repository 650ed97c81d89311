import { jest } from '@jest/globals';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { authenticator, demoPerson, downloadCodes, login, readKey, WORDS } from './steps.js';

const t = WORDS.id;
jest.setTimeout(90_000);

/** The whole of *pindah HP*, as somebody on an old phone does it: no script runs. */
describeInBrowser('the account pages in Chromium without JavaScript', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  it('moves to a new phone, makes new recovery codes and logs in with both', async () => {
    const who = demoPerson('Bayu Lesmana');
    const old = await signInOnTour(tab, { site, clock, who });
    await tab.press(t('shell.account'));
    await tab.press(t('account.devices.move'));
    await tab.press(/^Ponsel kerja/);
    const phone = authenticator(await readKey(tab), clock);
    await tab.type({ otp: phone.code(), device_name: 'Ponsel baru' });
    expect((await tab.press('Submit')).page).toBe('account/devices');
    expect(await tab.page.locator('[data-done]').innerText()).toContain(t('account.done.device_moved.title'));
    expect(await tab.page.locator('tbody th').allInnerTexts()).toEqual(['Ponsel baru']);

    await tab.press(t('account.codes.make'));
    await tab.press(t('account.codes.make'));
    const codes = await downloadCodes(tab);
    await tab.page.locator('#saved').check();
    expect((await tab.press(t('account.codes.finish'))).page).toBe('account/recovery-codes');

    await tab.press(t('shell.signOut'));
    await tab.open('/login');
    await login(tab, who);
    await tab.type({ otp: old.code() });
    expect((await tab.press(t('action.continue'))).errors).toEqual(['otp_invalid']);
    await tab.page.getByText(t('signIn.otp.recovery')).click();
    await tab.type({ recovery_code: codes[0] ?? '' });
    expect((await tab.press(t('signIn.otp.useRecovery'))).page).toBe('launcher');
    await tab.press(t('shell.signOut'));
    await tab.open('/login');
    await login(tab, who);
    await tab.type({ otp: phone.code() });
    expect((await tab.press(t('action.continue'))).page).toBe('launcher');
    expect(tab.complaints).toEqual([]);
  });
});
