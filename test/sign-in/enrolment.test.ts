import { addPerson } from '../accounts/people.js';
import { setPassword } from '#src/accounts/accounts.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, attributes, type Person } from '../support/person.js';
import { totp } from '../support/totp.js';
import { openHouse, PLAIN, wrongFor, type House } from './house.js';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 30, state: 'password' });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};

/** From the service to the page that asks for the mailed code, which it answers. */
async function atMailbox(browser: Person, employee: Employee): Promise<string> {
  await house.begin(browser);
  return house.codeFor(employee, async () => {
    const shown = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(shown).toMatchObject({ status: 200, page: 'sign-in/prove-mailbox' });
  });
}
/** To the page with the key, which it answers. */
async function atEnrol(browser: Person, employee: Employee): Promise<string> {
  const shown = await browser.submit('/mailbox', { code: await atMailbox(browser, employee) });
  expect(shown).toMatchObject({ status: 200, page: 'sign-in/enrol' });
  return attribute(shown.html, 'data-secret') ?? '';
}
const shownBy = (secret: string): string => totp(secret, house.time.now());
const devicesOf = async ({ id }: Employee): Promise<unknown[]> =>
  (await house.services.db.query('SELECT status FROM devices WHERE account_id = $1', [id])).map(({ status }) => status);
const formOf = ({ shown: { html } }: Person, action: string) => ({
  path: new RegExp(`action="([^"]*/${action})"`).exec(html)?.[1] ?? '',
  csrf: attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '',
});
const post = (browser: Person, { path, csrf }: ReturnType<typeof formOf>, fields: Record<string, string>) =>
  browser.post(`${house.site.origin}${path}`, { csrf, ...fields });

describe('the proof of the mailbox (R-03)', () => {
  it('shows where the code went, masked, and no key before it is typed', async () => {
    const employee = somebody();
    const browser = house.browser();
    const code = await atMailbox(browser, employee);
    expect(attribute(browser.shown.html, 'data-email-hint')).toBe('p•••••@c•••••');
    const page = browser.shown.url.href;
    const early = await browser.get(page.replace('/mailbox', '/enrol'));
    expect(early.page).toBe('sign-in/prove-mailbox');
    expect(early.html).not.toContain('data-secret');
    const shown = await browser.submit('/mailbox', { code: code.toLowerCase().replace('-', ' ') });
    expect(shown.page).toBe('sign-in/enrol');
  });

  it('is worth nothing once the account has another address (R-24)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const code = await atMailbox(browser, employee);
    await house.services.db.query(`UPDATE accounts SET email = 'baru@contoh.example' WHERE id = $1`, [employee.id]);
    const shown = await browser.submit('/mailbox', { code });
    expect(shown).toMatchObject({ page: 'sign-in/prove-mailbox', errors: ['code_invalid'] });
  });

  it('shows no new key while no code is looked at after too many wrong ones', async () => {
    const employee = somebody();
    const browser = house.browser();
    const right = shownBy(await atEnrol(browser, employee));
    for (let turn = 0; turn < 5; turn += 1) {
      await browser.submit('/enrol', {
        otp: String((Number(right) + 500_000 + turn) % 1_000_000).padStart(6, '0'),
        device_name: 'P',
      });
    }
    const again = house.browser();
    const shown = await again.submit('/mailbox', { code: await atMailbox(again, employee) });
    expect(shown).toMatchObject({ status: 429, page: 'sign-in/enrol', errors: ['throttled'] });
    expect(shown.html).not.toContain('data-secret');
  });

  it('counts wrong codes; the fifth ends the sign-in, and the way leads back to the service', async () => {
    const browser = house.browser();
    const code = await atMailbox(browser, somebody());
    for (let time = 1; time <= 4; time += 1) {
      const shown = await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' });
      expect(shown).toMatchObject({ status: 422, page: 'sign-in/prove-mailbox', errors: ['code_invalid'] });
    }
    const form = formOf(browser, 'mailbox');
    const fifth = await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' });
    expect(fifth).toMatchObject({ status: 410, page: 'expired', errors: ['flow_expired'] });
    expect(fifth.html).toContain('href="http://127.0.0.1:9/start"');
    const late = await post(browser, form, { code });
    expect(late.status).toBe(303);
    expect(late.headers.get('location')).toMatch(/^\/sign-in\/[\w-]+$/);
  });

  it('takes the newest code only, and a new one gives no new tries (R-08)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const old = await atMailbox(browser, employee);
    expect((await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' })).errors).toEqual(['code_invalid']);
    const fresh = await house.codeFor(employee, async () => {
      const shown = await browser.submit('/mailbox/resend');
      expect(shown).toMatchObject({ status: 200, page: 'sign-in/prove-mailbox', errors: [] });
    });
    expect(fresh).not.toBe(old);
    expect((await browser.submit('/mailbox', { code: old })).errors).toEqual(['code_invalid']);
    for (let time = 3; time <= 4; time += 1) await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' });
    expect((await browser.submit('/mailbox', { code: fresh })).page).toBe('sign-in/enrol');
  });

  it('is mailed three times an hour to one source, and a GET never mails (R-23)', async () => {
    const employee = somebody();
    const browser = house.browser();
    await atMailbox(browser, employee);
    const before = house.site.mailbox.mails.length;
    await browser.get(browser.shown.url.href);
    await house.codeFor(employee, () => browser.submit('/mailbox/resend'));
    await house.codeFor(employee, () => browser.submit('/mailbox/resend'));
    const shown = await browser.submit('/mailbox/resend');
    expect(shown).toMatchObject({ status: 429, page: 'sign-in/prove-mailbox', errors: ['throttled'] });
    expect(Number(shown.headers.get('retry-after'))).toBeGreaterThan(3_500);
    expect(house.site.mailbox.mails.length).toBe(before + 2);
  });

  it('is not mailed anew to who logs in again within minutes: the code in the mail is the one to type', async () => {
    const employee = somebody();
    const browser = house.browser();
    const code = await atMailbox(browser, employee);
    const before = house.site.mailbox.mails.length;
    for (let login = 1; login <= 4; login += 1) {
      await house.begin(browser);
      const shown = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
      expect(shown).toMatchObject({ status: 200, page: 'sign-in/prove-mailbox', errors: [] });
      expect(shown.html).toContain('Kode yang kami kirim tadi masih berlaku.');
    }
    expect((await browser.submit('/mailbox', { code })).page).toBe('sign-in/enrol');
    expect(house.site.mailbox.mails.length).toBe(before);
  });

  it('is typed once, in one of the sign-ins that share it', async () => {
    const employee = somebody();
    const browser = house.browser();
    const code = await atMailbox(browser, employee);
    const first = formOf(browser, 'mailbox');
    await house.begin(browser);
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    const taps = [post(browser, first, { code }), post(browser, formOf(browser, 'mailbox'), { code })];
    expect((await Promise.all(taps)).map(({ status }) => status).sort()).toEqual([303, 422]);
  });

  it('gives no new tries to who logs in again (R-08)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const code = await atMailbox(browser, employee);
    for (let time = 1; time <= 3; time += 1) await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' });
    await house.begin(browser);
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect((await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' })).errors).toEqual(['code_invalid']);
    expect(await browser.submit('/mailbox', { code: 'AAAAA-AAAAA' })).toMatchObject({ status: 410, page: 'expired' });
    const fresh = await atMailbox(browser, employee);
    expect(fresh).not.toBe(code);
    expect((await browser.submit('/mailbox', { code })).errors).toEqual(['code_invalid']);
    expect((await browser.submit('/mailbox', { code: fresh })).page).toBe('sign-in/enrol');
  });

  it('is mailed anew when the last one is used, nearly over, or went to another address or another browser', async () => {
    const employee = somebody();
    const browser = house.browser();
    const used = await atMailbox(browser, employee);
    await browser.submit('/mailbox', { code: used });
    const second = await atMailbox(browser, employee);
    house.time.pass({ minutes: 11 });
    const third = await atMailbox(browser, employee);
    expect(new Set([used, second, third]).size).toBe(3);
    const other = house.browser();
    await atMailbox(other, employee);
    const email = 'pindah@contoh.example';
    await house.services.db.query('UPDATE accounts SET email = $2 WHERE id = $1', [employee.id, email]);
    const moved = await atMailbox(other, { ...employee, email });
    expect((await other.submit('/mailbox', { code: moved })).page).toBe('sign-in/enrol');
  });

  it('that is nearly over still serves when no more may be mailed; without one the page says what to do', async () => {
    const employee = somebody();
    const browser = house.browser();
    for (let mail = 1; mail <= 3; mail += 1) {
      await atMailbox(browser, employee);
      house.time.pass({ minutes: 11 });
    }
    await house.begin(browser);
    const shown = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(shown).toMatchObject({ status: 200, page: 'sign-in/prove-mailbox', errors: [] });
    house.time.pass({ minutes: 5 });
    await house.begin(browser);
    const refused = await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(refused).toMatchObject({ status: 429, page: 'sign-in/password', errors: ['throttled'] });
    expect(refused.html).toContain('pakai kode dari e-mail terakhir. Bila tidak, coba lagi pukul');
  });

  it('expires after a quarter of an hour', async () => {
    const browser = house.browser();
    const code = await atMailbox(browser, somebody());
    house.time.pass({ minutes: 15 });
    expect((await browser.submit('/mailbox', { code })).errors).toEqual(['code_invalid']);
  });

  it('of one sign-in is none in another one', async () => {
    const employee = somebody();
    const [browser, other] = [house.browser(), house.browser()];
    const code = await atMailbox(browser, employee);
    await atMailbox(other, employee);
    expect((await other.submit('/mailbox', { code })).errors).toEqual(['code_invalid']);
    expect((await browser.submit('/mailbox', { code })).page).toBe('sign-in/enrol');
  });

  it('typed twice at once gets the same answer (R-74)', async () => {
    const browser = house.browser();
    const code = await atMailbox(browser, somebody());
    const form = formOf(browser, 'mailbox');
    const answers = await Promise.all([post(browser, form, { code }), post(browser, form, { code })]);
    for (const answer of answers) {
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toMatch(/\/enrol$/);
    }
  });

  it('is not to be had without an address: the page sends to the personnel office', async () => {
    const { services } = house;
    const nip = '198001012010012901';
    const id = await addPerson(services.db, nip);
    await services.db.query('UPDATE accounts SET email = NULL WHERE id = $1', [id]);
    const passwordHash = await services.passwords.hash(PASSWORD);
    await setPassword(services.db, { accountId: id, passwordHash, now: house.time.now() });
    const browser = house.browser();
    await house.begin(browser);
    const shown = await browser.submit('/password', { username: nip, password: PASSWORD });
    expect(shown).toMatchObject({ status: 200, page: 'sign-in/prove-mailbox' });
    expect(attribute(shown.html, 'data-email-hint')).toBeUndefined();
    expect(shown.html).not.toMatch(/name="code"/);
    expect(shown.html).toContain('BKPSDM');
  });
});

describe('binding the first authenticator', () => {
  it('needs the right code and a name, and keeps what was typed', async () => {
    const employee = somebody();
    const browser = house.browser();
    const secret = await atEnrol(browser, employee);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const link = /href="(otpauth:\/\/totp\/[^"]*)"/.exec(browser.shown.html)?.[1] ?? '';
    expect(link).toContain(`secret=${secret}`);
    expect(decodeURIComponent(link)).not.toContain(employee.nip);

    const nameless = await browser.submit('/enrol', { otp: shownBy(secret), device_name: ' ' });
    expect(nameless).toMatchObject({ status: 422, page: 'sign-in/enrol', errors: ['invalid_input'] });
    expect(attribute(nameless.html, 'data-field')).toBe('device_name');
    const name = 'Ponsel <b>"baru"';
    const wrong = await browser.submit('/enrol', { otp: wrongFor(shownBy(secret)), device_name: name });
    expect(wrong).toMatchObject({ status: 422, page: 'sign-in/enrol', errors: ['otp_invalid'] });
    expect(wrong.html).toContain('value="Ponsel &lt;b&gt;&quot;baru&quot;"');
    expect(attribute(wrong.html, 'data-secret')).toBe(secret);
    expect(await devicesOf(employee)).toEqual(['pending']);

    const codes = await browser.submit('/enrol', { otp: shownBy(secret), device_name: name });
    expect(codes).toMatchObject({ status: 200, page: 'sign-in/recovery-codes' });
    expect(await devicesOf(employee)).toEqual(['active']);
  });

  it('counts as the second factor of this sign-in, and the code as used (A14)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const { asking } = await house.begin(browser);
    const { nip } = employee;
    const code = await house.codeFor(employee, () =>
      browser.submit('/password', { username: nip, password: PASSWORD }),
    );
    const page = await browser.submit('/mailbox', { code });
    employee.secret = attribute(page.html, 'data-secret');
    await browser.submit('/enrol', { otp: otpOf(employee), device_name: 'Ponsel' });
    const unsaved = await browser.submit('/recovery-codes', {});
    expect(unsaved).toMatchObject({ status: 422, page: 'sign-in/recovery-codes', errors: ['invalid_input'] });
    const claims = await house.claimsAt(await browser.submit('/recovery-codes', { saved: 'ya' }), asking);
    expect(claims).toMatchObject({ sub: employee.id, amr: ['pwd', 'otp', 'mfa'], acr: 'urn:asn:aal2' });

    const other = house.browser();
    await house.toOtp(other, employee);
    expect((await other.submit('/otp', { otp: otpOf(employee) })).errors).toEqual(['otp_reused']);
  });

  it('sent twice binds once and gives the same answer (R-74)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const secret = await atEnrol(browser, employee);
    const form = formOf(browser, 'enrol');
    const fields = { otp: shownBy(secret), device_name: 'Ponsel' };
    const answers = await Promise.all([post(browser, form, fields), post(browser, form, fields)]);
    for (const answer of answers) {
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toMatch(/\/recovery-codes$/);
    }
    expect(await devicesOf(employee)).toEqual(['active']);
    const late = await post(browser, form, fields);
    expect(late.headers.get('location')).toMatch(/\/recovery-codes$/);
    const [row] = await house.services.db.query(
      'SELECT count(*)::integer AS sets FROM recovery_code_sets WHERE account_id = $1',
      [employee.id],
    );
    expect(row?.sets).toBe(1);
  });

  it('counts a wrong code once, however often it is sent in a minute (R-74)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const secret = await atEnrol(browser, employee);
    const form = formOf(browser, 'enrol');
    const fields = { otp: wrongFor(shownBy(secret)), device_name: 'Ponsel' };
    for (let time = 1; time <= 6; time += 1) {
      expect(await post(browser, form, fields)).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    }
  });

  it('ends with the sign-in at the fifth wrong code (A13)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const secret = await atEnrol(browser, employee);
    const wrong = (turn: number): string =>
      String((Number(wrongFor(shownBy(secret))) + turn) % 1_000_000).padStart(6, '0');
    for (let turn = 1; turn <= 4; turn += 1) {
      expect((await browser.submit('/enrol', { otp: wrong(turn), device_name: 'P' })).errors).toEqual(['otp_invalid']);
    }
    const form = formOf(browser, 'enrol');
    const fifth = await browser.submit('/enrol', { otp: wrong(5), device_name: 'P' });
    expect(fifth).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(fifth.headers.get('retry-after')).toBe('900');
    house.time.pass({ seconds: 61 });
    const late = await post(browser, form, { otp: shownBy(secret), device_name: 'P' });
    expect(late.status).toBe(303);
    expect(late.headers.get('location')).toMatch(/^\/sign-in\/[\w-]+$/);
    expect(await devicesOf(employee)).toEqual(['pending']);
  });

  it('tells a wrong clock at the second code, as a login does', async () => {
    const browser = house.browser();
    const secret = await atEnrol(browser, somebody());
    const ahead = (): string => totp(secret, new Date(house.time.now().getTime() + 9 * 60_000));
    expect((await browser.submit('/enrol', { otp: ahead(), device_name: 'P' })).errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 31 });
    const second = await browser.submit('/enrol', { otp: ahead(), device_name: 'P' });
    expect(second.errors).toEqual(['clock_drift']);
    expect(attribute(second.html, 'data-drift-minutes')).toBe('9');
    house.time.pass({ seconds: 31 });
    const shown = await browser.submit('/enrol', { otp: shownBy(secret), device_name: 'P' });
    expect(shown.page).toBe('sign-in/recovery-codes');
  });

  it('waits half an hour, no longer', async () => {
    const employee = somebody();
    const browser = house.browser();
    const secret = await atEnrol(browser, employee);
    house.time.pass({ minutes: 30, seconds: 1 });
    const shown = await browser.submit('/enrol', { otp: shownBy(secret), device_name: 'P' });
    expect(shown.page).not.toBe('sign-in/recovery-codes');
    expect(await devicesOf(employee)).toEqual(['pending']);
  });

  it('that was opened and left changes nothing; a new one shows a new key (A19)', async () => {
    const employee = somebody();
    const first = await atEnrol(house.browser(), employee);
    const browser = house.browser();
    const second = await atEnrol(browser, employee);
    expect(second).not.toBe(first);
    const old = await browser.submit('/enrol', { otp: shownBy(first), device_name: 'P' });
    expect(old.errors).toEqual(['otp_invalid']);
    expect((await browser.submit('/enrol', { otp: shownBy(second), device_name: 'P' })).page).toBe(
      'sign-in/recovery-codes',
    );
  });
});

describe('recovery codes', () => {
  /** Somebody who has just enrolled, with the codes they were shown. */
  async function enrolled(): Promise<{ employee: Employee; codes: string[] }> {
    const employee = somebody();
    const browser = house.browser();
    employee.secret = await atEnrol(browser, employee);
    const shown = await browser.submit('/enrol', { otp: otpOf(employee), device_name: 'Ponsel' });
    const codes = attributes(shown.html, 'data-recovery-code');
    expect(codes).toHaveLength(10);
    for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){2}$/);
    const file = await browser.get(`${shown.url.href}.txt`);
    for (const code of codes) expect(file.html).toContain(code);
    await browser.get(shown.url.href);
    await browser.submit('/recovery-codes', { saved: '1' });
    return { employee, codes };
  }

  it('open once each, and say so in the claims', async () => {
    const { employee, codes } = await enrolled();
    const [code = ''] = codes;
    const browser = house.browser();
    const asking = await house.toOtp(browser, employee);
    const wrong = await browser.submit('/recovery-code', { recovery_code: 'AAAAA-AAAAA-AAAAA' });
    expect(wrong).toMatchObject({ status: 422, page: 'sign-in/otp', errors: ['otp_invalid'] });
    const typed = code.toLowerCase().replaceAll('-', ' ');
    const claims = await house.claimsAt(await browser.submit('/recovery-code', { recovery_code: typed }), asking);
    expect(claims).toMatchObject({ amr: ['pwd', 'mfa'], acr: 'urn:asn:aal2' });

    const other = house.browser();
    await house.toOtp(other, employee);
    expect((await other.submit('/recovery-code', { recovery_code: code })).errors).toEqual(['otp_invalid']);
    const { url } = await other.submit('/recovery-code', { recovery_code: codes[1] ?? '' });
    expect(house.codeOf(url)).toBeDefined();
  });

  it('typed by half are asked for again, and not counted', async () => {
    const { employee, codes } = await enrolled();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    const [code = ''] = codes;
    for (let turn = 1; turn <= 6; turn += 1) {
      const half = await browser.submit('/recovery-code', { recovery_code: code.slice(0, -1) });
      expect(half).toMatchObject({ status: 422, page: 'sign-in/otp', errors: ['invalid_input'] });
      expect(attribute(half.html, 'data-field')).toBe('recovery_code');
    }
    expect(house.codeOf((await browser.submit('/recovery-code', { recovery_code: code })).url)).toBeDefined();
  });

  it('count with the codes of the phone when wrong: five together (A13)', async () => {
    const { employee } = await enrolled();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    for (let turn = 1; turn <= 4; turn += 1) {
      const field = turn % 2 === 0 ? { otp: `00000${turn}` } : { recovery_code: `AAAAA-AAAAA-AAAA${turn}` };
      await browser.submit(turn % 2 === 0 ? '/otp' : '/recovery-code', field);
    }
    const fifth = await browser.submit('/recovery-code', { recovery_code: 'BBBBB-BBBBB-BBBBB' });
    expect(fifth).toMatchObject({ status: 429, errors: ['throttled'] });
  });

  it('are shown to the person alone, and once', async () => {
    const { employee, codes } = await enrolled();
    const rows = await house.services.db.query('SELECT * FROM recovery_codes', []);
    expect(JSON.stringify(rows)).not.toContain(codes[0]);
    const browser = house.browser();
    house.time.pass({ seconds: 31 });
    await house.logIn(browser, employee, PLAIN);
    const page = await browser.get(`${house.site.origin}/`);
    expect(page.html).not.toContain(codes[0]);
  });
});
