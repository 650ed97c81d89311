import { otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, attributes, type Person, type Shown } from '../support/person.js';
import { formOn, openHouse, type House } from './house.js';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const NEW = '/account/recovery-codes/new';
const RENEW = '/account/recovery-codes/renew';

/** Gives somebody a set, as their enrolment would have, of which only so many are unspent. */
async function giveCodes(employee: Employee, left = 10): Promise<readonly string[]> {
  const { db, recoveryCodes } = house.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction(async (tx) => {
    await recoveryCodes.issue(tx, employee.id, prepared);
  });
  const spent = prepared.hashes.slice(left);
  await db.query('UPDATE recovery_codes SET spent_at = $2 WHERE hash = ANY ($1::bytea[])', [spent, house.time.now()]);
  return prepared.codes.slice(0, left);
}

const codesOn = ({ html }: Shown): string[] => attributes(html, 'data-recovery-code');

async function renew(browser: Person): Promise<string[]> {
  await browser.get(RENEW);
  return codesOn(await browser.submit(RENEW));
}

/** What comes of a recovery code at a login. */
async function logInWith(employee: Employee, code: string): Promise<Shown> {
  const browser = house.browser();
  await house.toOtp(browser, employee);
  return browser.submit('/recovery-code', { recovery_code: code });
}

describe('a login with a recovery code', () => {
  const enterWith = async (employee: Employee, code: string): Promise<Person> => {
    const browser = house.browser();
    await browser.get('/login');
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    await browser.submit('/recovery-code', { recovery_code: code });
    return browser;
  };

  it('is told on the launcher once: how many are left, and the ways to a new phone', async () => {
    const employee = await house.somebody();
    const [code = '', last = ''] = await giveCodes(employee, 2);
    const browser = await enterWith(employee, code);
    expect(browser.shown.page).toBe('launcher');
    expect(browser.shown.html).toContain('Kode pemulihan dipakai, tersisa 1');
    for (const way of ['move', 'add']) expect(browser.shown.html).toContain(`href="/account/devices/${way}"`);
    expect((await browser.get('/')).html).not.toContain('Kode pemulihan dipakai');

    const { shown } = await enterWith(employee, last);
    expect(shown.html).toContain('Kode pemulihan dipakai, tersisa 0');
    expect(shown.html).toContain('href="/account/recovery-codes"');
    const next = house.browser();
    await house.toOtp(next, employee);
    expect(next.shown.html).not.toMatch(/recovery_code|Pakai kode pemulihan/);
    expect((await house.enter(employee)).shown.html).not.toContain('Kode pemulihan dipakai');
  });
});

async function sets({ id }: Employee): Promise<unknown> {
  const [row] = await house.services.db.query(
    `SELECT count(*)::integer AS made, count(*) FILTER (WHERE ended_at IS NULL)::integer AS living
       FROM recovery_code_sets WHERE account_id = $1`,
    [id],
  );
  return row;
}

describe('recovery codes on the account pages', () => {
  it('are counted, and warned of when three or fewer are left', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const none = await browser.get('/account/recovery-codes');
    expect(none).toMatchObject({ status: 200, page: 'account/recovery-codes' });
    expect(attribute(none.html, 'data-few-codes')).toBe('0');
    for (const [left, few] of [
      [10, undefined],
      [4, undefined],
      [3, '3'],
      [0, '0'],
    ] as const) {
      await giveCodes(employee, left);
      const shown = await browser.get('/account/recovery-codes');
      expect([attribute(shown.html, 'data-codes-left'), attribute(shown.html, 'data-few-codes')]).toEqual([
        String(left),
        few,
      ]);
      expect((await browser.get('/account/devices')).html).toContain(`<strong>${left} dari 10</strong>`);
    }
  });

  it('are made anew as a set: shown until saved, the old ones die with it, everybody else is logged out', async () => {
    const employee = await house.somebody();
    const old = await giveCodes(employee);
    const browser = await house.enter(employee);
    const other = house.browser();
    // Told as a new browser, before what is looked for.
    await house.mailOf(employee, () => house.enter(employee, other));
    await browser.get('/account/recovery-codes');
    await browser.follow(RENEW);
    expect(browser.shown.page).toBe('account/recovery-codes/renew');
    const mail = await house.mailOf(employee, () => browser.submit(RENEW));
    const made = codesOn(browser.shown);
    expect(new Set(made).size).toBe(10);
    for (const code of made) expect(code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}$/);
    expect(mail.subject).toContain('Kode pemulihan');
    for (const code of made) expect(mail.text + mail.html).not.toContain(code);
    expect((await other.get('/')).page).toBe('front');

    // A reload, another look at the beginning, another press: the same ten.
    expect(codesOn(await browser.get(NEW))).toEqual(made);
    expect(codesOn(await browser.get(RENEW))).toEqual(made);
    const { csrf } = formOn(browser, NEW);
    expect((await browser.post(house.site.origin + RENEW, { csrf })).headers.get('location')).toBe(NEW);
    const file = await browser.get('/account/recovery-codes/new.txt');
    expect(file.headers.get('content-disposition')).toContain('attachment');
    expect(file.html.match(/[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}/g)).toEqual(made);
    expect((await browser.get('/account/recovery-codes')).html).toContain(`href="${NEW}"`);
    expect(await sets(employee)).toEqual({ made: 2, living: 1 });
    const stored = await house.services.db.query('SELECT codes FROM unsaved_recovery_codes');
    for (const code of made) expect(JSON.stringify(stored)).not.toContain(code);

    await browser.get(NEW);
    const unsaved = await browser.submit(NEW);
    expect(unsaved).toMatchObject({ status: 422, page: 'account/recovery-codes/new', errors: ['invalid_input'] });
    expect(codesOn(unsaved)).toEqual(made);
    const done = await browser.submit(NEW, { saved: '1' });
    expect(done).toMatchObject({ status: 200, page: 'account/recovery-codes' });
    expect(attribute(done.html, 'data-done')).toBe('codes_renewed');
    expect(codesOn(await browser.get(NEW))).toEqual([]);
    expect((await browser.get('/account/recovery-codes/new.txt')).status).toBe(404);

    expect((await logInWith(employee, old[0] ?? '')).errors).toEqual(['otp_invalid']);
    expect(house.codeOf((await logInWith(employee, made[0] ?? '')).url)).toBeDefined();
    expect((await logInWith(employee, made[0] ?? '')).errors).toEqual(['otp_invalid']);
  });

  it('are shown in the session that made them, for a quarter of an hour', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const made = await renew(browser);
    const other = await house.enter(employee);
    expect(codesOn(await other.get(NEW))).toEqual([]);
    expect((await other.get('/account/recovery-codes/new.txt')).status).toBe(404);
    house.time.pass({ minutes: 4 });
    expect(codesOn(await browser.get(NEW))).toEqual(made);
    house.time.pass({ minutes: 11 });
    await browser.get(NEW);
    await browser.submit('/otp', { otp: otpOf(employee) });
    expect((await browser.get('/account/recovery-codes/new.txt')).status).toBe(404);
  });

  it('are saved as a file with a fresh factor: else a code is asked for, and the page follows, no file', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    const made = await renew(browser);
    expect(browser.shown.html).toContain(`href="${NEW}.txt">`);
    house.time.pass({ minutes: 6 });
    const asked = await browser.follow(`${NEW}.txt`);
    expect(asked).toMatchObject({ status: 200, page: 'sign-in/otp' });
    expect(asked.headers.get('content-disposition')).toBeNull();
    const back = await browser.submit('/otp', { otp: otpOf(employee) });
    expect([back.url.pathname, codesOn(back)]).toEqual([NEW, made]);
    expect((await browser.follow(`${NEW}.txt`)).headers.get('content-disposition')).toContain('attachment');
  });

  it('are not shown any more once an officer has reset the account', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    expect(await renew(browser)).toHaveLength(10);
    await house.services.db.transaction((tx) => house.services.devices.endAll(tx, employee.id, 'helpdesk_reset'));
    expect(codesOn(await browser.get(NEW))).toEqual([]);
  });

  it('asked for sixteen times at once are one set, and every answer leads to it (R-74)', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee);
    await browser.get(RENEW);
    const { path, csrf } = formOn(browser, RENEW);
    const answers = await Promise.all(Array.from({ length: 16 }, () => browser.post(path, { csrf })));
    const told = new Set(answers.map(({ status, headers }) => `${status} ${headers.get('location') ?? ''}`));
    expect([...told]).toEqual([`303 ${NEW}`]);
    expect(await sets(employee)).toEqual({ made: 1, living: 1 });
    expect(codesOn(await browser.get(NEW))).toHaveLength(10);
  });
});

describe('a recovery code at sign-in', () => {
  it('typed in sixteen browsers at once opens one (R-05)', async () => {
    const employee = await house.somebody();
    const [code = ''] = await giveCodes(employee);
    const browsers = Array.from({ length: 16 }, () => house.browser());
    for (const browser of browsers) await house.toOtp(browser, employee);
    const shown = await Promise.all(browsers.map((each) => each.submit('/recovery-code', { recovery_code: code })));
    expect(shown.filter(({ url }) => house.codeOf(url) !== undefined)).toHaveLength(1);
    const refused = shown.filter(({ url }) => house.codeOf(url) === undefined).flatMap(({ errors }) => errors);
    expect(new Set(refused)).toEqual(new Set(['otp_invalid', 'throttled']));
    const [row] = await house.services.db.query(
      `SELECT count(*)::integer AS spent FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id
        WHERE s.account_id = $1 AND c.spent_at IS NOT NULL`,
      [employee.id],
    );
    expect(row?.spent).toBe(1);
  });

  it('tells the owner when three or fewer are left, in the language of the browser', async () => {
    const employee = await house.somebody();
    const codes = await giveCodes(employee, 5);
    const before = house.site.mailbox.mails.length;
    expect(house.codeOf((await logInWith(employee, codes[0] ?? '')).url)).toBeDefined();
    house.time.pass({ minutes: 2 });
    const mail = await house.mailOf(employee, () => logInWith(employee, codes[1] ?? ''));
    expect(mail.subject).toContain('Buat kode pemulihan');
    expect(mail.text).toContain('sisanya 3');
    expect(house.site.mailbox.mails.slice(before).filter(({ to }) => to.includes(employee.email))).toHaveLength(1);
  });

  it('of the old set does not live beside the new one: of a login and a renewal at once, both can be', async () => {
    for (let round = 0; round < 3; round += 1) {
      const employee = await house.somebody();
      const codes = await giveCodes(employee);
      const browser = await house.enter(employee);
      await browser.get(RENEW);
      const { path, csrf } = formOn(browser, RENEW);
      const login = house.browser();
      await house.toOtp(login, employee);
      const [renewed] = await Promise.all([
        browser.post(path, { csrf }),
        login.submit('/recovery-code', { recovery_code: codes[0] ?? '' }),
      ]);
      expect([303, 503]).toContain(renewed.status);
      if (renewed.status === 503) continue;
      // Whoever came first: now no old code opens anything, and the login that used one has ended.
      expect((await logInWith(employee, codes[1] ?? '')).errors).toEqual(['otp_invalid']);
      expect(await sets(employee)).toEqual({ made: 2, living: 1 });
    }
  });
});
