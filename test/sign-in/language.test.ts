import { addEmployees, giveRecoveryCodes, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { totp } from '../support/totp.js';
import { openHouse, type House } from './house.js';

let house: House;
let enrolled: Employee[];
let simple: Employee[];
beforeAll(async () => {
  house = await openHouse();
  enrolled = await addEmployees(house.services, { count: 3, state: 'enrolled' });
  simple = await addEmployees(house.services, { count: 3, state: 'password' });
});
afterAll(() => house.close());

function take(people: Employee[]): Employee {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
}

/** Changes the language on a page that has just refused something; the same page must come, in the other language. */
async function change(browser: Person, refused: Shown): Promise<void> {
  const to = refused.html.includes('<html lang="id"') ? 'en' : 'id';
  expect(refused.status).toBe(422);
  const shown = await browser.follow(`lang=${to}`);
  expect({ status: shown.status, page: shown.page }).toEqual({ status: 200, page: refused.page });
  expect(shown.html).toContain(`<html lang="${to}"`);
}

describe('the language', () => {
  it('can be changed on every page of a login, also right after a refusal', async () => {
    const employee = take(simple);
    const browser = house.browser();
    const { asking } = await house.begin(browser);
    const { nip } = employee;
    await change(browser, await browser.submit('/password', { username: nip, password: 'Salah-Sekali-1' }));
    const code = await house.codeFor(employee, () =>
      browser.submit('/password', { username: nip, password: PASSWORD }),
    );
    await change(browser, await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' }));
    await browser.submit('/mailbox', { code });
    await change(browser, await browser.submit('/enrol', { otp: '', device_name: '' }));
    const secret = attribute(browser.shown.html, 'data-secret') ?? '';
    await browser.submit('/enrol', { otp: totp(secret, house.time.now()), device_name: 'P' });
    await change(browser, await browser.submit('/recovery-codes', {}));
    const done = await browser.submit('/recovery-codes', { saved: '1' });
    expect((await house.claimsAt(done, asking)).sub).toBe(employee.id);
  });

  it('can be changed where the code is asked', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    await giveRecoveryCodes(house.services, employee);
    await house.toOtp(browser, employee);
    await change(browser, await browser.submit('/otp', { otp: '' }));
    await change(browser, await browser.submit('/recovery-code', { recovery_code: '' }));
    expect(house.codeOf((await browser.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it('can be changed on every page of a reset', async () => {
    const employee = take(simple);
    const { nip } = employee;
    const browser = house.browser();
    await browser.get('/reset/weak');
    await change(browser, await browser.submit('/reset/weak', { username: nip, password: 'Salah-Sekali-1' }));
    await browser.get('/reset/password');
    await change(browser, await browser.submit('/reset/password', { username: nip, captcha: 'x' }));
    await browser.submit('/reset/password', { username: nip, captcha: CAPTCHA });
    await change(browser, await browser.submit('/reset/password/email', { email: '' }));
    const code = await house.codeFor(employee, () =>
      browser.submit('/reset/password/email', { email: employee.email }),
    );
    await change(browser, await browser.submit('/reset/password/code', { code: 'AAAAA-AAAAA' }));
    const typed = { code, new_password: 'Gajah Merah 8 tidur-pulas', confirm_password: 'Gajah Merah 8 tidur-pulas' };
    expect((await browser.submit('/reset/password/code', typed)).page).toBe('reset/password/done');
  });
});
