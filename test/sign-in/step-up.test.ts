import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { FRESH, openHouse, PLAIN, wrongFor, shownAt, type House, type LoginClaims } from './house.js';
import type { Person } from '../support/person.js';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 20, state: 'enrolled' });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};
const seconds = (): number => Math.floor(house.time.now().getTime() / 1000);

async function loggedIn(employee: Employee): Promise<{ browser: Person; claims: LoginClaims }> {
  const browser = house.browser();
  return { browser, claims: await house.logIn(browser, employee, PLAIN) };
}

describe('a service that wants a fresh second factor', () => {
  it('asks for nothing within five minutes of the login', async () => {
    const { browser, claims } = await loggedIn(somebody());
    house.time.pass({ minutes: 5 });
    const { asking, shown } = await house.begin(browser, FRESH);
    expect((await house.claimsAt(shown, asking)).auth_time).toBe(claims.auth_time);
  });

  it('asks for the code alone after that, and is told the new time; the session stays the same', async () => {
    const employee = somebody();
    const { browser, claims } = await loggedIn(employee);
    const elsewhere = house.browser();
    await house.logIn(elsewhere, employee, PLAIN);
    const before = browser.cookies.get('sid|/')?.value;
    house.time.pass({ minutes: 6 });

    const { asking, shown } = await house.begin(browser, FRESH);
    expect(shown).toMatchObject({ status: 200, page: 'sign-in/otp', errors: [] });
    const wrong = await browser.submit('/otp', { otp: wrongFor(shownAt(employee, house.time.now())) });
    expect(wrong).toMatchObject({ status: 422, page: 'sign-in/otp', errors: ['otp_invalid'] });
    const fresh = await house.claimsAt(await browser.submit('/otp', { otp: otpOf(employee) }), asking);
    expect(fresh).toMatchObject({ sub: employee.id, amr: ['pwd', 'otp', 'mfa'] });
    expect(fresh.auth_time).toBe(seconds());
    expect(fresh.auth_time).toBeGreaterThan(claims.auth_time);
    // A new id for who has just proved more.
    expect(browser.cookies.get('sid|/')?.value).not.toBe(before);

    // Here and in the other browser the first service goes on without a question.
    for (const each of [browser, elsewhere]) {
      const again = await house.begin(each, PLAIN);
      expect((await house.claimsAt(again.shown, again.asking)).sub).toBe(employee.id);
    }
  });

  it('is refused the code of the login, which was used', async () => {
    const employee = somebody();
    const { browser } = await loggedIn(employee);
    const { url } = (await house.begin(browser, PLAIN)).shown;
    expect(house.codeOf(url)).toBeDefined();
    const used = otpOf(employee);
    house.time.pass({ minutes: 6 });
    await house.begin(browser, FRESH);
    expect((await browser.submit('/otp', { otp: used })).errors).toEqual(['otp_invalid']);
  });

  it('asks a stranger for everything', async () => {
    const { shown } = await house.begin(house.browser(), FRESH);
    expect(shown.page).toBe('sign-in/password');
  });

  it.each<Record<string, string>>([{ prompt: 'login' }, { max_age: '0' }])(
    'asks for everything when told %j',
    async (more) => {
      const { browser } = await loggedIn(somebody());
      house.time.pass({ minutes: 1 });
      const shown = await browser.get(`${house.site.origin}${house.ask(FRESH, more).path}`);
      expect(shown.page).toBe('sign-in/password');
    },
  );

  it('gets nothing for a session that has ended meanwhile', async () => {
    const employee = somebody();
    const { browser } = await loggedIn(employee);
    house.time.pass({ minutes: 6 });
    expect((await house.begin(browser, FRESH)).shown.page).toBe('sign-in/otp');
    const { db, endSessions } = house.services;
    await db.transaction((tx) => endSessions.ofAccounts(tx, [employee.id]));
    const shown = await browser.submit('/otp', { otp: otpOf(employee) });
    expect(house.codeOf(shown.url)).toBeUndefined();
    expect(shown).toMatchObject({ status: 410, page: 'expired' });
    expect((await house.begin(browser, PLAIN)).shown.page).toBe('sign-in/password');
  });

  it('lets five wrong codes end the asking, not the session', async () => {
    const employee = somebody();
    const { browser } = await loggedIn(employee);
    house.time.pass({ minutes: 6 });
    const { asking } = await house.begin(browser, FRESH);
    const page = browser.shown.url.href;
    for (let turn = 1; turn <= 5; turn += 1) await browser.submit('/otp', { otp: `00000${turn}` });
    expect(browser.shown).toMatchObject({ status: 429, errors: ['throttled'] });
    const again = await house.begin(browser, PLAIN);
    expect((await house.claimsAt(again.shown, again.asking)).sub).toBe(employee.id);
    house.time.pass({ minutes: 15 });
    await browser.get(page);
    const claims = await house.claimsAt(await browser.submit('/otp', { otp: otpOf(employee) }), asking);
    expect(claims.auth_time).toBe(seconds());
  });

  it('does not let the session of one person become a login of another', async () => {
    const [first, second] = [somebody(), somebody()];
    const { browser } = await loggedIn(first);
    house.time.pass({ minutes: 6 });
    await house.begin(browser, FRESH);
    // What the second person has opens nothing on the page of the first.
    expect((await browser.submit('/otp', { otp: otpOf(second) })).errors).toEqual(['otp_invalid']);
  });
});

describe('another person in the same browser', () => {
  it('logs in anew where a service asks for it, and the first one is out', async () => {
    const [first, second] = [somebody(), somebody()];
    const { browser } = await loggedIn(first);
    const asking = house.ask(PLAIN, { prompt: 'login' });
    await browser.get(`${house.site.origin}${asking.path}`);
    await browser.submit('/password', { username: second.nip, password: PASSWORD });
    const claims = await house.claimsAt(await browser.submit('/otp', { otp: otpOf(second) }), asking);
    expect(claims.sub).toBe(second.id);
    const again = await house.begin(browser, PLAIN);
    expect((await house.claimsAt(again.shown, again.asking)).sub).toBe(second.id);
    const [row] = await house.services.db.query(
      'SELECT count(*)::integer AS sessions FROM sso_sessions WHERE account_id = $1',
      [first.id],
    );
    expect(row?.sessions).toBe(0);
  });
});
