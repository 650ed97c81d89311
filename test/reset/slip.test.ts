import type { AccountId } from '#src/kernel/ids.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { addEmployees, PASSWORD, type Employee, type NewEmployees } from '../support/employees.js';
import { CAPTCHA } from '../support/site.js';
import { totp } from '../support/totp.js';
import { openHouse, PLAIN, type House } from '../sign-in/house.js';

/** The first password by a slip on paper (docs/adr/0023). */
let house: House;
let officerId: AccountId;
beforeAll(async () => {
  house = await openHouse();
  officerId = (await somebody('enrolled')).id;
});
afterAll(() => house.close());

async function somebody(state: NewEmployees['state'] = 'new'): Promise<Employee> {
  const [one] = await addEmployees(house.services, { count: 1, state });
  if (one === undefined) throw new Error('nobody was added');
  return one;
}
async function issue({ id }: Employee): Promise<string | undefined> {
  const { db, activationSlips: slips } = house.services;
  const made = await db.transaction((tx) => slips.issue(tx, { accountId: id, by: { officerId } }));
  return made && slips.codeOf(made.slipId);
}
async function withSlip(): Promise<{ employee: Employee; code: string }> {
  const employee = await somebody();
  return { employee, code: (await issue(employee)) ?? 'no slip' };
}
async function typeSlip(browser: Person, { nip }: { nip: string }, slip: string, captcha = CAPTCHA): Promise<Shown> {
  await browser.get('/aktivasi');
  return browser.submit('/aktivasi', { username: nip, slip, captcha });
}
const typePassword = (browser: Person, password = PASSWORD, confirmation = password): Promise<Shown> =>
  browser.submit('/aktivasi/password', { new_password: password, confirm_password: confirmation });
const sql = (text: string, { id }: Employee) => house.services.db.query(text, [id]);
const trailOf = async (employee: Employee): Promise<readonly string[]> =>
  (
    await sql(
      `SELECT concat_ws(' ', type, detail->>'cause', detail->>'by') AS line FROM audit_events
        WHERE account_id = $1 ORDER BY id`,
      employee,
    )
  ).map(({ line }) => line as string);

describe('a slip', () => {
  it('makes the first password, and stands for the mailbox at the enrolment that follows', async () => {
    const { employee, code } = await withSlip();
    const browser = house.browser();
    expect((await typeSlip(browser, employee, code)).page).toBe('activate/password');
    const mail = await house.mailOf(employee, () => typePassword(browser));
    expect(mail.subject).toContain('assword');
    expect([browser.shown.page, browser.shown.html.includes('belum terdaftar')]).toEqual(['activate/done', false]);

    await house.begin(browser, PLAIN);
    const enrol = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(enrol.page).toBe('sign-in/enrol');
    const otp = totp(attribute(enrol.html, 'data-secret') ?? '', house.time.now());
    expect((await browser.submit('/enrol', { otp, device_name: 'Ponsel' })).page).toBe('sign-in/recovery-codes');
    expect(await trailOf(employee)).toEqual([
      'slip.issued',
      'slip.accepted',
      'password.changed activation',
      'account.activated',
      'sign_in.password_accepted',
      'sign_in.mailbox_proved reset',
      'device.enrolled',
      'recovery_codes.issued',
    ]);
  });

  it('proves no address: what is on file stays unproved', async () => {
    const { employee, code } = await withSlip();
    const browser = house.browser();
    await typeSlip(browser, employee, code);
    await typePassword(browser);
    const [row] = await sql('SELECT email_unproved FROM accounts WHERE id = $1', employee);
    expect(row?.email_unproved).toBe(true);
  });

  it('invites who has no address to add one', async () => {
    const { employee, code } = await withSlip();
    await sql('UPDATE accounts SET email = NULL WHERE id = $1', employee);
    const browser = house.browser();
    await typeSlip(browser, employee, code);
    expect((await typePassword(browser)).html).toContain('E-mail Anda belum terdaftar');
  });

  it('is read as people write: small letters, spaces, O for 0 and I or L for 1', async () => {
    const { employee, code } = await withSlip();
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    const written = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
    expect((await typeSlip(house.browser(), employee, written)).page).toBe('activate/password');
  });

  it('stands nowhere in the database', async () => {
    const { employee, code } = await withSlip();
    const rows = await sql('SELECT * FROM activation_slips WHERE account_id = $1', employee);
    expect(JSON.stringify(rows)).not.toMatch(new RegExp(code.replaceAll('-', '-?')));
    expect(Object.keys(rows[0] ?? {})).not.toContain('code_digest');
  });

  it('is used by one of eight browsers that have its code, at once', async () => {
    const { employee, code } = await withSlip();
    const browsers = Array.from({ length: 8 }, () => house.browser());
    for (const browser of browsers) await typeSlip(browser, employee, code);
    // The last one to type it has the passage; a double tap of that one finds it done.
    const last = browsers.at(-1);
    if (last === undefined) throw new Error('nobody');
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(last.shown.html)?.[0] ?? '', 'value') ?? '';
    const fields = { csrf, new_password: PASSWORD, confirm_password: PASSWORD };
    const answers = await Promise.all([
      ...browsers.slice(0, -1).map((browser) => typePassword(browser)),
      ...[1, 2, 3].map(() => last.post('/aktivasi/password', fields)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 7 }, () => 410), 303, 303, 303]);
    expect((await trailOf(employee)).filter((line) => line === 'account.activated')).toHaveLength(1);
  });

  it('is right again after a refused password, and only in the browser that typed it', async () => {
    const { employee, code } = await withSlip();
    const browser = house.browser();
    await typeSlip(browser, employee, code);
    expect((await typePassword(browser, 'rahasia1')).errors).toContain('password_policy');
    expect((await typePassword(browser, PASSWORD, `${PASSWORD}x`)).errors).toContain('confirmation_mismatch');
    const stranger = house.browser();
    await stranger.get('/aktivasi');
    for (const [key, value] of browser.cookies) if (key.startsWith('slip')) stranger.cookies.set(key, value);
    expect((await stranger.get('/aktivasi/password')).status).toBe(410);
    expect((await typePassword(browser)).page).toBe('activate/done');
    expect((await browser.get('/aktivasi/password')).page).toBe('activate/done');
  });

  it('keeps the way to the password open for half an hour', async () => {
    const { employee, code } = await withSlip();
    const browser = house.browser();
    await typeSlip(browser, employee, code);
    house.time.pass({ minutes: 30 });
    expect((await typePassword(browser)).page).toBe('expired');
    expect((await typeSlip(browser, employee, code)).page).toBe('activate/password');
  });

  const ENDINGS: readonly (readonly [string, (employee: Employee) => unknown])[] = [
    ['a newer one was made', (employee) => issue(employee)],
    [
      'thirty days have passed',
      () => {
        house.time.pass({ hours: 30 * 24 });
      },
    ],
    [
      'the account was frozen, and opened again',
      async ({ id: accountId }) => {
        await house.services.freezing.byOperator({ accountId, reason: 'dilaporkan' });
        await house.services.freezing.lift({ accountId, reason: 'diperiksa' });
      },
    ],
    [
      'the person has left',
      (employee) => sql(`UPDATE accounts SET status = 'inactive', cred_epoch = cred_epoch + 1 WHERE id = $1`, employee),
    ],
    [
      'the account was activated by mail',
      async ({ nip, email }) => {
        const browser = house.browser();
        await browser.get('/reset/password');
        await browser.submit('/reset/password', { username: nip, captcha: CAPTCHA });
        const code = await house.codeFor({ email }, () => browser.submit('/reset/password/email', { email }));
        const typed = { code, new_password: PASSWORD, confirm_password: PASSWORD };
        expect((await browser.submit('/reset/password/code', typed)).page).toBe('reset/password/done');
      },
    ],
  ];
  it.each(ENDINGS)('is void when %s, also on the way to the password', async (_, end) => {
    const { employee, code } = await withSlip();
    const browser = house.browser();
    await typeSlip(browser, employee, code);
    await end(employee);
    expect((await typePassword(browser, 'Gajah Merah 8 tidur-pulas')).page).toBe('expired');
    expect((await typeSlip(house.browser(), employee, code)).errors).toEqual(['code_invalid']);
  });

  it('is made for nobody who has a password, is frozen or has left', async () => {
    expect(await issue(await somebody('password'))).toBeUndefined();
    for (const change of ['frozen_at = created_at', `status = 'inactive'`]) {
      const employee = await somebody();
      await sql(`UPDATE accounts SET ${change} WHERE id = $1`, employee);
      expect(await issue(employee)).toBeUndefined();
    }
  });

  it('of an account is one, however many officers make one at once', async () => {
    const employee = await somebody();
    const codes = await Promise.all(Array.from({ length: 8 }, () => issue(employee)));
    const right: string[] = [];
    for (const code of codes) {
      const shown = await typeSlip(house.browser(), employee, code ?? '');
      if (shown.page === 'activate/password') right.push(code ?? '');
    }
    expect(right).toHaveLength(1);
    expect((await trailOf(employee)).filter((line) => line === 'slip.voided replaced')).toHaveLength(7);
  });
});

describe('a wrong code', () => {
  it('is answered as an unknown NIP is, and as one without a slip', async () => {
    const { employee, code } = await withSlip();
    const wrong = code.startsWith('A') ? code.replace('A', 'B') : code.replace(/^./, 'A');
    const bare = await somebody();
    const active = await somebody('password');
    const answers = [];
    for (const nip of [employee.nip, bare.nip, active.nip, '197003142010011777', 'bukan nip']) {
      const shown = await typeSlip(house.browser(), { nip }, wrong);
      const html = shown.html
        .replaceAll(nip, 'NIP')
        .replace(/captcha\/[\w-]+/g, 'captcha/ID')
        .replace(/name="csrf"[^>]*/g, '')
        .replace(/data-request-id="[^"]*"|[0-9A-Z]{26}/g, '');
      answers.push({ status: shown.status, errors: shown.errors, html });
    }
    expect(answers[0]).toMatchObject({ status: 422, errors: ['code_invalid'] });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('is not looked at without the right captcha, and what was typed stays', async () => {
    const { employee, code } = await withSlip();
    const shown = await typeSlip(house.browser(), employee, code, 'salah');
    expect(shown.errors).toEqual(['captcha_wrong']);
    expect(shown.html).toContain(`value="${code}"`);
    expect(await trailOf(employee)).toEqual(['slip.issued']);
  });

  it('makes who types it wait, at that address alone', async () => {
    const { employee, code } = await withSlip();
    const stranger = house.browser();
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await typeSlip(stranger, employee, 'AAAA-AAAA-AAAA-AAAA')).errors).toEqual(['code_invalid']);
    }
    const waiting = await typeSlip(stranger, employee, 'AAAA-AAAA-AAAA-AAAA');
    expect([waiting.status, waiting.errors]).toEqual([429, ['throttled']]);
    expect((await typeSlip(house.browser(), employee, code)).page).toBe('activate/password');
    house.time.pass({ seconds: 30 });
    expect((await typeSlip(stranger, employee, code)).page).toBe('activate/password');
  });

  it('is one of 300 an hour from one address, whatever names are tried', async () => {
    const { employee, code } = await withSlip();
    const headers = { 'x-forwarded-for': '10.77.1.9' };
    const browser = house.browser(headers);
    await typeSlip(browser, employee, 'AAAA-AAAA-AAAA-AAAA');
    const { keyed, db } = house.services;
    await db.query(
      `UPDATE quotas SET recent = array_fill(recent[1], ARRAY[300]) WHERE scope = 'slip-address' AND key = $1`,
      [keyed('slip address', '10.77.1.9')],
    );
    expect((await typeSlip(browser, employee, code)).errors).toEqual(['throttled']);
    expect((await typeSlip(house.browser(), employee, code)).page).toBe('activate/password');
  });
});
