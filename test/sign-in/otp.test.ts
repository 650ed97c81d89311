import { addEmployees, giveRecoveryCodes, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person } from '../support/person.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from './house.js';
import { addPasskey, usePasskey } from './passkeys.js';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 40, state: 'enrolled' });
});
afterAll(() => house.close());

const MINUTE = 60_000;

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};
/** What the person's phone shows when its clock is so many minutes ahead. */
const phoneShows = (employee: Employee, minutesAhead: number): string =>
  shownAt(employee, new Date(house.time.now().getTime() + minutesAhead * MINUTE));
const wrong = (employee: Employee, turn = 0): string =>
  String((Number(wrongFor(shownAt(employee, house.time.now()))) + turn) % 1_000_000).padStart(6, '0');

async function atOtp(employee: Employee): Promise<Person> {
  const browser = house.browser();
  await house.toOtp(browser, employee);
  return browser;
}
const devicesOf = ({ id }: Employee) =>
  house.services.db.query('SELECT status, ended_reason FROM devices WHERE account_id = $1', [id]);

describe('the one-time code', () => {
  it('finishes the login, with claims that tell how (R-02, R-35)', async () => {
    const employee = somebody();
    const claims = await house.logIn(house.browser(), employee);
    expect(claims).toMatchObject({
      sub: employee.id,
      acr: 'urn:asn:aal2',
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: Math.floor(house.time.now().getTime() / 1000),
    });
  });

  it('when wrong is refused, and the next right one is taken', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const shown = await browser.submit('/otp', { otp: wrong(employee) });
    expect(shown).toMatchObject({ status: 422, page: 'sign-in/otp', errors: ['otp_invalid'] });
    expect(shown.html).not.toContain(wrong(employee));
    expect(house.codeOf((await browser.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it.each([
    ['nothing', ''],
    ['five digits', '12345'],
    ['seven digits', '1234567'],
    ['letters', 'abcdef'],
    ['a digit of another script', '12345६'],
    ['nine thousand digits', '1'.repeat(9_000)],
    ['a dash', '-'],
  ])('that is %s is refused and breaks nothing (R-67)', async (_kind, otp) => {
    const browser = await atOtp(somebody());
    expect(await browser.submit('/otp', { otp })).toMatchObject({ status: 422, errors: ['otp_invalid'] });
  });

  it('may be typed in groups and in wide digits', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const otp = otpOf(employee);
    const wide = Array.from(otp, (digit) => String.fromCodePoint(0xff10 + Number(digit))).join('');
    const shown = await browser.submit('/otp', { otp: ` ${wide.slice(0, 3)} ${wide.slice(3)} ` });
    expect(house.codeOf(shown.url)).toBeDefined();
  });

  it.each([
    [-1, true],
    [1, true],
    [-2, false],
    [2, false],
  ])('%d steps away is taken: %s', async (steps, isTaken) => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const shown = await browser.submit('/otp', { otp: phoneShows(employee, steps / 2) });
    expect(house.codeOf(shown.url) !== undefined).toBe(isTaken);
  });

  it('is taken once, and said to be used, without counting as wrong (R-06, R-07)', async () => {
    const employee = somebody();
    const claims = await house.logIn(house.browser(), employee);
    expect(claims.sub).toBe(employee.id);
    const other = await atOtp(employee);
    for (let time = 1; time <= 7; time += 1) {
      expect(await other.submit('/otp', { otp: otpOf(employee) })).toMatchObject({
        status: 422,
        errors: ['otp_reused'],
      });
      // Typed later it is not the same tap.
      house.time.pass({ seconds: 1 });
    }
    // An older one does not come back either.
    expect((await other.submit('/otp', { otp: phoneShows(employee, -0.5) })).errors).toEqual(['otp_reused']);
    house.time.pass({ seconds: 31 });
    expect(house.codeOf((await other.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });
});

describe('a phone whose clock is wrong', () => {
  it.each([
    [3, 3],
    [-7, -7],
    [60, 60],
    [-61, -61],
    [-120, -120],
  ])('by %d minutes is told so at the second code, never at the first', async (ahead, told) => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const first = await browser.submit('/otp', { otp: phoneShows(employee, ahead) });
    expect(first).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    expect(attribute(first.html, 'data-drift-minutes')).toBeUndefined();
    house.time.pass({ seconds: 31 });
    const second = await browser.submit('/otp', { otp: phoneShows(employee, ahead) });
    expect(second).toMatchObject({ status: 422, page: 'sign-in/otp', errors: ['clock_drift'] });
    expect(attribute(second.html, 'data-drift-minutes')).toBe(String(told));

    // The clock put right, the person gets in at once.
    house.time.pass({ seconds: 31 });
    expect(house.codeOf((await browser.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it('is not told by the same code twice, nor by two codes of different times', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const first = phoneShows(employee, 5);
    expect((await browser.submit('/otp', { otp: first })).errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 61 });
    expect((await browser.submit('/otp', { otp: first })).errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 31 });
    expect((await browser.submit('/otp', { otp: phoneShows(employee, -40) })).errors).toEqual(['otp_invalid']);
  });

  it('never opens with a code of its time, not even when that time has come', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const early = phoneShows(employee, 3);
    expect((await browser.submit('/otp', { otp: early })).errors).toEqual(['otp_invalid']);
    house.time.pass({ minutes: 3 });
    expect((await browser.submit('/otp', { otp: early })).errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 31 });
    expect(house.codeOf((await browser.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it('is looked for within 130 minutes only', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    for (const turn of [0, 1]) {
      house.time.pass({ seconds: 31 * turn });
      expect((await browser.submit('/otp', { otp: phoneShows(employee, 140) })).errors).toEqual(['otp_invalid']);
    }
  });
});

describe('guessing (R-07)', () => {
  it('ends the sign-in at the fifth wrong code, and every other one waits a quarter of an hour', async () => {
    const employee = somebody();
    const other = await atOtp(employee);
    const browser = await atOtp(employee);
    for (let turn = 1; turn <= 4; turn += 1) {
      expect((await browser.submit('/otp', { otp: wrong(employee, turn) })).errors).toEqual(['otp_invalid']);
    }
    const fifth = await browser.submit('/otp', { otp: wrong(employee, 5) });
    expect(fifth).toMatchObject({ status: 429, page: 'sign-in/otp', errors: ['throttled'] });
    expect(fifth.headers.get('retry-after')).toBe('900');
    // It is over: nothing to type a code into, and the way back asks for the password again.
    expect(fifth.html).not.toMatch(/action="[^"]*\/otp"/);
    expect((await browser.get(fifth.url.href)).page).toBe('sign-in/password');

    house.time.pass({ minutes: 4 });
    const late = await other.submit('/otp', { otp: otpOf(employee) });
    expect(late).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(late.headers.get('retry-after')).toBe('660');

    house.time.pass({ minutes: 11 });
    expect(house.codeOf((await (await atOtp(employee)).submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it('tells the wait when the page for the code opens; a passkey stays offered, and opens', async () => {
    const employee = somebody();
    await giveRecoveryCodes(house.services, employee);
    const guesser = await atOtp(employee);
    for (let turn = 1; turn <= 5; turn += 1) await guesser.submit('/otp', { otp: wrong(employee, turn) });
    house.time.pass({ minutes: 5 });
    const { shown } = await atOtp(employee);
    expect(shown).toMatchObject({ status: 429, page: 'sign-in/otp', errors: ['throttled'] });
    expect(shown.headers.get('retry-after')).toBe('600');
    expect(shown.html).not.toMatch(/name="(?:otp|recovery_code|credential)"/);

    const passkey = await addPasskey(house, employee.id);
    const browser = await atOtp(employee);
    expect(browser.shown).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(browser.shown.html).not.toMatch(/name="(?:otp|recovery_code)"/);
    expect(house.codeOf((await usePasskey(browser, passkey)).url)).toBeDefined();

    house.time.pass({ minutes: 10 });
    expect((await atOtp(employee)).shown).toMatchObject({ status: 200, errors: [] });
  });

  it('from the second wrong code on the page tells of the clock and the zone, and still of the app', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const hours = (): string => phoneShows(employee, 7 * 60);
    const first = await browser.submit('/otp', { otp: hours() });
    expect(first.html).not.toContain('zona waktunya');
    expect(first.html).toContain('Buka aplikasi autentikator di');
    house.time.pass({ seconds: 31 });
    const second = await browser.submit('/otp', { otp: hours() });
    expect(second).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    expect(second.html).toContain('Kode tetap tidak cocok');
    expect(second.html).toContain('Periksa juga zona waktunya: WIB, WITA, atau WIT.');
    expect(second.html).toContain('Buka aplikasi autentikator di');
    expect(attribute(second.html, 'data-drift-minutes')).toBeUndefined();
  });

  it('closes the authenticator at the fiftieth in a row, and the owner is told', async () => {
    const employee = somebody();
    const { db } = house.services;
    const sessionsOf = async (): Promise<number> =>
      (await db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [employee.id])).length;
    await (await atOtp(employee)).submit('/otp', { otp: otpOf(employee) });
    const warned = await house.mailOf(employee, async () => {
      const browser = await atOtp(employee);
      for (let turn = 1; turn <= 5; turn += 1) await browser.submit('/otp', { otp: wrong(employee, turn) });
    });
    expect(warned.text).not.toMatch(/\d{6}/);
    for (let spell = 2; spell <= 10; spell += 1) {
      // Ten an hour at most, whatever lies between.
      house.time.pass({ minutes: 61 });
      const browser = await atOtp(employee);
      for (let turn = 1; turn <= 4; turn += 1)
        await browser.submit('/otp', { otp: wrong(employee, 10 * spell + turn) });
      expect(await devicesOf(employee)).toEqual([{ status: 'active', ended_reason: null }]);
      if (spell === 10) {
        await db.query(`UPDATE sso_sessions SET expires_at = 'infinity' WHERE account_id = $1`, [employee.id]);
        expect(await sessionsOf()).toBe(1);
        const mail = await house.mailOf(employee, async () => {
          const last = await browser.submit('/otp', { otp: wrong(employee, 0) });
          expect(last.status).toBe(410);
          expect(last.errors).toEqual(['flow_expired']);
        });
        expect(mail.subject).not.toBe(warned.subject);
      } else await browser.submit('/otp', { otp: wrong(employee, 9) });
    }
    // Closed, not gone: the account is never without a factor.
    expect(await devicesOf(employee)).toEqual([{ status: 'active', ended_reason: null }]);
    // What was open with it is over, too.
    expect(await sessionsOf()).toBe(0);
    house.time.pass({ minutes: 61 });
    const browser = house.browser();
    await house.begin(browser);
    const shown = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(shown.page).toBe('sign-in/factors-closed');
  });
});

describe('a double tap, or an answer that got lost (R-74)', () => {
  const send = (browser: Person, otp: string) => {
    const html = browser.shown.html;
    const action = /action="([^"]*\/otp)"/.exec(html)?.[1] ?? '';
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    return () => browser.post(`${house.site.origin}${action}`, { csrf, otp });
  };
  const failuresOf = async (employee: Employee): Promise<number> => {
    const key = house.services.keyed('second factor', employee.id);
    const [row] = await house.services.db.query(
      `SELECT failures FROM failure_counters WHERE scope = 'otp' AND key = $1`,
      [key],
    );
    return (row?.failures as number | undefined) ?? 0;
  };

  it('of a right code gets the same answer, before and after the service has its code', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const tap = send(browser, otpOf(employee));
    const [first, second] = await Promise.all([tap(), tap()]);
    expect(first.status).toBe(303);
    expect(second.status).toBe(303);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    const resumed = await browser.get(first.headers.get('location') ?? '');
    expect(house.codeOf(resumed.url)).toBeDefined();

    const late = await tap();
    expect(late.status).toBe(303);
    expect(late.headers.get('location')).toBe('http://127.0.0.1:9/start');
  });

  it('of a wrong code gets the same answer and counts once', async () => {
    const employee = somebody();
    const tap = send(await atOtp(employee), wrong(employee));
    for (const answer of await Promise.all([tap(), tap(), tap()])) {
      expect(answer).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    }
    expect(await failuresOf(employee)).toBe(1);
    house.time.pass({ seconds: 61 });
    await tap();
    expect(await failuresOf(employee)).toBe(2);
  });

  it('of the fifth wrong code is told twice that the sign-in is over', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    for (let turn = 1; turn <= 4; turn += 1) await browser.submit('/otp', { otp: wrong(employee, turn) });
    const tap = send(browser, wrong(employee, 5));
    for (const answer of [await tap(), await tap()]) {
      expect(answer).toMatchObject({ status: 429, errors: ['throttled'] });
      expect(answer.headers.get('retry-after')).toBe('900');
    }
  });
});

describe('the page of the code', () => {
  it('shows the time of the server in the three zones, and the names of the authenticators', async () => {
    const { html } = (await atOtp(somebody())).shown;
    for (const zone of ['WIB', 'WITA', 'WIT']) expect(html).toMatch(new RegExp(`<dt>${zone}</dt><dd><time datetime=`));
    expect(html).toContain('Ponsel');
  });

  it('keeps the sign-in when the language is changed', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    expect(browser.shown.html).toContain('<html lang="id"');
    const english = await browser.follow('lang=en');
    expect(english.page).toBe('sign-in/otp');
    expect(english.html).toContain('<html lang="en"');
    const shown = await browser.submit('/otp', { otp: otpOf(employee) });
    expect(house.codeOf(shown.url)).toBeDefined();
  });

  it('is of no use without the cookie of its sign-in (R-27)', async () => {
    const employee = somebody();
    const browser = await atOtp(employee);
    const stranger = house.browser();
    await stranger.get('/');
    const shown = await stranger.get(browser.shown.url.href);
    expect(shown).toMatchObject({ status: 410, page: 'expired', errors: ['flow_expired'] });
  });

  it('is left for the service when another tab has logged in meanwhile', async () => {
    const employee = somebody();
    const browser = house.browser();
    const { shown: first } = await house.begin(browser);
    await house.logIn(browser, employee, PLAIN);
    const again = await browser.get(first.url.href);
    expect(again.status).toBeLessThan(400);
    expect(house.codeOf(again.url)).toBeDefined();
  });
});
