import { jest } from '@jest/globals';
import { findByName } from '#src/accounts/accounts.js';
import { canonicalName } from '#src/accounts/name.js';
import { grantRole } from '#src/accounts/roles.js';
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

describeInBrowser('applications in Chromium: an operator, and the developer of one', () => {
  let clock: StoppedTime;
  let site: TestSite;
  let browser: TestBrowser;
  let tab: Tab;
  let guide: Guide;
  beforeAll(async () => {
    clock = stopInTheMorning();
    [site, browser] = await Promise.all([startSite(), launchChromium()]);
    tab = await browser.openTab({ origin: site.origin, javaScript: true });
    guide = createGuide(tab, 'clients');
    await signInOnTour(tab, { site, clock, who: RATRI });
    const name = canonicalName(RATRI.nip);
    const account = name.kind === 'malformed' ? undefined : await findByName(site.running.services.db, name);
    if (account === undefined) throw new Error('the person is gone');
    const held = { accountId: account.id, role: 'operator', agencyCode: undefined, now: clock.now() } as const;
    await site.running.services.db.transaction((tx) => grantRole(tx, held));
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
    clock.release();
  });

  const registration = {
    client_id: 'absensi',
    client_name: 'Absensi Digital',
    redirect_uris: ['https://absensi.instansi.go.id/callback'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid profile',
    x: { launch_uri: 'https://absensi.instansi.go.id/', allowed_employment: ['PNS'] },
  };

  it('an operator registers an application, and is told what is wrong first', async () => {
    await tab.open('/helpdesk/clients/new');
    await tab.page
      .getByLabel(t('client.edit.registration'))
      .fill(
        JSON.stringify(
          { ...registration, redirect_uris: ['http://absensi/*'], x: { acr: 'tinggi', category: 'Lain' } },
          null,
          2,
        ),
      );
    await tab.press(t('client.edit.register'));
    await guide.stop('helpdesk/client/edit');
    expect(await tab.page.locator('[data-problems]').getAttribute('data-problems')).toBe('2');
    await tab.page.getByLabel(t('client.edit.registration')).fill(JSON.stringify(registration, null, 2));
    await tab.press(t('client.edit.register'));
    await guide.stop('helpdesk/client/secret');
    await tab.press(t('client.secret.saved'));
    expect((await tab.look()).page).toBe('helpdesk/client');
    await tab.press(new RegExp(`^${t('client.act.developer.link')}`));
    await guide.stop('helpdesk/client/developer');
    await tab.type({ nip: RATRI.nip });
    await tab.press(t('client.developer.submit'));
    await tab.open('/helpdesk/clients/absensi/disable');
    await guide.stop('helpdesk/client/act');
    await tab.press(t('action.cancel'));
    await tab.open('/helpdesk/clients/absensi/rotate-secret');
    await guide.stop('helpdesk/client/rotate');
    await tab.press(t('action.cancel'));
    await tab.open('/helpdesk/clients/tidak-ada');
    await guide.stop('helpdesk/client/not-found');
    await tab.open('/helpdesk/client-invitations');
    await tab.type({ note: 'Tim Absensi' });
    await tab.press(t('client.invitations.submit'));
    await guide.stop('helpdesk/clients/invitations');
  });

  it('what it is refused stands on its page and in the list', async () => {
    const ask = (query: Record<string, string>) =>
      fetch(new URL(`/oidc/auth?${new URLSearchParams(query).toString()}`, site.origin), { redirect: 'manual' });
    const refused = await ask({ client_id: 'absensi', response_type: 'code', redirect_uri: 'https://lain.go.id/' });
    await fetch(new URL('/oidc/token', site.origin), {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('absensi:salah').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x', redirect_uri: 'https://lain.go.id/' }),
    });
    await site.running.services.clientUse.flush();
    await tab.open('/helpdesk/clients/absensi');
    await guide.stop('helpdesk/client');
    expect(await tab.page.locator('[data-client-error]').count()).toBe(2);
    await tab.open('/helpdesk/clients');
    await guide.stop('helpdesk/clients');
    expect(await tab.page.locator('[data-errors]').getAttribute('data-errors')).toBe('2');

    await tab.open('/');
    await tab.press(new RegExp(`^${t('developer.title')}`));
    await guide.stop('developer/clients');
    await tab.press(/^Absensi Digital/);
    await tab.type({ request: refused.headers.get('x-request-id') ?? '' });
    await tab.press(t('developer.lookup.find'));
    await guide.stop('developer/client');
    expect(await tab.page.locator('[data-lookup]').getAttribute('data-lookup')).toBe('invalid_redirect_uri');
  });

  it('every page was seen', () => {
    guide.expectAllSeen();
  });
});
