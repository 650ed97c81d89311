import { jest } from '@jest/globals';
import { disavowalIn } from '../account/portal.js';
import { codeIn } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, WORDS, goToPart } from './steps.js';

const NEW = 'laras@surat.example';
jest.setTimeout(90_000);

describeInBrowser('in Chromium without JavaScript', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  const who = demoPerson('Bayu Lesmana');
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin });
    await signInOnTour(tab, { site, clock, who });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  it('a person changes the address; the old one disavows it in another browser', async () => {
    const t = WORDS.id;
    await tab.press(t('shell.account'));
    await goToPart(tab, 'contact');
    expect((await tab.look()).page).toBe('account/contact');
    await tab.type({ new_email: NEW });
    await tab.press('Kirim');
    expect((await tab.look()).page).toBe('account/contact/code');
    await tab.type({ code: 'AAAAA-AAAAA' });
    expect((await tab.press(t('account.contact.code.submit'))).errors).toEqual(['code_invalid']);
    const { text } = await site.mailbox.next(NEW);
    clock.pass({ seconds: 1 });
    const changed = clock.now();
    await tab.type({ code: codeIn(text) });
    expect((await tab.press(t('account.contact.code.submit'))).page).toBe('account/contact');
    expect(await tab.page.locator('[data-done]').getAttribute('data-done')).toBe('contact_changed');

    const told = await site.mailbox.next(who.email, changed);
    expect(told.subject).toMatch(/sudah diganti/);
    const owner = await browser.openTab({ origin: site.origin, locale: 'en' });
    const e = WORDS.en;
    await owner.open(disavowalIn(told.text));
    expect(await owner.page.locator('[data-event]').getAttribute('data-event')).toBe('contact-changed');
    expect((await owner.press(e('disavow.confirm.submit'))).page).toBe('disavow/done');
    expect((await owner.open(disavowalIn(told.text))).page).toBe('disavow/done');
    expect((await tab.open('/account/contact')).page).toBe('sign-in/password');
    expect([tab.complaints, owner.complaints]).toEqual([[], []]);
  });
});
