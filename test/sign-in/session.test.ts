import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { FRESH, openHouse, PLAIN, type House } from './house.js';

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

describe('a session (R-26)', () => {
  it('ends after an hour in which nobody used it', async () => {
    const browser = house.browser();
    await house.logIn(browser, somebody());
    const before = browser.cookies.get('sid|/')?.value;
    for (let time = 1; time <= 3; time += 1) {
      house.time.pass({ minutes: 58 });
      const { shown } = await house.begin(browser);
      expect(house.codeOf(shown.url)).toBeDefined();
    }
    house.time.pass({ minutes: 61 });
    expect((await house.begin(browser)).shown.page).toBe('sign-in/password');
    const { shown } = await house.begin(browser, FRESH);
    expect(shown.page).toBe('sign-in/password');
    expect(browser.cookies.get('sid|/')?.value).not.toBe(before);
  });

  it('ends after twelve hours, however busy it was and however fresh its second factor', async () => {
    const employee = somebody();
    const browser = house.browser();
    await house.logIn(browser, employee);
    for (let minutes = 50; minutes < 12 * 60; minutes += 50) {
      house.time.pass({ minutes: 50 });
      const { shown } = await house.begin(browser, FRESH);
      expect(shown.page).toBe('sign-in/otp');
      const { url } = await browser.submit('/otp', { otp: otpOf(employee) });
      expect(house.codeOf(url)).toBeDefined();
    }
    house.time.pass({ minutes: 21 });
    expect((await house.begin(browser)).shown.page).toBe('sign-in/password');
  });

  it('ends on our own pages with it', async () => {
    const employee = somebody();
    const browser = house.browser();
    await browser.get('/login');
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    const home = await browser.submit('/otp', { otp: otpOf(employee) });
    expect(home).toMatchObject({ status: 200, page: 'launcher' });
    expect(home.url.pathname).toBe('/');
    // Whoever uses our own pages is not idle.
    for (let time = 1; time <= 2; time += 1) {
      house.time.pass({ minutes: 45 });
      expect((await browser.get('/')).page).toBe('launcher');
    }
    expect(house.codeOf((await house.begin(browser)).shown.url)).toBeDefined();
    house.time.pass({ minutes: 61 });
    expect((await browser.get(`${house.site.origin}/`)).page).toBe('front');
  });

  it('ends everywhere with one logout', async () => {
    const employee = somebody();
    const browser = house.browser();
    await browser.get('/login');
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    await browser.submit('/otp', { otp: otpOf(employee) });
    const copy = new Map(browser.cookies);
    expect((await browser.submit('/logout')).page).toBe('sign-out/done');
    expect((await browser.get('/')).page).toBe('front');
    expect((await house.begin(browser, PLAIN)).shown.page).toBe('sign-in/password');
    // The cookies of before are worth nothing either.
    const thief = house.browser();
    for (const [key, cookie] of copy) thief.cookies.set(key, cookie);
    expect((await thief.get('/')).page).toBe('front');
    expect((await house.begin(thief, PLAIN)).shown.page).toBe('sign-in/password');
  });

  it('begins on our own pages in whichever of two tabs is used first', async () => {
    const employee = somebody();
    const browser = house.browser();
    const first = await browser.get('/login');
    await browser.get('/login');
    await browser.get(first.url.href);
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    const home = await browser.submit('/otp', { otp: otpOf(employee) });
    expect(home.page).toBe('launcher');
  });

  it('begins in the second tab after the first', async () => {
    const employee = somebody();
    const browser = house.browser();
    await browser.get('/login');
    const second = await browser.get('/login');
    await browser.get(second.url.href);
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect((await browser.submit('/otp', { otp: otpOf(employee) })).page).toBe('launcher');
  });

  it('does not begin by an answer that was meant for another browser (A23)', async () => {
    const employee = somebody();
    const attacker = house.browser();
    await attacker.get('/login');
    await attacker.submit('/password', { username: employee.nip, password: PASSWORD });
    const html = attacker.shown.html;
    const csrf = /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';
    const answer = await attacker.post(/action="([^"]*\/otp)"/.exec(html)?.[1] ?? '', { csrf, otp: otpOf(employee) });
    // Stopped before the callback: its address goes to somebody else.
    const resumed = await fetch(answer.headers.get('location') ?? '', {
      redirect: 'manual',
      headers: {
        cookie: [...attacker.cookies].map(([key, { value }]) => `${key.split('|')[0] ?? ''}=${value}`).join('; '),
      },
    });
    const callback = resumed.headers.get('location') ?? '';
    expect(callback).toContain('/session/callback?code=');
    const victim = house.browser();
    await victim.get('/login');
    await victim.get(callback);
    expect((await victim.get('/')).page).toBe('front');
  });
});
