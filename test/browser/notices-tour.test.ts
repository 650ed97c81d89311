import { jest } from '@jest/globals';
import { disavowalIn } from '../account/portal.js';
import { codeIn } from '../journeys/steps.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, WORDS } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
const BAYU = demoPerson('Bayu Lesmana');
const NEW = 'bayu.lesmana@surat.example';
jest.setTimeout(PATIENCE_MS);

describeInBrowser('what links in mails lead to, in Chromium, phone and desktop, light and dark', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let guide: Guide;
  let login: Tab;
  const stop: Guide['stop'] = (name) => guide.stop(name);
  const accountId = async (): Promise<string> => {
    const [row] = await site.running.services.db.query('SELECT id FROM accounts WHERE nip = $1', [BAYU.nip]);
    return row?.id as string;
  };
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite({ CONTACT_CHANGE_WAIT_SECONDS: '0' }), launchChromium()]);
    [tab, login] = [
      await browser.openTab({ origin: site.origin, javaScript: true }),
      await browser.openTab({ origin: site.origin }),
    ];
    guide = createGuide(tab, 'notices');
    await signInOnTour(login, { site, clock, who: BAYU });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  it('a new address that an officer entered', async () => {
    clock.pass({ seconds: 1 });
    const { contactChanges } = site.running.services;
    await contactChanges.order({ accountId: (await accountId()) as never, email: NEW, reason: 'Kotak surat mati' });
    const invitation = await site.mailbox.next(NEW);
    await tab.open(/\/alamat-baru\/[\w-]+/.exec(invitation.text)?.[0] ?? '');
    await stop('contact/start');
    clock.pass({ seconds: 1 });
    const asked = clock.now();
    await tab.press(t('contactProof.start.submit'));
    await stop('contact/code');
    await tab.type({ code: codeIn((await site.mailbox.next(NEW, asked)).text) });
    await tab.press(t('contactProof.code.submit'));
    await stop('contact/done');
  });

  it('Bukan saya', async () => {
    const told = (): string[] =>
      site.mailbox.mails
        .filter(({ to, subject }) => to.includes(BAYU.email) && subject.includes('sudah diganti'))
        .map(({ text }) => text);
    while (told().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await tab.open(disavowalIn(told().at(-1) ?? ''));
    await stop('disavow/confirm');
    await tab.press(t('disavow.confirm.submit'));
    await stop('disavow/done');
    expect((await login.open('/')).page).toBe('front');
  });

  it('a link that is over', async () => {
    await tab.open('/bukan-saya/AAAAAAAAAAAAAAAAAAAAAA');
    await stop('link-gone');
  });

  it('nothing was blocked or missing, nothing was above 30 kB', () => {
    guide.expectAllSeen();
  });
});
