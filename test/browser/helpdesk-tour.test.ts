import { jest } from '@jest/globals';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import { grantRole, revokeRole } from '#src/accounts/roles.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, WORDS } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
const RATRI = demoPerson('Ratri Anjani');
jest.setTimeout(PATIENCE_MS);

describeInBrowser('the console in Chromium, on an origin of its own, phone and desktop, light and dark', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let guide: Guide;
  const stop: Guide['stop'] = (name) => guide.stop(name);
  const admin = (): string => site.running.services.config.adminOrigin;
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([
      startSite((origin) => Promise.resolve({ ADMIN_ORIGIN: origin.replace('localhost', '127.0.0.1') })),
      launchChromium(),
    ]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    guide = createGuide(tab, 'helpdesk');
    await signInOnTour(tab, { site, clock, who: RATRI });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  it('from the launcher to the console', async () => {
    await tab.open('/');
    await stop('launcher, of an officer');
    const shown = await tab.press(/^Helpdesk/);
    expect(shown.url.href).toBe(`${admin()}/helpdesk`);
    await stop('helpdesk/home');
  });

  it('a role that ended meanwhile', async () => {
    const { db } = site.running.services;
    const [row] = await db.query('SELECT id FROM accounts WHERE nip = $1', [RATRI.nip]);
    const held = {
      accountId: row?.id as AccountId,
      role: 'helpdesk',
      agencyCode: agencyCode('BOYOLALI'),
      now: clock.now(),
    } as const;
    await db.transaction((tx) => revokeRole(tx, held));
    await tab.open(`${admin()}/helpdesk`);
    await stop('helpdesk/no-role');
    await db.transaction((tx) => grantRole(tx, held));
    await tab.open(`${admin()}/helpdesk`);
    await tab.press(t('shell.signOut'));
    expect((await tab.look()).page).toBe('sign-out/done');
  });

  it('had every stop, nothing blocked or missing, and no page above 30 kB', () => {
    guide.expectAllSeen();
  });
});
