import { addPerson } from '../accounts/people.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, attributes, type Person, type Shown } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { eventually } from '../support/processes.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from '../sign-in/house.js';

let house: House;
let enrolled: Employee[];
let fresh: Employee[];
beforeAll(async () => {
  house = await openHouse();
  enrolled = await addEmployees(house.services, { count: 17, state: 'enrolled' });
  fresh = await addEmployees(house.services, { count: 30, state: 'new' });
});
afterAll(() => house.close());

const NEW = 'Gajah Merah 8 tidur-pulas';

function take(people: Employee[]): Employee {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
}

async function started(browser: Person, username: string): Promise<Shown> {
  await browser.get('/reset/password');
  return browser.submit('/reset/password', { username, captcha: CAPTCHA });
}
/** To the last page, with the code that was mailed. */
async function mailed(browser: Person, employee: Employee): Promise<string> {
  await started(browser, employee.nip);
  return house.codeFor(employee, async () => {
    expect((await browser.submit('/reset/password/email', { email: employee.email })).page).toBe('reset/password/code');
  });
}
const finish = (browser: Person, code: string, more: Record<string, string> = {}): Promise<Shown> =>
  browser.submit('/reset/password/code', { code, new_password: NEW, confirm_password: NEW, otp: '', ...more });
const formOf = ({ shown: { html } }: Person, action: string) => ({
  path: new RegExp(`action="([^"]*${action})"`).exec(html)?.[1] ?? '',
  csrf: attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '',
});
const lasting = ({ html }: Shown, typed: string): string =>
  html
    .replaceAll(typed, 'TYPED')
    .replaceAll(/csrf" value="[^"]*"|\/captcha\/[\w-]+/g, '')
    .replaceAll(/data-email-hint="[^"]*"|>.•••••@.•••••</g, 'HINT');

describe('the first page', () => {
  it('gives another picture for what is typed, and keeps the name', async () => {
    const browser = house.browser();
    const { html } = await browser.get('/reset/password');
    const captcha = /\/captcha\/[\w-]+\.png/.exec(html)?.[0] ?? 'none';
    expect(html).toContain('formaction="/reset/password/picture"');
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    const shown = await browser.post('/reset/password/picture', { csrf, username: '198001012010015999', captcha: 'x' });
    expect(shown).toMatchObject({ status: 200, page: 'reset/password/start', errors: [] });
    expect(shown.html).toContain('value="198001012010015999"');
    expect(shown.html).not.toContain(captcha);
  });

  it('wants the captcha in its own case, and shows a new one with the name kept', async () => {
    const { nip } = take(fresh);
    const browser = house.browser();
    const first = await browser.get('/reset/password');
    const image = /src="(\/captcha\/[\w-]+\.png)"/.exec(first.html)?.[1] ?? '';
    const shown = await browser.submit('/reset/password', { username: nip, captcha: CAPTCHA.toLowerCase() });
    expect(shown).toMatchObject({ status: 422, page: 'reset/password/start', errors: ['captcha_wrong'] });
    expect(shown.html).toContain(`value="${nip}"`);
    expect(shown.html).not.toContain(image);
    expect((await browser.get(image)).status).toBe(404);
  });

  it('wants a name', async () => {
    const browser = house.browser();
    const shown = await started(browser, '  ');
    expect(shown).toMatchObject({ status: 422, page: 'reset/password/start', errors: ['invalid_input'] });
    expect(attribute(shown.html, 'data-field')).toBe('username');
  });

  it('leads everybody to the same page, whoever they are or are not (R-19)', async () => {
    const { db } = house.services;
    await addPerson(db, '198001012010013901', { status: 'inactive' });
    const noMail = await addPerson(db, '198001012010013902');
    await db.query('UPDATE accounts SET email = NULL WHERE id = $1', [noMail]);
    const names = [
      take(fresh).nip,
      take(enrolled).nip,
      '198001012010013901',
      '198001012010013902',
      '198001012010013999',
      'tidak.ada',
      'bukan nama',
    ];
    const pages = new Set<string>();
    const hints = new Set<string>();
    for (const name of names) {
      const browser = house.browser();
      const shown = await started(browser, name);
      pages.add(`${shown.status} ${lasting(shown, name)}`);
      const hint = attribute(shown.html, 'data-email-hint') ?? '';
      expect(hint).toMatch(/^[a-z0-9_]•••••@[a-z0-9]•••••$/u);
      hints.add(hint);
      const next = await browser.submit('/reset/password/email', { email: 'siapa@contoh.example' });
      pages.add(`${next.status} ${lasting(next, name)}`);
      const last = await finish(browser, 'AAAAA-AAAAA');
      pages.add(`${last.status} ${last.errors.join()} ${lasting(last, name)}`);
    }
    expect(pages.size).toBe(3);
    // The same name has the same hint tomorrow.
    const again = await started(house.browser(), '198001012010013999');
    expect(hints).toContain(attribute(again.html, 'data-email-hint'));
  });

  it('knows the name however it is typed', async () => {
    const employee = take(fresh);
    const { nip } = employee;
    const browser = house.browser();
    await started(browser, Array.from(nip, (digit) => String.fromCodePoint(0xff10 + Number(digit))).join(''));
    const email = ` ${employee.email.toUpperCase()} `;
    expect(await house.codeFor(employee, () => browser.submit('/reset/password/email', { email }))).not.toBe('');
  });
});

describe('the page of the address', () => {
  it('wants one, and keeps what was typed', async () => {
    const browser = house.browser();
    await started(browser, take(fresh).nip);
    const shown = await browser.submit('/reset/password/email', { email: ' ' });
    expect(shown).toMatchObject({ status: 422, page: 'reset/password/email', errors: ['invalid_input'] });
  });

  it.each([
    ['frozen', 'frozen_at = created_at', 'RESET SSO ASN: akun Anda dibekukan', 'Datanglah ke kantor kepegawaian'],
    ['inactive', `status = 'inactive'`, 'RESET SSO ASN: akun Anda tidak aktif', 'tidak aktif menurut data kepegawaian'],
  ])('of an account that is %s is told why there is no code; the pages say the same (R-19)', async (...given) => {
    const [, change, subject, said] = given;
    const employee = take(enrolled);
    const [browser, before] = [house.browser(), house.browser()];
    const hint = attribute((await started(before, employee.nip)).html, 'data-email-hint');
    await house.services.db.query(`UPDATE accounts SET ${change} WHERE id = $1`, [employee.id]);
    // A mask that changed would tell.
    expect(attribute((await started(browser, employee.nip)).html, 'data-email-hint')).toBe(hint);
    const mail = await house.mailOf(employee, async () => {
      const shown = await browser.submit('/reset/password/email', { email: employee.email });
      expect(shown).toMatchObject({ status: 200, page: 'reset/password/code', errors: [] });
    });
    expect(mail.subject).toBe(subject);
    expect(mail.text).toContain(said);
    expect(mail.text).not.toMatch(/https?:|[0-9A-Z]{5}-[0-9A-Z]{5}/);
    const mails = (): number => house.site.mailbox.mails.filter(({ to }) => to.includes(employee.email)).length;
    const sent = mails();
    expect(await finish(browser, 'AAAAA-AAAAA')).toMatchObject({ status: 422, errors: ['code_invalid'] });
    // As often as a code, and no oftener: whoever knows the address cannot fill the mailbox.
    const statuses: number[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await browser.get('/reset/password/email');
      statuses.push((await browser.submit('/reset/password/email', { email: employee.email })).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
    await eventually('the mails that were left', () => mails() === sent + 2);
  });

  it('mails nothing for a wrong one and says the same (R-19)', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    await started(browser, employee.nip);
    const before = house.site.mailbox.mails.length;
    const shown = await browser.submit('/reset/password/email', { email: `x${employee.email}` });
    expect(shown).toMatchObject({ status: 200, page: 'reset/password/code', errors: [] });
    await house.codeFor(employee, async () => {
      await browser.get('/reset/password/email');
      await browser.submit('/reset/password/email', { email: employee.email });
    });
    expect(house.site.mailbox.mails.length).toBe(before + 1);
  });

  it('lets three mails an hour out to one source, and says when the next may be asked for (R-23)', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    await mailed(browser, employee);
    await house.codeFor(employee, () => browser.submit('/reset/password/resend'));
    await house.codeFor(employee, () => browser.submit('/reset/password/resend'));
    const shown = await browser.submit('/reset/password/resend');
    expect(shown).toMatchObject({ status: 429, page: 'reset/password/code', errors: ['throttled'] });
    expect(Number(shown.headers.get('retry-after'))).toBeGreaterThan(3_500);
    const email = await browser.get('/reset/password/email');
    expect(email.page).toBe('reset/password/email');
    const again = await browser.submit('/reset/password/email', { email: employee.email });
    expect(again).toMatchObject({ status: 429, page: 'reset/password/email', errors: ['throttled'] });
    expect(again.html).toContain(employee.email);
  });

  it('gives the places back to who types the code (R-23)', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    for (let time = 1; time <= 4; time += 1) {
      const password = `Angsa Biru ${time} terbang-jauh`;
      const code = await mailed(browser, employee);
      const done = await finish(browser, code, { new_password: password, confirm_password: password });
      expect(done.page).toBe('reset/password/done');
    }
  });
});

describe('the page of the code', () => {
  it('is not reached by address: each step leads to the one that is due', async () => {
    const browser = house.browser();
    await browser.get('/reset/password');
    expect(await browser.get('/reset/password/code')).toMatchObject({ status: 410, page: 'expired' });
    expect(await browser.get('/reset/password/done')).toMatchObject({ status: 410, page: 'expired' });
    await started(browser, take(fresh).nip);
    expect((await browser.get('/reset/password/code')).page).toBe('reset/password/email');
    expect((await browser.get('/reset/password/done')).page).toBe('reset/password/email');
    const { csrf } = formOf(browser, '/email');
    const early = await browser.post('/reset/password/code', { csrf, code: 'AAAAA-AAAAA', new_password: NEW });
    expect(early).toMatchObject({ status: 410, page: 'expired' });
  });

  it('refuses fields that it does not have (R-01, A37)', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    for (const field of ['username', 'nip', 'account_id', 'email', 'state']) {
      const shown = await finish(browser, code, { [field]: 'x' });
      expect(shown).toMatchObject({ status: 400, page: 'error', errors: ['invalid_input'] });
      await browser.get('/reset/password/code');
    }
  });

  it('counts wrong codes; the fifth ends the reset, and a new one starts anew', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    for (let time = 1; time <= 4; time += 1) {
      const shown = await finish(browser, 'AAAAA-AAAAA');
      expect(shown).toMatchObject({ status: 422, page: 'reset/password/code', errors: ['code_invalid'] });
      expect(shown.html).not.toContain(NEW);
    }
    const fifth = await finish(browser, 'AAAAA-AAAAA');
    expect(fifth).toMatchObject({ status: 410, page: 'expired', errors: ['flow_expired'] });
    expect(fifth.html).toContain('href="/reset"');
    expect((await browser.get('/reset/password/code')).status).toBe(410);
    expect((await finish(browser, await mailed(browser, employee))).page).toBe('reset/password/done');
    expect(code).not.toBe('');
  });

  it('tells each rule a password breaks, and keeps the code, which need not be typed again', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    const weak = await finish(browser, code, { new_password: 'kuda', confirm_password: 'kuda' });
    expect(weak).toMatchObject({ status: 422, page: 'reset/password/code', errors: ['password_policy'] });
    expect(attributes(weak.html, 'data-rule')).toEqual(expect.arrayContaining(['length', 'case', 'digit', 'symbol']));
    expect(/<input[^>]*name="code"[^>]*>/.exec(weak.html)?.[0]).not.toContain('required');
    const differ = await finish(browser, '', { confirm_password: `${NEW}!` });
    expect(differ).toMatchObject({ status: 422, errors: ['confirmation_mismatch'] });
    // Five refused passwords are no wrong codes.
    for (let time = 1; time <= 5; time += 1) {
      expect((await finish(browser, '', { confirm_password: `${time}` })).errors).toEqual(['confirmation_mismatch']);
    }
    expect((await finish(browser, '')).page).toBe('reset/password/done');
  });

  it('says nothing of the person before the code is right', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    const own = `Nip-${employee.nip}`;
    const before = await finish(browser, 'AAAAA-AAAAA', { new_password: own, confirm_password: own });
    expect(before.errors).toEqual(['code_invalid']);
    const after = await finish(browser, code, { new_password: own, confirm_password: own });
    expect(after.errors).toEqual(['password_policy']);
  });

  it('asks for the code of the phone where MFA is active, and only that opens (R-09)', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    expect(await finish(browser, code)).toMatchObject({ status: 422, errors: ['otp_required'] });
    const wrong = await finish(browser, '', { otp: wrongFor(shownAt(employee, house.time.now())) });
    expect(wrong).toMatchObject({ status: 422, page: 'reset/password/code', errors: ['otp_invalid'] });
    expect((await finish(browser, '', { otp: otpOf(employee) })).page).toBe('reset/password/done');
    // The code is used, here as well as there.
    const other = house.browser();
    await house.begin(other);
    await other.submit('/password', { username: employee.nip, password: NEW });
    expect((await other.submit('/otp', { otp: otpOf(employee) })).errors).toEqual(['otp_reused']);
  });

  it('counts wrong codes of the phone with those of the login: five together (R-07, A13)', async () => {
    const employee = take(enrolled);
    const login = house.browser();
    await house.toOtp(login, employee);
    for (let turn = 1; turn <= 2; turn += 1) await login.submit('/otp', { otp: `00000${turn}` });
    const browser = house.browser();
    const code = await mailed(browser, employee);
    for (let turn = 3; turn <= 5; turn += 1) await finish(browser, code, { otp: `00000${turn}` });
    const shown = await finish(browser, code, { otp: otpOf(employee) });
    expect(shown).toMatchObject({ status: 429, page: 'reset/password/code', errors: ['throttled'] });
    expect(shown.headers.get('retry-after')).toBe('900');
    expect((await login.submit('/otp', { otp: otpOf(employee) })).status).toBe(429);
    house.time.pass({ minutes: 15 });
    expect((await finish(browser, await mailed(browser, employee), { otp: otpOf(employee) })).page).toBe(
      'reset/password/done',
    );
  });

  it('tells a wrong clock at the second code', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    const ahead = (): string => shownAt(employee, new Date(house.time.now().getTime() + 60 * 60_000));
    expect((await finish(browser, code, { otp: ahead() })).errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 31 });
    const second = await finish(browser, '', { otp: ahead() });
    expect(second).toMatchObject({ status: 422, errors: ['clock_drift'] });
    expect(attribute(second.html, 'data-drift-minutes')).toBe('60');
  });

  it('is answered alike when it is sent twice (R-74)', async () => {
    for (const wait of [0, 5, 30, 60]) {
      const browser = house.browser();
      const code = await mailed(browser, take(fresh));
      const { path, csrf } = formOf(browser, '/reset/password/code');
      const send = () => browser.post(path, { csrf, code, new_password: NEW, confirm_password: NEW, otp: '' });
      const first = send();
      await new Promise((resolve) => setTimeout(resolve, wait));
      for (const answer of [await send(), await first, await send()]) {
        expect(answer.status).toBe(303);
        expect(answer.headers.get('location')).toBe('/reset/password/done');
      }
    }
  });

  it('is over an hour after the start', async () => {
    const browser = house.browser();
    const code = await mailed(browser, take(fresh));
    house.time.pass({ minutes: 60 });
    expect(await finish(browser, code)).toMatchObject({ status: 410, page: 'expired' });
  });
});

describe('the mailbox alone', () => {
  it('never yields both factors, not even by typing wrong codes until the authenticator ends (R-09)', async () => {
    const employee = take(enrolled);
    for (let spell = 1; spell <= 10; spell += 1) {
      house.time.pass({ minutes: 61 });
      const browser = house.browser();
      const code = await mailed(browser, employee);
      for (let turn = 0; turn < 5; turn += 1) await finish(browser, code, { otp: `${spell}${turn}0000`.slice(-6) });
    }
    house.time.pass({ minutes: 61 });
    const browser = house.browser();
    await finish(browser, await mailed(browser, employee));
    await house.begin(browser);
    const shown = await browser.submit('/password', { username: employee.nip, password: NEW });
    expect(shown.page).not.toBe('sign-in/enrol');
  });

  it('cannot bring the authenticator so near its end that two slips of its owner finish it (R-07, R-09)', async () => {
    const employee = take(enrolled);
    const guessed: number[] = [];
    for (let spell = 1; spell <= 8; spell += 1) {
      house.time.pass({ minutes: 61 });
      const browser = house.browser();
      const code = await mailed(browser, employee);
      for (let turn = 0; turn < 5; turn += 1) {
        guessed.push((await finish(browser, code, { otp: `${spell}${turn}0000`.slice(-6) })).status);
      }
    }
    // Half of the fifty are for who typed the password.
    expect(guessed.filter((status) => status === 422)).toHaveLength(25);
    house.time.pass({ minutes: 61 });
    const owner = house.browser();
    await house.toOtp(owner, employee);
    for (let turn = 1; turn <= 2; turn += 1) await owner.submit('/otp', { otp: `00000${turn}` });
    house.time.pass({ minutes: 61 });
    const again = house.browser();
    await house.toOtp(again, employee);
    expect(house.codeOf((await again.submit('/otp', { otp: otpOf(employee) })).url)).toBeDefined();
  });

  it('that was the account’s before is worth nothing (R-24)', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    await house.services.db.query(`UPDATE accounts SET email = 'baru@contoh.example' WHERE id = $1`, [employee.id]);
    expect((await finish(browser, code)).errors).toEqual(['code_invalid']);
  });
});

describe('one captcha', () => {
  it('cannot use up the mails of everybody behind one address (R-23, A10)', async () => {
    const count = async (): Promise<number> => {
      const [row] = await house.services.db.query(
        `SELECT coalesce(sum(cardinality(recent)), 0)::integer AS places FROM quotas WHERE scope = 'mail-address'`,
      );
      return row?.places as number;
    };
    const browser = house.browser();
    const before = await count();
    await started(browser, '198001012010013998');
    for (let turn = 0; turn < 12; turn += 1) {
      if (turn > 0) await browser.get('/reset/password/email');
      const shown = await browser.submit('/reset/password/email', { email: `x${turn}@contoh.example` });
      expect(shown).toMatchObject({ status: 200, page: 'reset/password/code' });
    }
    expect((await count()) - before).toBe(5);
  });
});

describe('after a reset', () => {
  it('nobody is signed in, and the login asks for everything (R-09)', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    await house.logIn(browser, employee);
    const other = house.browser();
    const code = await mailed(other, employee);
    house.time.pass({ seconds: 31 });
    const mail = await house.mailOf(employee, () => finish(other, code, { otp: otpOf(employee) }));
    expect(mail.subject).toMatch(/password/i);
    expect((await other.get('/')).page).toBe('front');
    // The session of before is over.
    expect((await house.begin(browser)).shown.page).toBe('sign-in/password');
    expect((await browser.submit('/password', { username: employee.nip, password: PASSWORD })).errors).toEqual([
      'invalid_credentials',
    ]);
    expect((await browser.submit('/password', { username: employee.nip, password: NEW })).page).toBe('sign-in/otp');
  });

  it('a login half done with the old password is over (R-11)', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    await house.toOtp(browser, employee);
    const other = house.browser();
    await finish(other, await mailed(other, employee), { otp: otpOf(employee) });
    house.time.pass({ seconds: 31 });
    expect(await browser.submit('/otp', { otp: otpOf(employee) })).toMatchObject({ status: 410, page: 'expired' });
  });

  it('a first authenticator may be bound in the same browser for a quarter of an hour, once (R-03)', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    await finish(browser, await mailed(browser, employee));
    const stranger = house.browser();
    await house.begin(stranger);
    expect((await stranger.submit('/password', { username: employee.nip, password: NEW })).page).toBe(
      'sign-in/prove-mailbox',
    );
    await house.begin(browser);
    expect((await browser.submit('/password', { username: employee.nip, password: NEW })).page).toBe('sign-in/enrol');
    await house.begin(browser);
    expect((await browser.submit('/password', { username: employee.nip, password: NEW })).page).toBe(
      'sign-in/prove-mailbox',
    );
  });

  it('that ticket is dead after a quarter of an hour', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    await finish(browser, await mailed(browser, employee));
    house.time.pass({ minutes: 15 });
    await house.begin(browser);
    expect((await browser.submit('/password', { username: employee.nip, password: NEW })).page).toBe(
      'sign-in/prove-mailbox',
    );
  });

  it('begun on a login page leads back to the service', async () => {
    const employee = take(enrolled);
    const browser = house.browser();
    const { asking } = await house.begin(browser, PLAIN);
    const menu = await browser.follow('/reset?from=');
    expect(menu.page).toBe('reset/menu');
    const code = await mailed(browser, employee);
    const done = await finish(browser, code, { otp: otpOf(employee) });
    expect(done.page).toBe('reset/password/done');
    expect(done.html).toContain('Layanan plain');
    const login = await browser.follow('/sign-in/');
    expect(login.page).toBe('sign-in/password');
    await browser.submit('/password', { username: employee.nip, password: NEW });
    house.time.pass({ seconds: 31 });
    const claims = await house.claimsAt(await browser.submit('/otp', { otp: otpOf(employee) }), asking);
    expect(claims.sub).toBe(employee.id);
  });

  it('the way does not lead into somebody else’s sign-in', async () => {
    const browser = house.browser();
    const { shown } = await house.begin(house.browser(), PLAIN);
    const uid = shown.url.pathname.split('/')[2] ?? '';
    await browser.get(`/reset?from=${uid}`);
    await finish(browser, await mailed(browser, take(fresh)));
    expect(browser.shown.page).toBe('reset/password/done');
    expect(browser.shown.html).not.toContain('/sign-in/');
  });

  it('goes on when the language is changed in between', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const code = await mailed(browser, employee);
    const english = await browser.follow('lang=en');
    expect(english).toMatchObject({ status: 200, page: 'reset/password/code' });
    expect(english.html).toContain('<html lang="en"');
    expect((await finish(browser, code)).page).toBe('reset/password/done');
  });

  it('two tabs at once end in one change each, the later code counting', async () => {
    const employee = take(fresh);
    const browser = house.browser();
    const first = await mailed(browser, employee);
    const second = await mailed(browser, employee);
    // The cookie is that of the second start.
    expect((await finish(browser, first)).errors).toEqual(['code_invalid']);
    expect((await finish(browser, second)).page).toBe('reset/password/done');
  });
});
