import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, attributes, type Person, type Shown } from '../support/person.js';
import { openHouse, PLAIN, type House } from '../sign-in/house.js';
import { enter } from './own-pages.js';

const NEW = 'Gajah Merah 8 tidur-pulas';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 12, state: 'enrolled' });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};

const typed = (more: Record<string, string> = {}): Record<string, string> => ({
  password: PASSWORD,
  new_password: NEW,
  confirm_password: NEW,
  ...more,
});

async function send(browser: Person, more: Record<string, string> = {}): Promise<Shown> {
  await browser.get(`${house.site.origin}/account/password`);
  return browser.submit('/account/password', typed(more));
}

const rowsOf = (text: string, { id }: Employee) => house.services.db.query(text, [id]);
const changesOf = async (employee: Employee): Promise<unknown[]> =>
  (await rowsOf(`SELECT detail FROM audit_events WHERE account_id = $1 AND type = 'password.changed'`, employee)).map(
    ({ detail }) => (detail as { by: string }).by,
  );
const opens = async (employee: Employee, password: string): Promise<boolean> => {
  const browser = house.browser();
  await house.begin(browser);
  return (await browser.submit('/password', { username: employee.nip, password })).page === 'sign-in/otp';
};

describe('who may change a password', () => {
  it('leads a stranger to the login and back', async () => {
    const employee = somebody();
    const browser = house.browser();
    expect((await browser.get(`${house.site.origin}/account/password`)).page).toBe('sign-in/password');
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect((await browser.submit('/otp', { otp: otpOf(employee) })).page).toBe('account/password');
  });

  it('asks for a second factor of the last five minutes, and then goes on here', async () => {
    const employee = somebody();
    const browser = await enter(house, employee);
    house.time.pass({ minutes: 6 });
    expect((await browser.get(`${house.site.origin}/account/password`)).page).toBe('sign-in/otp');
    expect((await browser.submit('/otp', { otp: otpOf(employee) })).page).toBe('account/password');
    // People take their time over a password; after a quarter of an hour somebody else may sit there.
    house.time.pass({ minutes: 16 });
    expect((await browser.submit('/account/password', typed())).page).toBe('sign-in/otp');
    expect(await changesOf(employee)).toEqual([]);
  });
});

describe('a new password', () => {
  it('ends everything but this session, tells the person and is written down', async () => {
    const employee = somebody();
    const [here, elsewhere, service] = [house.browser(), house.browser(), house.browser()];
    await enter(house, employee, elsewhere);
    house.time.pass({ seconds: 31 });
    await house.logIn(service, employee, PLAIN);
    await enter(house, employee, here);
    // This session has granted something to a service too: its tokens end with all the others.
    await house.begin(here, PLAIN);
    const before = await rowsOf('SELECT id FROM oidc_grants WHERE account_id = $1', employee);
    expect(before.length).toBeGreaterThan(1);

    const change = async (): Promise<void> => {
      const shown = await send(here);
      expect(shown).toMatchObject({ status: 200, page: 'account/activity' });
      expect(attribute(shown.html, 'data-done')).toBe('password_changed');
      expect(shown.html).toContain('<strong>Password diganti</strong>');
    };
    const mail = await house.mailOf(employee, change, ({ subject }) => /password/i.test(subject));
    expect(mail.subject).toMatch(/password/i);

    // No grant, no token: refresh tokens die with it.
    expect(await rowsOf('SELECT id FROM oidc_grants WHERE account_id = $1', employee)).toEqual([]);
    const sessions = await rowsOf(
      `SELECT s.cred_epoch = a.cred_epoch AS current FROM sso_sessions s JOIN accounts a ON a.id = s.account_id
        WHERE a.id = $1`,
      employee,
    );
    expect(sessions).toEqual([{ current: true }]);
    expect((await here.get(`${house.site.origin}/`)).page).toBe('launcher');
    expect((await here.get(`${house.site.origin}/account/password`)).page).toBe('account/password');
    expect((await elsewhere.get(`${house.site.origin}/`)).page).toBe('front');
    expect((await house.begin(service, PLAIN)).shown.page).toBe('sign-in/password');
    // The kept session still opens services without a question.
    expect(house.codeOf((await house.begin(here, PLAIN)).shown.url)).toBeDefined();

    expect(await changesOf(employee)).toEqual(['person']);
    expect(await opens(employee, PASSWORD)).toBe(false);
    expect(await opens(employee, NEW)).toBe(true);
  });

  it('counts a wrong old password as the login page does, and makes whoever guesses wait', async () => {
    const employee = somebody();
    const browser = await enter(house, employee);
    let tries = 0;
    while ((await send(browser, { password: `Salah Sekali ${tries} lari` })).status === 422) tries += 1;
    expect(browser.shown).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(Number(attribute(browser.shown.html, 'data-retry-after'))).toBeGreaterThan(0);
    // Ten of this browser's own and the five that strangers share.
    expect(tries).toBe(15);
    const [{ failures } = {}] = await rowsOf('SELECT failures FROM credentials WHERE account_id = $1', employee);
    expect(failures).toBe(15);
    // While the wait lasts not even the right one opens anything.
    expect((await send(browser)).status).toBe(429);
  });

  it('is done once by a double tap, and both halves are told so', async () => {
    const employee = somebody();
    const browser = await enter(house, employee);
    await browser.get(`${house.site.origin}/account/password`);
    const fields = typed({ csrf: attribute(browser.shown.html, 'value') ?? '' });
    const post = () => browser.post('/account/password', fields);
    const both = await Promise.all([post(), post()]);
    const later = await post();
    for (const half of [...both, later]) {
      expect([half.status, half.headers.get('location')]).toEqual([303, '/account/activity']);
    }
    expect(await changesOf(employee)).toEqual(['person']);
    // Half a minute later the old password is just a wrong one.
    house.time.pass({ seconds: 31 });
    expect(await post()).toMatchObject({ status: 422, errors: ['invalid_credentials'] });
  });

  it('of two different ones at once one wins, and the other is told that it did not', async () => {
    const employee = somebody();
    const browser = await enter(house, employee);
    await browser.get(`${house.site.origin}/account/password`);
    const csrf = attribute(browser.shown.html, 'value') ?? '';
    const other = 'Perahu Layar 31 biru-biru';
    const [first, second] = await Promise.all([
      browser.post('/account/password', typed({ csrf })),
      browser.post('/account/password', typed({ csrf, new_password: other, confirm_password: other })),
    ]);
    expect([first.status, second.status].sort()).toEqual([303, 422]);
    expect(await changesOf(employee)).toEqual(['person']);
    expect([await opens(employee, NEW), await opens(employee, other)]).toEqual([
      first.status === 303,
      second.status === 303,
    ]);
  });
});

describe('a new password that is refused', () => {
  let employee: Employee;
  let browser: Person;
  beforeAll(async () => {
    employee = somebody();
    browser = await enter(house, employee);
  });
  afterEach(async () => {
    expect(await changesOf(employee)).toEqual([]);
    expect((await browser.get('/')).page).toBe('launcher');
  });

  it.each([
    ['nothing', { password: '', new_password: '', confirm_password: '' }, 'invalid_input'],
    ['no old password', { password: '' }, 'invalid_input'],
    ['no confirmation', { confirm_password: '' }, 'invalid_input'],
    ['a wrong old password', { password: 'Salah Sekali 1 lari' }, 'invalid_credentials'],
    ['two that differ', { confirm_password: `${NEW}!` }, 'confirmation_mismatch'],
    ['a weak one', { new_password: 'lemah', confirm_password: 'lemah' }, 'password_policy'],
    ['the old one again', { new_password: PASSWORD, confirm_password: PASSWORD }, 'password_policy'],
  ])('refuses %s, and writes nothing into the fields', async (_, more: Record<string, string>, code) => {
    const shown = await send(browser, more);
    expect(shown).toMatchObject({ status: 422, page: 'account/password', errors: [code] });
    expect(shown.html).not.toMatch(/<input[^>]*type="password"[^>]* value=/);
  });

  it('tells every unmet rule once', async () => {
    const shown = await send(browser, { new_password: 'lemah', confirm_password: 'lemah' });
    expect(attributes(shown.html, 'data-rule')).toEqual(['length', 'case', 'digit', 'symbol']);
    const same = await send(browser, { new_password: PASSWORD, confirm_password: PASSWORD });
    expect(attributes(same.html, 'data-rule')).toEqual(['same']);
  });
});
