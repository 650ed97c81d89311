import { addPerson } from '../accounts/people.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import { forAll } from './samples.js';
import { openHouse, type House } from './house.js';

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

const WRONG = 'Salah-Sekali-1';
const send = (browser: Person, username: string, password = PASSWORD): Promise<Shown> =>
  browser.submit('/password', { username, password });

/** A page without what differs between any two requests. */
const lasting = ({ html, url }: Shown, typed: string): string =>
  html
    .replaceAll(url.pathname.split('/')[2] ?? '-', 'UID')
    .replaceAll(typed, 'TYPED')
    .replaceAll(/(csrf" value|nonce)="[^"]*"/g, '')
    .replaceAll(/data-request-id="[^"]*"|[0-9a-f]{8}-[0-9a-f-]{27}/g, '');

describe('the password', () => {
  it('when wrong is refused, with the name kept and the password gone', async () => {
    const { nip } = somebody();
    const browser = house.browser();
    await house.begin(browser);
    const shown = await send(browser, nip, WRONG);
    expect(shown).toMatchObject({ status: 422, page: 'sign-in/password', errors: ['invalid_credentials'] });
    expect(shown.html).toContain(nip);
    expect(shown.html).not.toContain(WRONG);
  });

  it('is answered alike for nobody, for who left, who never activated and who mistyped (R-19)', async () => {
    const known = somebody();
    await addPerson(house.services.db, '198001012010011901', { email: 'a@contoh.example' });
    await addPerson(house.services.db, '198001012010011902', { status: 'inactive' });
    const names = [known.nip, '198001012010011901', '198001012010011902', '198001012010011999', 'tidak.ada', 'a@b.c'];
    const pages = await forAll(names, async (name) => {
      const browser = house.browser();
      await house.begin(browser);
      const shown = await send(browser, name, WRONG);
      return { status: shown.status, errors: shown.errors, html: lasting(shown, name) };
    });
    expect(new Set(pages.map((page) => JSON.stringify(page))).size).toBe(1);
  });

  it.each([
    ['', PASSWORD, 'username'],
    ['   ', PASSWORD, 'username'],
    ['198001012010011999', '', 'password'],
  ])('left out is asked for: %j %j', async (username, password, field) => {
    const browser = house.browser();
    await house.begin(browser);
    const shown = await send(browser, username, password);
    expect(shown).toMatchObject({ status: 422, errors: ['invalid_input'] });
    expect(shown.html).toContain(`data-field="${field}"`);
  });

  it('counts for the name however it is typed: groups, dots, wide digits (R-39)', async () => {
    const { nip } = somebody();
    const wide = Array.from(nip, (digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
    const typed = [
      `${nip.slice(0, 8)} ${nip.slice(8, 14)} ${nip.slice(14, 15)} ${nip.slice(15)}`,
      ` ${nip.slice(0, 8)}.${nip.slice(8)}\u00a0`,
      wide,
    ];
    for (const name of typed) {
      const browser = house.browser();
      await house.begin(browser);
      expect((await send(browser, name)).page).toBe('sign-in/otp');
    }
  });

  it('is not looked at for half a minute after five wrong ones, whoever types it (R-20)', async () => {
    const { nip } = somebody();
    for (let time = 1; time <= 5; time += 1) {
      const browser = house.browser();
      await house.begin(browser);
      expect((await send(browser, nip, WRONG)).errors).toEqual(['invalid_credentials']);
    }
    const browser = house.browser();
    await house.begin(browser);
    const shown = await send(browser, nip);
    expect(shown).toMatchObject({ status: 429, page: 'sign-in/password', errors: ['throttled'] });
    expect(shown.headers.get('retry-after')).toBe('30');
    expect(shown.html).toContain('data-retry-after="30"');
    expect(shown.html).toContain(nip);
    house.time.pass({ seconds: 29 });
    expect((await send(browser, nip)).headers.get('retry-after')).toBe('1');
    house.time.pass({ seconds: 1 });
    expect((await send(browser, nip)).page).toBe('sign-in/otp');
  });

  it('is looked at in a browser that the person has used, whatever strangers do (R-20)', async () => {
    const employee = somebody();
    const own = house.browser();
    await house.logIn(own, employee);
    own.cookies.delete('sid|/');
    for (let time = 1; time <= 6; time += 1) {
      const stranger = house.browser();
      await house.begin(stranger);
      await send(stranger, employee.nip, WRONG);
    }
    await house.begin(own);
    for (let time = 1; time <= 9; time += 1) {
      expect((await send(own, employee.nip, WRONG)).errors).toEqual(['invalid_credentials']);
    }
    expect((await send(own, employee.nip)).page).toBe('sign-in/otp');
  });

  it('typed after what cannot be a name is not counted against anybody else who types such', async () => {
    for (let time = 1; time <= 6; time += 1) {
      const browser = house.browser();
      await house.begin(browser);
      expect((await send(browser, `orang${time}@contoh.example`)).errors).toEqual(['invalid_credentials']);
    }
  });

  it.each([
    ['NUL', '\u0000'],
    ['text from right to left', '\u202e198001012010011999'],
    ['ten thousand digits', '9'.repeat(10_000)],
    ['SQL', "' OR 1=1 --"],
    ['HTML', '<script>alert(1)</script>'],
  ])('with %s for a name is refused like any other', async (_kind, name) => {
    const browser = house.browser();
    await house.begin(browser);
    const shown = await send(browser, name);
    expect(shown).toMatchObject({ status: 422, errors: ['invalid_credentials'] });
    expect(shown.html).not.toContain('<script>alert');
  });

  it('may be up to a kilobyte long, and longer ones are wrong ones', async () => {
    const { nip } = somebody();
    const browser = house.browser();
    await house.begin(browser);
    expect(await send(browser, nip, 'x'.repeat(2_000))).toMatchObject({ status: 422, errors: ['invalid_credentials'] });
  });

  it('right once opens the page for the code for five minutes (R-02)', async () => {
    const employee = somebody();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    house.time.pass({ minutes: 5, seconds: 1 });
    const shown = await browser.submit('/otp', { otp: otpOf(employee) });
    expect(shown).toMatchObject({ status: 200, page: 'sign-in/password' });
    expect(house.codeOf(shown.url)).toBeUndefined();
  });

  it('of one sign-in opens nothing in another one of the same browser', async () => {
    const employee = somebody();
    const browser = house.browser();
    await house.begin(browser);
    const first = browser.shown.url.href;
    await house.toOtp(browser, employee);
    expect((await browser.get(`${first}/otp`)).page).toBe('sign-in/password');
  });
});
