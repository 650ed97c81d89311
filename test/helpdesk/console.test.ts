import { APART, openConsoleHouse, type ConsoleHouse } from './console-house.js';
import { ROLES } from '#src/accounts/role.js';
import { otpOf } from '../support/employees.js';
import type { Person } from '../support/person.js';
import { formOn } from '../account/house.js';

/** the console, on the portal's origin or on one of its own. */
describe.each([
  ['on the origin of the portal', {}],
  ['on an origin of its own', APART],
] as const)('the console %s', (_, settings) => {
  let house: ConsoleHouse;
  beforeAll(async () => {
    house = await openConsoleHouse(settings);
  });
  afterAll(() => house.close());

  const authorizations = ({ trail }: Person): string[] =>
    trail
      .filter((address) => address.includes('/oidc/auth?'))
      .map((address) => new URL(address).searchParams.get('client_id') ?? '');
  const recorded = (type: string, id: string): Promise<readonly unknown[]> =>
    house.services.db.query('SELECT detail FROM audit_events WHERE type = $1 AND account_id = $2', [type, id]);

  it.each(ROLES)('leads a stranger to the login and lets in who is %s', async (role) => {
    const officer = await house.officer(role);
    const browser = house.browser();
    const shown = await house.open(officer, browser);
    expect(shown).toMatchObject({ status: 200, page: 'helpdesk/home' });
    expect(shown.url.href).toBe(`${house.console}/helpdesk`);
    expect(shown.html).toContain(
      role === 'helpdesk' || role === 'agency_admin' ? 'Instansi REGENCY' : 'seluruh Indonesia',
    );
  });

  it('asks who is on the portal for nothing while the second factor is not 15 minutes old, then for the code alone', async () => {
    const officer = await house.officer('helpdesk');
    const browser = await house.enter(officer);
    house.time.pass({ minutes: 14 });
    expect((await browser.get(`${house.console}/helpdesk`)).page).toBe('helpdesk/home');
    expect(authorizations(browser)).toEqual(['helpdesk']);

    house.time.pass({ minutes: 2 });
    const asked = await browser.get(`${house.console}/helpdesk`);
    expect(asked.page).toBe('sign-in/otp');
    expect(asked.html).not.toContain('name="password"');
    expect(asked.html).toContain('Helpdesk');
    expect((await browser.submit('/otp', { otp: otpOf(officer) })).page).toBe('helpdesk/home');
    expect((await browser.get(`${house.console}/helpdesk`)).page).toBe('helpdesk/home');
    expect(authorizations(browser)).toEqual([]);
    // The portal has not forgotten anybody.
    expect((await browser.get(`${house.site.origin}/`)).page).toBe('launcher');
    expect(authorizations(browser)).toEqual([]);
  });

  it('reads the role at every request (A47), and records who comes without', async () => {
    const officer = await house.officer('helpdesk');
    const browser = await house.onDuty(officer);
    await house.take(officer, 'helpdesk');
    expect(await browser.get(`${house.console}/helpdesk`)).toMatchObject({
      status: 403,
      page: 'helpdesk/no-role',
      errors: ['forbidden'],
    });
    expect(await recorded('console.refused', officer.id)).toMatchObject([{ detail: { cause: 'no_role' } }]);
    await house.give(officer, 'helpdesk');
    expect((await browser.get(`${house.console}/helpdesk`)).page).toBe('helpdesk/home');
  });

  it('does not open for a page session of the portal', async () => {
    const officer = await house.officer('helpdesk');
    const browser = await house.enter(officer);
    const stranger = house.browser();
    for (const name of ['browser', 'browser.sig'])
      stranger.cookies.set(`${name}|/`, browser.cookies.get(`${name}|/`) as never);
    const secret = browser.cookies.get('portal|/')?.value ?? '';
    const { db, config } = house.services;
    const { createHmac } = await import('node:crypto');
    const key = config.cookieKeys.all[0]?.bytes.toString('base64') ?? '';
    const signature = createHmac('sha1', key).update(`console=${secret}`).digest('base64url');
    stranger.cookies.set('console|/', { value: secret, path: '/' });
    stranger.cookies.set('console.sig|/', { value: signature, path: '/' });
    expect((await stranger.get(`${house.console}/helpdesk`)).page).toBe('sign-in/password');
    // The same cookie with a secret of the console's opens it: it is the row that decides.
    await db.query(`UPDATE page_sessions SET pages = 'console' WHERE account_id = $1`, [officer.id]);
    stranger.cookies.set('console|/', { value: secret, path: '/' });
    stranger.cookies.set('console.sig|/', { value: signature, path: '/' });
    expect((await stranger.get(`${house.console}/helpdesk`)).page).toBe('helpdesk/home');
  });

  it('one logout ends all, from the console or from the portal', async () => {
    for (const at of ['console', 'portal'] as const) {
      const officer = await house.officer('helpdesk');
      const browser = await house.enter(officer);
      await browser.get(`${house.console}/helpdesk`);
      if (at === 'portal') await browser.get(`${house.site.origin}/`);
      expect((await browser.submit('/logout')).page).toBe('sign-out/done');
      const { db } = house.services;
      expect(await db.query('SELECT pages FROM page_sessions WHERE account_id = $1', [officer.id])).toEqual([]);
      expect(await db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [officer.id])).toEqual([]);
      expect((await browser.get(`${house.console}/helpdesk`)).page).toBe('sign-in/password');
      expect((await browser.get(`${house.site.origin}/`)).page).toBe('front');
    }
  });

  it('has only links that lead somewhere', async () => {
    const officer = await house.officer('operator');
    const browser = await house.onDuty(officer);
    const links = [...browser.shown.html.matchAll(/href="([^"]+)"/g)].map(([, href]) => href ?? '');
    expect(links.length).toBeGreaterThan(3);
    for (const link of new Set(links)) {
      if (link.startsWith('#')) continue;
      expect([link, (await browser.get(new URL(link, `${house.console}/helpdesk`).href)).status]).toEqual([link, 200]);
    }
  });

  it('a login that was not begun here ends on a page that says so, and not in circles', async () => {
    const browser = house.browser();
    const shown = await browser.get(`${house.console}/session/callback?code=x&state=y`);
    expect(shown.page).toBe(house.console === house.site.origin ? 'front' : 'expired');
  });
});

describe('on an origin of its own', () => {
  let house: ConsoleHouse;
  beforeAll(async () => {
    house = await openConsoleHouse(APART);
  });
  afterAll(() => house.close());

  it('the portal has no console, and the console no portal (R-58)', async () => {
    const officer = await house.officer('operator');
    const browser = await house.enter(officer);
    for (const path of ['/helpdesk', '/helpdesk/', '/helpdesk/pegawai/x', '//helpdesk']) {
      expect([path, (await browser.get(`${house.site.origin}${path}`)).status]).toEqual([path, 404]);
    }
    for (const path of [
      '/',
      '/login',
      '/account/devices',
      '/reset',
      '/bantuan',
      '/sign-in/x',
      '/oidc/auth',
      '/.well-known/openid-configuration',
    ]) {
      expect([path, (await browser.get(`${house.console}${path}`)).status]).toEqual([path, 404]);
    }
    expect((await browser.get(`${house.console}/helpdesk`)).page).toBe('helpdesk/home');
  });

  it('its forms may be led to the login, by name', async () => {
    const officer = await house.officer('helpdesk');
    const browser = await house.onDuty(officer);
    const policy = browser.shown.headers.get('content-security-policy') ?? '';
    expect(/form-action ([^;]*)/.exec(policy)?.[1]).toBe(`'self' ${house.site.origin}`);
    // A form of another origin of ours is no form of the console.
    const { path, csrf } = formOn(browser, '/logout');
    const refused = await fetch(path, {
      method: 'POST',
      headers: {
        cookie: [...browser.cookies].map(([key, { value }]) => `${key.split('|')[0] ?? ''}=${value}`).join('; '),
        origin: house.site.origin,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ csrf }).toString(),
    });
    expect(refused.status).toBe(403);
  });
});
