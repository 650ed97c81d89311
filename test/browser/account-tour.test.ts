import { jest } from '@jest/globals';
import { describeInBrowser, launchChromium, type Tab, type TestBrowser } from '../support/chromium.js';
import { challengeOf } from '../support/person.js';
import { startSite, type TestSite } from '../support/site.js';
import type { StoppedTime } from '../support/stopped-time.js';
import { signInOnTour } from './first-login.js';
import { stopInTheMorning } from './morning.js';
import { demoPerson, WORDS, type authenticator } from './steps.js';
import { createGuide, PATIENCE_MS, type Guide } from './tour-guide.js';

const t = WORDS.id;
jest.setTimeout(PATIENCE_MS);

describeInBrowser('the account pages in Chromium, phone and desktop, light and dark', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let guide: Guide;
  let phone: ReturnType<typeof authenticator>;
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

  it('devices', async () => {
    await tab.open('/');
    await tab.press(t('shell.account'));
    await stop('account/devices');
    expect(phone.code()).toMatch(/^[0-9]{6}$/);
  });

  it('a passkey', async () => {
    await tab.press(t('account.passkey.title'));
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
