import { jest } from '@jest/globals';
import { SCREEN, startDevice } from '../support/device-client.js';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { Visitor } from '../support/visitor.js';
import { writeClientsFile } from './clients-file.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, WORDS } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
jest.setTimeout(PATIENCE_MS);

describeInBrowser('a device without a browser is let in, with Chromium for its person', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let device: Visitor;
  let clients: Awaited<ReturnType<typeof writeClientsFile>>;
  let guide: Guide;
  beforeAll(async () => {
    clock = stopInTheMorning();
    clients = await writeClientsFile(SCREEN);
    [site, browser] = await Promise.all([startSite({ CLIENTS_FILE: clients.path }), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    device = new Visitor({ issuer: site.origin, ports: [site.running.port] });
    guide = createGuide(tab, 'device');
  });
  afterAll(async () => {
    device.close();
    await browser.close();
    await site.stop();
    await clients.remove();
    clock.release();
  });

  it('the code is typed, the question answered', async () => {
    await signInOnTour(tab, { site, clock, who: demoPerson('Bayu Lesmana') });
    const first = await startDevice(device);
    await tab.open('/device');
    await guide.stop('device/code');
    await tab.type({ user_code: first.user_code.toLowerCase() });
    await tab.press(t('action.continue'));
    await guide.stop('device/confirm');
    await tab.press(t('device.confirm.approve'));
    await guide.stop('device/done');
  });

  it('or it comes in a link, and the answer is no; or too late', async () => {
    const second = await startDevice(device, { scope: 'openid profile email asn offline_access' });
    await tab.open(second.verification_uri_complete.slice(site.origin.length));
    await guide.stop('device/code, from a link');
    await tab.press(t('action.continue'));
    await tab.press(t('device.confirm.refuse'));
    await guide.stop('device/refused');

    const third = await startDevice(device);
    await tab.open('/device');
    await tab.type({ user_code: third.user_code });
    await tab.press(t('action.continue'));
    clock.pass({ minutes: 11 });
    await tab.press(t('device.confirm.approve'));
    await guide.stop('device/over');
  });

  it('and every stop was made', () => {
    guide.expectAllSeen();
  });
});
