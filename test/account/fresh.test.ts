import type { PersonForm, PersonPage } from '#src/web/route-table.js';
import { otpOf } from '../support/employees.js';
import { softwareAuthenticator } from '../support/software-authenticator.js';
import type { Person } from '../support/person.js';
import { formOn, openHouse, type House } from './house.js';

/** whoever sits down at a browser that was left open can look, and change nothing. */
const house: House = await openHouse();
afterAll(() => house.close());

const table = house.site.running.site.routes;
const fresh = table.filter(
  (route): route is PersonPage | PersonForm => route.access === 'person' && route.fresh === true,
);
const titled = (method: string): [string, PersonPage | PersonForm][] =>
  fresh.filter((route) => route.method === method).map((route) => [route.path, route]);

const employee = await house.somebody();
/** With more than one authenticator every page has something to show. */
const tablet = await house.addPhone(employee, 'Tablet');
const browser: Person = await house.enter(employee);
const addressOf = (path: string): string => path.replace(':id', tablet.id);

it('there are pages and forms that want a fresh factor', () => {
  expect(titled('GET').length).toBeGreaterThan(5);
  expect(titled('POST').length).toBeGreaterThan(5);
});

it('everything that changes a factor wants it', () => {
  const changing = table.filter(
    ({ method, path }) => method === 'POST' && /^\/account\/(devices|recovery-codes)/.test(path),
  );
  expect(changing.filter((route) => !fresh.some((each) => each === route))).toEqual([]);
});

/** The code page, and what it asks for: a code, and no password. */
async function expectCodeOnly(shown: Person['shown']): Promise<void> {
  expect(shown).toMatchObject({ status: 200, page: 'sign-in/otp' });
  expect(shown.html).not.toContain('name="password"');
  // Whose account it is, why, and the way back.
  expect(shown.html).toContain('Untuk mengubah akun Anda, ketik kode sekali lagi.');
  expect(shown.html).toContain('action="/logout"');
  expect(shown.html).toContain('href="/account/devices">Batal<');
  await browser.submit('/otp', { otp: otpOf(employee) });
}

const pathsOf = ({ trail }: Person): string[] => trail.map((address) => new URL(address).pathname);

it.each(titled('GET'))(
  '%s, six minutes after the login: a code, only a code, and back to the page',
  async (path, route) => {
    house.time.pass({ minutes: 6 });
    const shown = await browser.get(addressOf(path));
    await expectCodeOnly(shown);
    const page = addressOf(route.page ?? path);
    expect(pathsOf(browser).filter((each) => each === page)).toHaveLength(1);
    // Now it opens without a question.
    await browser.get(addressOf(path));
    expect(browser.trail.filter((address) => address.includes('/oidc/auth'))).toEqual([]);
  },
);

/** Posts with the token of another page, which was opened at that age of the factor: a code is asked for first. */
async function expectCodeBefore(route: PersonPage | PersonForm, opened: { minutes: number }): Promise<void> {
  const path = addressOf(route.path);
  house.time.pass(opened);
  await browser.get('/account/devices');
  const before = await house.services.db.query('SELECT id, name, status FROM devices ORDER BY id');
  const { csrf } = formOn(browser, '/logout');
  house.time.pass({ minutes: 6 - opened.minutes });
  const posted = await browser.post(house.site.origin + path, { csrf });
  expect(posted.status).toBe(303);
  await expectCodeOnly(await browser.get(posted.headers.get('location') ?? ''));
  expect(pathsOf(browser)).toContain(addressOf(route.page ?? path));
  expect(await house.services.db.query('SELECT id, name, status FROM devices ORDER BY id')).toEqual(before);
}

describe.each(titled('POST'))('%s, six minutes after the login, without a page of its own', (_, route) => {
  it('does nothing before a code, with a token of six minutes after', () => expectCodeBefore(route, { minutes: 6 }));
  it('does nothing before a code, with a token of four minutes after', () => expectCodeBefore(route, { minutes: 4 }));
});

describe('a form whose page was opened with a fresh factor', () => {
  const RENAME = `/account/devices/${tablet.id}/rename`;
  const nameNow = async (): Promise<unknown> =>
    (await house.services.db.query('SELECT name FROM devices WHERE id = $1', [tablet.id]))[0]?.name;

  /** Opens the page so many minutes after the factor, and answers the token on it. */
  async function open(minutes: number): Promise<string> {
    house.time.pass({ minutes: 6 });
    await expectCodeOnly(await browser.get(RENAME));
    house.time.pass({ minutes });
    expect((await browser.get(RENAME)).page).toBe('account/devices/rename');
    return formOn(browser, RENAME).csrf;
  }
  const rename = (csrf: string, name: string, by = browser) => by.post(RENAME, { csrf, device_name: name });
  const isAsked = ({ headers }: Person['shown']): boolean =>
    (headers.get('location') ?? '').includes('/oidc/auth?client_id=asn-');

  it('is taken for ten minutes, and not for longer', async () => {
    const csrf = await open(4);
    house.time.pass({ minutes: 10 });
    expect((await rename(csrf, 'Sepuluh')).headers.get('location')).toBe('/account/devices');
    expect(await nameNow()).toBe('Sepuluh');
    house.time.pass({ seconds: 1 });
    expect(isAsked(await rename(csrf, 'Terlambat'))).toBe(true);
    expect(await nameNow()).toBe('Sepuluh');
  });

  it('gets no more time by being shown again with an error', async () => {
    const csrf = await open(4);
    house.time.pass({ minutes: 9 });
    expect(await rename(csrf, '')).toMatchObject({ status: 422, page: 'account/devices/rename' });
    const again = formOn(browser, RENAME).csrf;
    expect(again).toBe(csrf);
    house.time.pass({ minutes: 2 });
    expect(isAsked(await rename(again, 'Terlambat'))).toBe(true);
  });

  it('is worth nothing for another page, in another session, or with another time', async () => {
    const elsewhere = await house.enter(employee);
    const csrf = await open(0);
    // The browser's own id, but the other session of the same person.
    const swapped = house.browser();
    for (const [key, cookie] of elsewhere.cookies) swapped.cookies.set(key, cookie);
    for (const key of [...browser.cookies.keys()].filter((each) => each.includes('browser'))) {
      const cookie = browser.cookies.get(key);
      if (cookie !== undefined) swapped.cookies.set(key, cookie);
    }
    house.time.pass({ minutes: 6 });
    await swapped.get('/account/devices');
    expect(swapped.shown.page).toBe('account/devices');
    expect(isAsked(await rename(csrf, 'Sesi lain', swapped))).toBe(true);

    const remove = await browser.post(`/account/devices/${tablet.id}/remove`, { csrf });
    expect(isAsked(remove)).toBe(true);
    const [token = '', until = '', mac = ''] = csrf.split('.');
    for (const forged of [
      token,
      `${token}.${until}`,
      `${token}.${until}.`,
      `${token}.${Number(until) + 1}.${mac}`,
      `${token}.-${until}.${mac}`,
      `${token}.${until}.${mac.slice(0, -4)}`,
    ]) {
      expect([forged, isAsked(await rename(forged, 'Palsu'))]).toEqual([forged, true]);
    }
    expect((await rename(`x${csrf}`, 'Palsu')).status).toBe(403);
    expect(await nameNow()).not.toMatch(/Palsu|Sesi lain/);
    expect((await rename(csrf, 'Asli')).status).toBe(303);
    expect(await nameNow()).toBe('Asli');
  });
});

it('a stolen cookie, fourteen minutes after the factor, binds no passkey and reads no recovery code (R-34)', async () => {
  house.time.pass({ minutes: 6 });
  const owner = await house.enter(employee);
  await owner.get('/account/recovery-codes/renew');
  await owner.submit('/account/recovery-codes/renew');
  expect(owner.shown.page).toBe('account/recovery-codes/new');
  const codes = /data-recovery-code="([^"]+)"/.exec(owner.shown.html)?.[1] ?? 'none';
  house.time.pass({ minutes: 14 });

  const thief = house.browser();
  for (const [key, cookie] of owner.cookies) thief.cookies.set(key, cookie);
  await thief.get('/account/devices');
  const { csrf } = formOn(thief, '/logout');
  expect((await thief.script('/account/devices/add/passkey/challenge')).status).toBe(303);
  const key = softwareAuthenticator({ origin: house.site.origin });
  const made = key.create({ challenge: 'AAAA', rp: { id: 'localhost' }, user: { id: 'AAAA' } } as never);
  const bound = await thief.post('/account/devices/add/passkey', { csrf, credential: made, device_name: 'kunci' });
  expect(bound.headers.get('location')).toContain('/oidc/auth');
  expect((await thief.post('/account/freeze', { csrf })).headers.get('location')).toContain('/oidc/auth');
  for (const answer of [
    await thief.get('/account/recovery-codes/new.txt'),
    await thief.post('/account/recovery-codes/new', { csrf }),
    await thief.post('/account/recovery-codes/new', { csrf, saved: '' }),
  ]) {
    expect(answer.html).not.toContain(codes);
  }
  expect(await house.deviceNames(employee)).not.toContain('kunci');
});
