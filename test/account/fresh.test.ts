import type { PersonForm, PersonPage } from '#src/web/route-table.js';
import { otpOf } from '../support/employees.js';
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

it('everything that changes a factor wants it, but the tick that codes are saved', () => {
  const changing = table.filter(
    ({ method, path }) => method === 'POST' && /^\/account\/(devices|recovery-codes)/.test(path),
  );
  const stale = changing.filter((route) => !fresh.some((each) => each === route));
  expect(stale.map(({ path }) => path)).toEqual(['/account/recovery-codes/new']);
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

it.each(titled('GET'))('%s, six minutes after the login: a code, only a code, and back to the page', async (path) => {
  house.time.pass({ minutes: 6 });
  const shown = await browser.get(addressOf(path));
  await expectCodeOnly(shown);
  const last = browser.trail.filter((address) => new URL(address).pathname === addressOf(path));
  expect(last).toHaveLength(1);
  // Now it opens without a question.
  await browser.get(addressOf(path));
  expect(browser.trail.filter((address) => address.includes('/oidc/auth'))).toEqual([]);
});

it.each(titled('POST'))('%s, sixteen minutes after the login: nothing is done before a code', async (path, route) => {
  await browser.get('/account/devices');
  const before = await house.services.db.query('SELECT id, name, status FROM devices ORDER BY id');
  const { csrf } = formOn(browser, '/logout');
  house.time.pass({ minutes: 16 });
  const posted = await browser.post(house.site.origin + addressOf(path), { csrf });
  expect(posted.status).toBe(303);
  await expectCodeOnly(await browser.get(posted.headers.get('location') ?? ''));
  const page = 'page' in route ? route.page : undefined;
  expect(browser.trail.map((address) => new URL(address).pathname)).toContain(page ?? addressOf(path));
  expect(await house.services.db.query('SELECT id, name, status FROM devices ORDER BY id')).toEqual(before);
});
