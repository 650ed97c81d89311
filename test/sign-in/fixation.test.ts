import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { openHouse, type House } from './house.js';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 8, state: 'enrolled' });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};

/** Puts cookies of one browser into another one, as a neighbouring host could. */
function plant(from: Person, into: Person, name: string): void {
  for (const [key, cookie] of from.cookies) if (key.split(/[|.]/)[0] === name) into.cookies.set(key, cookie);
}

/** Gives both factors on the page shown and stops before the way back to the service, which it answers. */
async function giveBoth(browser: Person, employee: Employee): Promise<string> {
  const { html } = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
  const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
  const path = /action="([^"]*\/otp)"/.exec(html)?.[1] ?? '';
  const answer: Shown = await browser.post(path, { csrf, otp: otpOf(employee) });
  return answer.headers.get('location') ?? '';
}

describe('planted cookies (R-27, A22)', () => {
  it('of a session are worth nothing once somebody logs in with them', async () => {
    const [attacker, victim] = [somebody(), somebody()];
    const theirs = house.browser();
    await house.logIn(theirs, attacker);
    const browser = house.browser();
    await browser.get('/');
    plant(theirs, browser, 'sid');
    const asking = house.ask(undefined, { prompt: 'login' });
    await browser.get(`${house.site.origin}${asking.path}`);
    const resume = await giveBoth(browser, victim);
    expect((await house.claimsAt(await browser.get(resume), asking)).sub).toBe(victim.id);
    // What the attacker holds is nobody's session any more.
    expect((await house.begin(theirs)).shown.page).toBe('sign-in/password');
  });

  it('of a sign-in open nothing in another browser than the one that began it', async () => {
    const attacker = house.browser();
    const { shown } = await house.begin(attacker);
    const browser = house.browser();
    await browser.get('/');
    plant(attacker, browser, 'int');
    expect(await browser.get(shown.url.pathname)).toMatchObject({ status: 410, page: 'expired' });
  });

  it('of a finished sign-in log nobody else in as who finished it (A23)', async () => {
    const attacker = somebody();
    const theirs = house.browser();
    await house.begin(theirs);
    const resume = await giveBoth(theirs, attacker);
    const browser = house.browser();
    await browser.get('/');
    plant(theirs, browser, 'res');
    const resumed = await browser.get(resume);
    expect(house.codeOf(resumed.url)).toBeUndefined();
    expect((await house.begin(browser)).shown.page).toBe('sign-in/password');
  });

  describe('with a signature that is not ours', () => {
    const forge = (browser: Person, name: string): void => {
      for (const [key, cookie] of browser.cookies) {
        if (key.startsWith(`${name}.sig|`)) browser.cookies.set(key, { ...cookie, value: 'A'.repeat(27) });
      }
    };

    it('open no sign-in', async () => {
      const browser = house.browser();
      await house.toOtp(browser, somebody());
      forge(browser, 'int');
      expect(await browser.get(browser.shown.url.href)).toMatchObject({ status: 410, page: 'expired' });
    });

    it('resume nothing', async () => {
      const browser = house.browser();
      await house.begin(browser);
      const resume = await giveBoth(browser, somebody());
      forge(browser, 'res');
      const resumed = await browser.get(resume);
      expect(house.codeOf(resumed.url)).toBeUndefined();
      expect(resumed.status).toBe(410);
    });

    it('are no session', async () => {
      const browser = house.browser();
      await house.logIn(browser, somebody());
      forge(browser, 'sid');
      expect((await house.begin(browser)).shown.page).toBe('sign-in/password');
    });
  });
});
