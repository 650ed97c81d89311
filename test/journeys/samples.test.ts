import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { addAgencies } from '../accounts/people.js';
import { openPerson, type Person } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { startSite, type TestSite } from '../support/site.js';
import { stopTime, type StoppedTime } from '../support/stopped-time.js';

let site: TestSite;
let time: StoppedTime;
let people: Employee[];
beforeAll(async () => {
  time = stopTime();
  site = await startSite();
  await addAgencies(site.running.services.db);
  people = await addEmployees(site.running.services, { count: 5, state: 'enrolled' });
});
afterAll(async () => {
  time.release();
  await site.stop();
});

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};
async function logIn(browser: Person, employee: Employee): Promise<void> {
  await browser.submit('/password', { username: employee.nip, password: PASSWORD });
  time.pass({ seconds: 31 });
  await browser.submit('/otp', { otp: otpOf(employee) });
}

describe('the sample services', () => {
  it('log in from two tabs, in any order', async () => {
    const browser = openPerson(site.origin);
    const first = await browser.get('/demo/myasn/login');
    await browser.get('/demo/myasn/login');
    await browser.get(first.url.href);
    await logIn(browser, somebody());
    expect(browser.shown).toMatchObject({ status: 200, page: 'demo/signed-in' });
  });

  it('are where one was when one goes back from the login', async () => {
    const browser = openPerson(site.origin);
    await browser.get('/demo/sscasn/login');
    await browser.submit('/cancel');
    expect(browser.shown).toMatchObject({ status: 200, page: 'demo/home' });
    expect(browser.trail.find((address) => address.includes('/callback'))).toContain('error=access_denied');
  });

  it('show the service again when the answer of before is asked for once more', async () => {
    const browser = openPerson(site.origin);
    await browser.get('/demo/sscasn/login');
    await logIn(browser, somebody());
    const callback = browser.trail.find((address) => address.includes('/callback')) ?? '';
    expect(callback).toContain('code=');
    expect(await browser.get(callback)).toMatchObject({ status: 200, page: 'demo/signed-in' });
    // In a browser that began nothing it is nobody's.
    expect(await openPerson(site.origin).get(callback)).toMatchObject({ status: 200, page: 'demo/home' });
  });

  it('are all open after one login, but the one that wants a fresh code after five minutes', async () => {
    const employee = somebody();
    const browser = openPerson(site.origin);
    await browser.get('/demo/myasn/login');
    await logIn(browser, employee);
    time.pass({ minutes: 6 });
    for (const app of ['siasn', 'sscasn']) {
      expect((await browser.get(`/demo/${app}/login`)).page).toBe('demo/signed-in');
    }
    expect((await browser.get('/demo/dms/login')).page).toBe('sign-in/otp');
    await browser.submit('/otp', { otp: otpOf(employee) });
    expect(browser.shown).toMatchObject({ status: 200, page: 'demo/signed-in' });
    for (const app of ['myasn', 'siasn', 'sscasn']) {
      expect((await browser.get(`/demo/${app}`)).page).toBe('demo/signed-in');
    }
  });

  it('are closed by a logout at any of them', async () => {
    const browser = openPerson(site.origin);
    await browser.get('/demo/myasn/login');
    await logIn(browser, somebody());
    await browser.get('/demo/siasn/login');
    await browser.submit('/demo/siasn/logout');
    expect((await browser.submit('/confirm')).url.pathname).toBe('/demo/siasn/signed-out');
    for (const app of ['myasn', 'siasn']) expect((await browser.get(`/demo/${app}`)).page).not.toBe('demo/signed-in');
    expect((await browser.get('/demo/myasn/login')).page).toBe('sign-in/password');
  });

  it('are told of it, and say so', async () => {
    const browser = openPerson(site.origin);
    await browser.get('/demo/myasn/login');
    await logIn(browser, somebody());
    for (const app of ['siasn', 'sscasn']) await browser.get(`/demo/${app}/login`);
    await browser.get('/demo/siasn');
    await browser.submit('/demo/siasn/logout');
    await browser.submit('/confirm');
    const { db } = site.running.services;
    await eventually(
      'every relying party to be told',
      async () => (await db.query('SELECT 1 FROM outbox')).length === 0,
    );
    for (const app of ['myasn', 'sscasn']) {
      expect((await browser.get(`/demo/${app}`)).page).toBe('demo/signed-out');
      expect(browser.shown.html).toContain('langsung memberi tahu');
    }
    // Once: then it is a service that nobody has logged in to.
    expect((await browser.get('/demo/myasn')).page).toBe('demo/home');
  });
});
