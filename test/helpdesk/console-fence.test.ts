import type { OfficerForm, OfficerPage, Route } from '#src/web/route-table.js';
import { formOn } from '../account/house.js';
import type { Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { openConsoleHouse, type ConsoleHouse } from './console-house.js';

/** What holds for every route of the console: the tests walk the table, so that a new one is under them by standing there. */
const house: ConsoleHouse = await openConsoleHouse();
afterAll(() => house.close());

const isOfficers = (route: Route): route is OfficerPage | OfficerForm => route.access === 'officer';
const routes = house.site.running.site.routes.filter(isOfficers);
const titled = routes.map((route): [string, OfficerPage | OfficerForm] => [`${route.method} ${route.path}`, route]);
const forms = titled.filter(([, { method }]) => method === 'POST');

const officer: Employee = await house.officer('operator');
const person = await house.somebody();
const addressOf = ({ path }: Pick<Route, 'path'>): string => path.replace(/:\w+/g, person.id);

const csrfOf = (browser: Person): string => formOn(browser, '/logout').csrf;
/** Asks for the page, or posts its form with what the page before it would have sent. */
const ask = (browser: Person, route: OfficerPage | OfficerForm, fields: Record<string, string> = {}): Promise<Shown> =>
  route.method === 'GET'
    ? browser.get(`${house.console}${addressOf(route)}`)
    : browser.post(`${house.console}${addressOf(route)}`, { csrf: csrfOf(browser), ...fields });

it('there are pages and forms, all below /helpdesk', () => {
  expect(forms.length).toBeGreaterThan(10);
  expect(routes.length - forms.length).toBeGreaterThan(10);
  expect(routes.filter(({ path }) => !/^\/helpdesk(?:\/|$)/.test(path))).toEqual([]);
});

/** They change nothing: what is typed into them is no text for an address. */
const SEARCHES = ['POST /helpdesk', 'POST /helpdesk/audit'];

it('every form but the searches wants a second factor of the last five minutes (R-10)', () => {
  expect(forms.filter(([, { fresh }]) => fresh !== true).map(([name]) => name)).toEqual(SEARCHES);
});

it.each(titled)('%s is closed to who holds no role at that moment (A47)', async (_, route) => {
  const nobody = await house.officer('operator');
  const browser = await house.onDuty(nobody);
  const before = csrfOf(browser);
  await house.take(nobody, 'operator');
  const shown =
    route.method === 'GET'
      ? await ask(browser, route)
      : await browser.post(`${house.console}${addressOf(route)}`, { csrf: before });
  expect(shown).toMatchObject({ status: 403, page: 'helpdesk/no-role' });
});

it.each(titled)('%s asks for a code, and only a code, when the last is 16 minutes old (R-58)', async (_, route) => {
  const browser = await house.onDuty(officer);
  house.time.pass({ minutes: 16 });
  const shown = await ask(browser, route);
  if (route.method === 'GET')
    expect([shown.page, shown.html.includes('name="password"')]).toEqual(['sign-in/otp', false]);
  else {
    const location = new URL(shown.headers.get('location') ?? '', house.console);
    expect([shown.status, location.pathname]).toEqual([303, '/oidc/auth']);
    expect(location.searchParams.get('client_id')).toBe(route.fresh === true ? 'helpdesk-act' : 'helpdesk');
  }
});

it.each(forms)('%s takes no field that it does not have (R-47)', async (_, route) => {
  const browser = await house.onDuty(officer);
  const shown = await ask(browser, route, { agency_code: 'OTHER' });
  expect([shown.status, shown.errors]).toEqual([400, ['invalid_input']]);
});

it('what was typed comes back as text (R-30)', async () => {
  const browser = await house.onDuty(officer);
  const markup = `'"></p><b onx=1>&amp;`;
  await house.open(officer, browser, `/helpdesk/pegawai/${person.id}/freeze`);
  const shown = await browser.submit('/freeze', { reason: '', ticket: markup });
  const input = /<input[^>]*name="ticket"[^>]*>/.exec(shown.html)?.[0] ?? '';
  expect(attribute(input, 'value')?.replaceAll('&#39;', "'")).toBe(markup);
  expect(shown.html).not.toContain('<b onx');
});
