import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attributes, type Person, type Shown } from '../support/person.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from '../sign-in/house.js';

let house: House;
let enrolled: Employee[];
let simple: Employee[];
beforeAll(async () => {
  house = await openHouse();
  enrolled = await addEmployees(house.services, { count: 10, state: 'enrolled' });
  simple = await addEmployees(house.services, { count: 10, state: 'password' });
});
afterAll(() => house.close());

const NEW = 'Gajah Merah 8 tidur-pulas';

function take(people: Employee[]): Employee {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
}
async function send(browser: Person, { nip }: { nip: string }, more: Record<string, string> = {}): Promise<Shown> {
  await browser.get('/reset/weak');
  const typed = { username: nip, password: PASSWORD, otp: '', new_password: NEW, confirm_password: NEW, ...more };
  return browser.submit('/reset/weak', typed);
}

describe('Reset Password Lemah', () => {
  it('changes the password of who knows the old one, tells them, and signs nobody in', async () => {
    const employee = take(simple);
    const browser = house.browser();
    const mail = await house.mailOf(employee, async () => {
      const done = await send(browser, employee);
      expect(done).toMatchObject({ status: 200, page: 'reset/weak/done' });
    });
    expect(mail.subject).toMatch(/password/i);
    expect((await browser.get('/')).page).toBe('front');
    await house.begin(browser);
    expect((await browser.submit('/password', { username: employee.nip, password: PASSWORD })).errors).toEqual([
      'invalid_credentials',
    ]);
    // An old password is no proof of the mailbox.
    expect((await browser.submit('/password', { username: employee.nip, password: NEW })).page).toBe(
      'sign-in/prove-mailbox',
    );
  });

  it('wants the code of the phone where MFA is active, each once', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    expect(await send(browser, employee)).toMatchObject({ status: 422, page: 'reset/weak', errors: ['otp_required'] });
    const wrong = wrongFor(shownAt(employee, house.time.now()));
    expect(await send(browser, employee, { otp: wrong })).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    const otp = otpOf(employee);
    expect((await send(browser, employee, { otp })).page).toBe('reset/weak/done');
    const again = { password: NEW, new_password: PASSWORD, confirm_password: PASSWORD, otp };
    expect((await send(browser, employee, again)).errors).toEqual(['otp_reused']);
  });

  it('ends the sessions of before', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    await house.logIn(browser, employee, PLAIN);
    house.time.pass({ seconds: 31 });
    await send(house.browser(), employee, { otp: otpOf(employee) });
    expect((await house.begin(browser, PLAIN)).shown.page).toBe('sign-in/password');
  });

  it('answers a wrong name and a wrong password alike, and keeps the name', async () => {
    const { nip } = take(simple);
    for (const username of [nip, '198001012010014999', 'bukan nama']) {
      const shown = await send(house.browser(), { nip: username }, { password: 'Salah-Sekali-1' });
      expect(shown).toMatchObject({ status: 422, page: 'reset/weak', errors: ['invalid_credentials'] });
      expect(shown.html).toContain(`value="${username}"`);
      expect(shown.html).not.toContain(NEW);
    }
  });

  it('has the limits of the login page: they count together (R-20)', async () => {
    const employee = take(simple);
    for (let time = 1; time <= 3; time += 1) await send(house.browser(), employee, { password: 'Salah-Sekali-1' });
    for (let time = 4; time <= 5; time += 1) {
      const browser = house.browser();
      await house.begin(browser);
      await browser.submit('/password', { username: employee.nip, password: 'Salah-Sekali-1' });
    }
    const shown = await send(house.browser(), employee);
    expect(shown).toMatchObject({ status: 429, page: 'reset/weak', errors: ['throttled'] });
    expect(shown.headers.get('retry-after')).toBe('30');
    house.time.pass({ seconds: 30 });
    expect((await send(house.browser(), employee)).page).toBe('reset/weak/done');
  });

  it.each([
    ['kuda', 'kuda', 'password_policy'],
    [PASSWORD, PASSWORD, 'password_policy'],
    [NEW, `${NEW}!`, 'confirmation_mismatch'],
    ['', '', 'password_policy'],
  ])('refuses a new password that is no good: %j, %j', async (password, confirmation, error) => {
    const employee = take(simple);
    const typed = { new_password: password, confirm_password: confirmation };
    const shown = await send(house.browser(), employee, typed);
    expect(shown).toMatchObject({ status: 422, page: 'reset/weak', errors: [error] });
    if (password === PASSWORD) expect(attributes(shown.html, 'data-rule')).toContain('same');
    simple.push(employee);
  });
});
