import { setPassword } from '#src/accounts/accounts.js';
import { addEmployees, otpOf, type Employee } from '../support/employees.js';
import { attribute, attributes, type Person } from '../support/person.js';
import { openHouse, type Asking, type House } from './house.js';

/** Was good enough once. */
const WEAK = 'rahasia1';
const NEW = 'Gajah Merah 8 tidur-pulas';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 7, state: 'enrolled' });
  const { db, passwords } = house.services;
  const passwordHash = await passwords.hash(WEAK);
  for (const { id } of people) await setPassword(db, { accountId: id, passwordHash, now: house.time.now() });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};

/** Both factors given, the password no longer good enough. */
async function atChange(browser: Person, employee: Employee): Promise<Asking> {
  const { asking } = await house.begin(browser);
  const otp = await browser.submit('/password', { username: employee.nip, password: WEAK });
  expect(otp.page).toBe('sign-in/otp');
  house.time.pass({ seconds: 31 });
  const change = await browser.submit('/otp', { otp: otpOf(employee) });
  expect(change).toMatchObject({ status: 200, page: 'sign-in/change-password', errors: [] });
  return asking;
}

describe('a password that no longer meets the rules', () => {
  it('is changed after both factors, and only then does the service get its code', async () => {
    const employee = somebody();
    const browser = house.browser();
    const asking = await atChange(browser, employee);
    const page = browser.shown.url.href;
    // No way round it.
    expect((await browser.get(page.replace('/change-password', '/otp'))).page).toBe('sign-in/change-password');
    const uid = new URL(page).pathname.split('/')[2] ?? '';
    expect(house.codeOf((await browser.get(`/oidc/auth/${uid}`)).url)).toBeUndefined();
    expect(asking.clientId).toBe('plain');
  });

  it('is changed too where a session lived and everything was asked again', async () => {
    const employee = somebody();
    const browser = house.browser();
    await atChange(browser, employee);
    const { db, passwords } = house.services;
    await browser.submit('/change-password', { new_password: NEW, confirm_password: NEW });
    // A new rule, or a leak: what was good at the last login no longer is.
    const passwordHash = await passwords.hash(WEAK);
    await db.query('UPDATE credentials SET password_hash = $2 WHERE account_id = $1', [employee.id, passwordHash]);
    const asking = house.ask('plain', { prompt: 'login' });
    await browser.get(`${house.site.origin}${asking.path}`);
    await browser.submit('/password', { username: employee.nip, password: WEAK });
    house.time.pass({ seconds: 31 });
    await browser.submit('/otp', { otp: otpOf(employee) });
    const shown = await browser.submit('/change-password', { new_password: `${NEW} 9`, confirm_password: `${NEW} 9` });
    expect(house.codeOf(shown.url)).toBeDefined();
  });

  it('is refused again when it is no better, with every rule', async () => {
    const employee = somebody();
    const browser = house.browser();
    const asking = await atChange(browser, employee);
    const weak = await browser.submit('/change-password', { new_password: WEAK, confirm_password: WEAK });
    expect(weak).toMatchObject({ status: 422, page: 'sign-in/change-password', errors: ['password_policy'] });
    expect(attributes(weak.html, 'data-rule').length).toBeGreaterThan(1);
    expect(weak.html).not.toContain(`value="${WEAK}"`);
    const differ = await browser.submit('/change-password', { new_password: NEW, confirm_password: `${NEW}!` });
    expect(differ).toMatchObject({ status: 422, errors: ['confirmation_mismatch'] });
    const done = await browser.submit('/change-password', { new_password: NEW, confirm_password: NEW });
    expect((await house.claimsAt(done, asking)).sub).toBe(employee.id);
  });

  it('ends the other sessions, tells the person, and is the new one from then on (R-11)', async () => {
    const employee = somebody();
    const elsewhere = house.browser();
    const first = await atChange(elsewhere, employee);
    const done = await elsewhere.submit('/change-password', { new_password: NEW, confirm_password: NEW });
    await house.claimsAt(done, first);
    const { db, passwords } = house.services;
    const { id } = employee;
    await db.query('UPDATE credentials SET password_hash = $2 WHERE account_id = $1', [id, await passwords.hash(WEAK)]);

    const browser = house.browser();
    await atChange(browser, employee);
    const mail = await house.mailOf(employee, () =>
      browser.submit('/change-password', { new_password: NEW, confirm_password: NEW }),
    );
    expect(mail.subject).toMatch(/password/i);
    expect((await house.begin(elsewhere)).shown.page).toBe('sign-in/password');
    expect(house.codeOf((await house.begin(browser)).shown.url)).toBeDefined();
  });

  it('sent twice is changed once, with the same answer (R-74)', async () => {
    const employee = somebody();
    const browser = house.browser();
    await atChange(browser, employee);
    const { html } = browser.shown;
    const path = /action="([^"]*\/change-password)"/.exec(html)?.[1] ?? '';
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    const send = () => browser.post(path, { csrf, new_password: NEW, confirm_password: NEW });
    for (const answer of await Promise.all([send(), send()])) {
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toMatch(/\/oidc\/auth\/[\w-]+$/);
    }
  });
});
