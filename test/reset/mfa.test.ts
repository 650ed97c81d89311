import { randomUUID } from 'node:crypto';
import { changePassword } from '#src/accounts/accounts.js';
import { secretContext } from '#src/devices/device.js';
import { attemptId, deviceId } from '#src/kernel/ids.js';
import { newSecret } from '#src/mfa/totp.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from '../sign-in/house.js';

let house: House;
let enrolled: Employee[];
beforeAll(async () => {
  house = await openHouse();
  enrolled = await addEmployees(house.services, { count: 50, state: 'enrolled' });
});
afterAll(() => house.close());

const NEW = 'Gajah Merah 8 tidur-pulas';
const DAY = { hours: 24 };

function somebody(): Employee {
  const one = enrolled.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
}

async function start(
  browser: Person,
  way: 'now' | 'wait',
  { nip }: { nip: string },
  more: Record<string, string> = {},
): Promise<Shown> {
  await browser.get(`${house.site.origin}/reset/mfa/${way}`);
  return browser.submit('/reset/mfa/start', { username: nip, password: PASSWORD, captcha: CAPTCHA, ...more });
}

/** A second authenticator, as an employee of its own: same account, another secret. */
async function addDevice(employee: Employee, name: string): Promise<Employee & { device: string }> {
  const { db, devices, box } = house.services;
  const [secret, device] = [newSecret(), deviceId(randomUUID())];
  await db.transaction(async (tx) => {
    const sealedSecret = box.seal(secret, secretContext(device));
    await devices.addPending(tx, {
      id: device,
      accountId: employee.id,
      attempt: attemptId(randomUUID()),
      sealedSecret,
    });
    await devices.confirm(tx, { device, name, step: 1 });
  });
  return { ...employee, secret, lastStep: 0, device };
}

async function giveCodes({ id }: Employee): Promise<readonly string[]> {
  const { db, recoveryCodes } = house.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, id, prepared));
  return prepared.codes;
}

const devicesOf = ({ id }: Employee) =>
  house.services.db.query('SELECT name, status, ended_reason FROM devices WHERE account_id = $1 ORDER BY name', [id]);
const active = async (employee: Employee): Promise<readonly string[]> =>
  (await devicesOf(employee)).filter(({ status }) => status === 'active').map(({ name }) => name as string);
const audited = async ({ id }: Employee, type: string) =>
  (
    await house.services.db.query('SELECT detail FROM audit_events WHERE account_id = $1 AND type = $2 ORDER BY id', [
      id,
      type,
    ])
  ).map(({ detail }) => detail as Record<string, unknown>);
const mailsTo = ({ email }: Employee): readonly string[] =>
  house.site.mailbox.mails.filter(({ to }) => to.includes(email)).map(({ subject }) => subject);

/** As far as a waiting reset: the link that stops it, and the page that says when it is due. */
async function beginWaiting(employee: Employee, browser = house.browser()): Promise<{ stop: string; shown: Shown }> {
  const code = await house.codeFor(employee, () => start(browser, 'wait', employee));
  let shown = browser.shown;
  const { text } = await house.mailOf(employee, async () => {
    shown = await browser.submit('/reset/mfa/code', { code });
    expect(shown).toMatchObject({ status: 200, page: 'reset/mfa/waiting' });
  });
  const stop = /https?:\/\/\S+/.exec(text)?.[0] ?? '';
  expect(stop).toMatch(/^http:\/\/localhost:\d+\/reset\/mfa\/stop\/[0-9A-Z]{26}$/);
  return { stop, shown };
}

/** Types name and password on the login page. */
async function password(browser: Person, { nip }: Employee, typed = PASSWORD): Promise<Shown> {
  await house.begin(browser, PLAIN);
  return browser.submit('/password', { username: nip, password: typed });
}

describe('the first page', () => {
  it('offers both ways, and says where to go and what to bring', async () => {
    const { html } = await house.browser().get('/reset/mfa');
    expect(html).toContain('href="/reset/mfa/now"');
    expect(html).toContain('href="/reset/mfa/wait"');
    expect(html).toContain('24 jam');
    expect(html).toContain('BKPSDM');
    expect(html).toContain('KTP');
  });
});

describe.each(['now', 'wait'] as const)('the page of name and password, %s', (way) => {
  it('answers everybody alike: nobody, wrong, inactive, frozen (R-19)', async () => {
    const { db } = house.services;
    const [inactive, frozen, wrong] = [somebody(), somebody(), somebody()];
    await db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [inactive.id]);
    await db.query('UPDATE accounts SET frozen_at = created_at WHERE id = $1', [frozen.id]);
    const seen = new Set<string>();
    for (const [nip, typed] of [
      ['198001012010015999', PASSWORD],
      ['bukan nama', PASSWORD],
      [wrong.nip, 'Salah Sekali 1 ya'],
      [inactive.nip, PASSWORD],
      [frozen.nip, PASSWORD],
    ] as const) {
      const browser = house.browser();
      const shown = await start(browser, way, { nip }, { password: typed });
      expect(shown).toMatchObject({ status: 422, page: 'reset/mfa/start', errors: ['invalid_credentials'] });
      expect(shown.html).toContain(`value="${nip}"`);
      expect(shown.html).not.toContain(typed);
      seen.add(shown.html.replaceAll(nip, 'NIP').replaceAll(/csrf" value="[^"]*"|\/captcha\/[\w-]+/g, ''));
      expect((await browser.get('/reset/mfa/factor')).status).toBe(410);
      expect((await browser.get('/reset/mfa/code')).status).toBe(410);
    }
    expect(seen.size).toBe(1);
  });

  it('wants the captcha first, once, in its own case (R-22)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const shown = await start(browser, way, employee, { captcha: CAPTCHA.toLowerCase() });
    expect(shown).toMatchObject({ status: 422, page: 'reset/mfa/start', errors: ['captcha_wrong'] });
    expect(await audited(employee, 'sign_in.password_accepted')).toEqual([]);
    const token = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(shown.html)?.[0] ?? '', 'value') ?? '';
    const typed = { csrf: token, way, username: employee.nip, password: PASSWORD, captcha: CAPTCHA };
    const cookies = [...browser.cookies];
    expect((await browser.post('/reset/mfa/start', typed)).status).toBe(303);
    browser.cookies.clear();
    for (const [key, value] of cookies) browser.cookies.set(key, value);
    expect((await browser.post('/reset/mfa/start', typed)).errors).toEqual(['captcha_wrong']);
  });

  it('gives another picture for what is typed, and keeps all but the password', async () => {
    const browser = house.browser();
    const { html } = await browser.get(`/reset/mfa/${way}`);
    const captcha = /\/captcha\/[\w-]+\.png/.exec(html)?.[0] ?? 'none';
    expect(html).toContain('formaction="/reset/mfa/picture"');
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    const typed = { csrf, way, username: '198001012010015999', password: PASSWORD, captcha: 'x' };
    const shown = await browser.post('/reset/mfa/picture', typed);
    expect(shown).toMatchObject({ status: 200, page: 'reset/mfa/start', errors: [] });
    expect(shown.html).toContain('value="198001012010015999"');
    expect(shown.html).toContain(`name="way" value="${way}"`);
    expect(shown.html).not.toContain(PASSWORD);
    expect(shown.html).not.toContain(captcha);
    expect((await browser.post('/reset/mfa/picture', { ...typed, way: 'x' })).status).toBe(400);
  });

  it('shares the limits of the login page (R-20)', async () => {
    const employee = somebody();
    for (let time = 1; time <= 3; time += 1) {
      await start(house.browser(), way, employee, { password: 'Salah Sekali 1 ya' });
    }
    for (let time = 4; time <= 5; time += 1) await password(house.browser(), employee, 'Salah Sekali 1 ya');
    const shown = await start(house.browser(), way, employee);
    expect(shown).toMatchObject({ status: 429, page: 'reset/mfa/start', errors: ['throttled'] });
    house.time.pass({ seconds: 31 });
    expect((await start(house.browser(), way, employee)).status).toBe(200);
  });
});

describe('with a recovery code', () => {
  it('ends every factor at once, with sessions and codes, tells the owner, and signs nobody in', async () => {
    const employee = somebody();
    const codes = await giveCodes(employee);
    await addDevice(employee, 'Tablet');
    const office = house.browser();
    await house.logIn(office, employee, PLAIN);
    const browser = house.browser();
    expect((await start(browser, 'now', employee)).page).toBe('reset/mfa/factor');
    const mail = await house.mailOf(employee, async () => {
      const done = await browser.submit('/reset/mfa/recovery-code', { recovery_code: codes[0] ?? '' });
      expect(done).toMatchObject({ status: 200, page: 'reset/mfa/done' });
      expect(attribute(done.html, 'data-outcome')).toBe('all');
    });
    expect(mail.subject).toBe('MFA SSO ASN Anda sudah direset');
    expect(await active(employee)).toEqual([]);
    expect(await audited(employee, 'self_reset.done')).toEqual([{ devices: 2, by: 'recovery_code' }]);
    expect(await audited(employee, 'device.ended')).toHaveLength(2);
    // Nobody is signed in: not here, and not any more where they were.
    expect((await browser.get('/')).page).toBe('front');
    expect((await house.begin(office, PLAIN)).shown.page).toBe('sign-in/password');
    // Back again: the password alone binds nothing, nor does an old code.
    expect((await password(browser, employee)).page).toBe('sign-in/prove-mailbox');
    const again = house.browser();
    await start(again, 'now', employee);
    const refused = await again.submit('/reset/mfa/recovery-code', { recovery_code: codes[1] ?? '' });
    expect(refused).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['otp_invalid'] });
  });

  it('a double tap is one reset, and both halves hear of it', async () => {
    const employee = somebody();
    const codes = await giveCodes(employee);
    const browser = house.browser();
    const { html } = await start(browser, 'now', employee);
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    const tap = () => browser.post('/reset/mfa/recovery-code', { csrf, recovery_code: codes[0] ?? '' });
    const answers = await Promise.all([tap(), tap()]);
    expect(answers.map(({ headers }) => headers.get('location'))).toEqual(['/reset/mfa/done', '/reset/mfa/done']);
    expect(await audited(employee, 'self_reset.done')).toHaveLength(1);
  });

  it('five wrong ones end the passage; the wait counts everywhere (R-07, A13)', async () => {
    const employee = somebody();
    const codes = await giveCodes(employee);
    const browser = house.browser();
    await start(browser, 'now', employee);
    for (let time = 1; time <= 4; time += 1) {
      const shown = await browser.submit('/reset/mfa/recovery-code', { recovery_code: 'AAAAA-AAAAA-AAAAA' });
      expect(shown).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['otp_invalid'] });
    }
    const fifth = await browser.submit('/reset/mfa/recovery-code', { recovery_code: 'AAAAA-AAAAA-AAAAA' });
    expect(fifth).toMatchObject({ status: 429, page: 'reset/mfa/factor', errors: ['throttled'] });
    expect(fifth.html).not.toContain('<form method="post" action="/reset/mfa');
    expect((await browser.get('/reset/mfa/factor')).status).toBe(410);
    await start(browser, 'now', employee);
    const waiting = await browser.submit('/reset/mfa/recovery-code', { recovery_code: codes[0] ?? '' });
    expect(waiting).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(await active(employee)).toEqual(['Ponsel']);
    house.time.pass({ minutes: 16 });
    await start(browser, 'now', employee);
    const done = await browser.submit('/reset/mfa/recovery-code', { recovery_code: codes[0] ?? '' });
    expect(done.page).toBe('reset/mfa/done');
  });
});

describe('what was left out', () => {
  it('a recovery code typed by half is asked for again, and not counted', async () => {
    const employee = somebody();
    const [code = ''] = await giveCodes(employee);
    const browser = house.browser();
    await start(browser, 'now', employee);
    for (let turn = 1; turn <= 6; turn += 1) {
      const half = await browser.submit('/reset/mfa/recovery-code', { recovery_code: code.slice(0, 11) });
      expect(half).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['invalid_input'] });
      expect(attribute(half.html, 'data-field')).toBe('recovery_code');
    }
    const done = await browser.submit('/reset/mfa/recovery-code', { recovery_code: code });
    expect(done.page).toBe('reset/mfa/done');
  });

  it('with no device chosen none ends, and the code is not spent', async () => {
    const employee = somebody();
    const tablet = await addDevice(employee, 'Tablet');
    const laptop = await addDevice(employee, 'Laptop');
    const browser = house.browser();
    await start(browser, 'now', employee);
    const otp = otpOf(laptop);
    const shown = await browser.submit('/reset/mfa/factor', { otp, lost: '' });
    expect(shown).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['invalid_input'] });
    expect(attribute(shown.html, 'data-field')).toBe('lost');
    expect(await active(employee)).toHaveLength(3);
    expect((await browser.submit('/reset/mfa/factor', { otp, lost: tablet.device })).page).toBe('reset/mfa/done');
  });

  it.each(['factor', 'code', 'waiting', 'done'])('%s in another browser leads back to Reset MFA', async (page) => {
    const shown = await house.browser().get(`/reset/mfa/${page}`);
    expect(shown).toMatchObject({ status: 410, page: 'expired', errors: ['flow_expired'] });
    expect(shown.html).toContain('href="/reset/mfa"');
    expect(shown.html).toContain('Bila reset sudah diminta, ia tetap menunggu.');
  });
});

describe('with another device', () => {
  it('ends the one that is lost and keeps the others, recovery codes too', async () => {
    const employee = somebody();
    const codes = await giveCodes(employee);
    const tablet = await addDevice(employee, 'Tablet');
    const laptop = await addDevice(employee, 'Laptop');
    const browser = house.browser();
    const { html } = await start(browser, 'now', employee);
    expect(html).toContain('>Tablet</option>');
    const shown = await browser.submit('/reset/mfa/factor', { otp: otpOf(laptop), lost: tablet.device });
    expect(shown.page).toBe('reset/mfa/done');
    expect(attribute(shown.html, 'data-outcome')).toBe('some');
    expect(await active(employee)).toEqual(['Laptop', 'Ponsel']);
    house.time.pass({ seconds: 31 });
    // In with the device that proved, or with a code kept; the launcher tells of the place for a new one.
    await browser.get('/login');
    await browser.submit('/password', { username: employee.nip, password: PASSWORD });
    const launcher = await browser.submit('/otp', { otp: otpOf(laptop) });
    expect(launcher).toMatchObject({ status: 200, page: 'launcher' });
    expect(launcher.html).toContain('href="/account/devices/add"');
    expect((await browser.get('/')).html).not.toContain('href="/account/devices/add"');
    await browser.submit('/logout');
    house.time.pass({ seconds: 31 });
    await password(browser, employee);
    expect(house.codeOf((await browser.submit('/otp', { otp: otpOf(laptop) })).url)).toBeDefined();
    const other = house.browser();
    await password(other, employee);
    expect(house.codeOf((await other.submit('/recovery-code', { recovery_code: codes[0] ?? '' })).url)).toBeDefined();
  });

  it('ends all but the one in hand when none is named', async () => {
    const employee = somebody();
    await addDevice(employee, 'Tablet');
    const laptop = await addDevice(employee, 'Laptop');
    const browser = house.browser();
    await start(browser, 'now', employee);
    expect((await browser.submit('/reset/mfa/factor', { otp: otpOf(laptop), lost: 'others' })).page).toBe(
      'reset/mfa/done',
    );
    expect(await active(employee)).toEqual(['Laptop']);
    expect(await audited(employee, 'self_reset.done')).toEqual([{ devices: 2, by: 'device' }]);
  });

  it('refuses the code of the very device that is lost, and keeps the choice', async () => {
    const employee = somebody();
    const tablet = await addDevice(employee, 'Tablet');
    const browser = house.browser();
    await start(browser, 'now', employee);
    const shown = await browser.submit('/reset/mfa/factor', { otp: otpOf(tablet), lost: tablet.device });
    expect(shown).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['invalid_input'] });
    expect(attribute(shown.html, 'data-field')).toBe('lost');
    expect(shown.html).toContain(`value="${tablet.device}" selected`);
    expect(await active(employee)).toEqual(['Ponsel', 'Tablet']);
    // That code is spent.
    const again = await browser.submit('/reset/mfa/factor', { otp: shownAt(tablet, house.time.now()), lost: 'others' });
    expect(again.errors).toEqual(['otp_reused']);
    expect(await audited(employee, 'self_reset.factor_refused')).toEqual([{ cause: 'in_hand' }, { cause: 'reused' }]);
  });

  it('of somebody else ends nothing', async () => {
    const [employee, other] = [somebody(), somebody()];
    await addDevice(employee, 'Tablet');
    const foreign = await addDevice(other, 'Tablet');
    const browser = house.browser();
    await start(browser, 'now', employee);
    const named = await browser.submit('/reset/mfa/factor', { otp: otpOf(employee), lost: foreign.device });
    expect(named).toMatchObject({ status: 422, errors: ['invalid_input'] });
    const typed = await browser.submit('/reset/mfa/factor', { otp: otpOf(foreign), lost: 'others' });
    expect(typed).toMatchObject({ status: 422, errors: ['otp_invalid'] });
    expect([await active(employee), await active(other)]).toEqual([
      ['Ponsel', 'Tablet'],
      ['Ponsel', 'Tablet'],
    ]);
  });

  it('is not offered with one device alone, whose code proves that it is not lost', async () => {
    const employee = somebody();
    const browser = house.browser();
    const { html } = await start(browser, 'now', employee);
    expect(html).not.toContain('name="otp"');
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    const shown = await browser.post('/reset/mfa/factor', { csrf, otp: otpOf(employee), lost: 'others' });
    expect(shown).toMatchObject({ status: 422, errors: ['invalid_input'] });
    expect(await active(employee)).toEqual(['Ponsel']);
  });
});

describe('the mails of an owner, while somebody else knows the password (R-20, R-23)', () => {
  const at = (address: string): Person => house.browser({ 'x-forwarded-for': address });
  /** Starts six times an hour, as often as a mail is to be had, and answers how many were sent. */
  async function useUp(employee: Employee, hours: number, browser: () => Person): Promise<number> {
    let sent = 0;
    for (let hour = 0; hour < hours; hour += 1) {
      for (let time = 0; time < 6; time += 1) {
        if ((await start(browser(), 'wait', employee)).page === 'reset/mfa/code') sent += 1;
      }
      house.time.pass({ hours: 1, seconds: 1 });
    }
    return sent;
  }

  it('are not used up from one address: it has three an hour and six a day', async () => {
    const employee = somebody();
    expect(await useUp(employee, 4, () => at('10.88.0.1'))).toBe(6);
    expect((await start(at('10.88.0.2'), 'wait', employee)).page).toBe('reset/mfa/code');
  });

  it('are not used up for the browser that the owner has logged in with, from wherever', async () => {
    const employee = somebody();
    const known = at('10.88.0.3');
    await house.logIn(known, employee);
    expect(await useUp(employee, 4, () => house.browser())).toBe(20);
    const stranger = await start(house.browser(), 'wait', employee);
    expect(stranger).toMatchObject({ status: 429, page: 'reset/mfa/start', errors: ['throttled'] });
    const code = await house.codeFor(employee, () => start(known, 'wait', employee));
    for (let time = 2; time <= 3; time += 1) {
      expect((await start(known, 'wait', employee)).page).toBe('reset/mfa/code');
    }
    const fourth = await start(known, 'wait', employee);
    expect(fourth).toMatchObject({ status: 429, errors: ['throttled'] });
    // In an hour of its own budget, not in a day of what strangers took.
    expect(Number(fourth.headers.get('retry-after'))).toBeLessThanOrEqual(3600);
    expect(code).toMatch(/-/);
  });

  it('give their place back to the budget that they came from, when the code is redeemed', async () => {
    const employee = somebody();
    const known = at('10.88.0.4');
    await house.logIn(known, employee);
    const places = () =>
      house.services.db.query(
        `SELECT sum(cardinality(recent))::int AS taken FROM quotas WHERE scope LIKE 'mail-known-browser-%' AND cardinality(recent) > 0`,
      );
    const before = await places();
    const code = await house.codeFor(employee, () => start(known, 'wait', employee));
    expect(await places()).not.toEqual(before);
    expect((await known.submit('/reset/mfa/code', { code })).page).toBe('reset/mfa/waiting');
    expect(await places()).toEqual(before);
  });

  it('of an enrolment are others: a Reset MFA takes none of them', async () => {
    const employee = somebody();
    expect(await useUp(employee, 4, () => house.browser())).toBe(20);
    await house.services.db.transaction((tx) => house.services.devices.endAll(tx, employee.id, 'helpdesk_reset'));
    const shown = await password(house.browser(), employee);
    expect(shown).toMatchObject({ status: 200, page: 'sign-in/prove-mailbox', errors: [] });
  });

  it('of an enrolment are kept for that browser too', async () => {
    const employee = somebody();
    const known = at('10.88.0.5');
    await house.logIn(known, employee);
    await house.services.db.transaction((tx) => house.services.devices.endAll(tx, employee.id, 'helpdesk_reset'));
    const sent = () => audited(employee, 'sign_in.mailbox_code_sent');
    for (let hour = 0; hour < 4; hour += 1) {
      for (let time = 0; time < 6; time += 1) await password(house.browser(), employee);
      house.time.pass({ hours: 1, seconds: 1 });
    }
    expect(await sent()).toHaveLength(20);
    await password(house.browser(), employee);
    expect(await sent()).toHaveLength(20);
    await password(known, employee);
    expect(await sent()).toHaveLength(21);
  });
});

describe('with neither', () => {
  it('waits, tells at start and at half time, and takes effect only for who types the password after it', async () => {
    const employee = somebody();
    const { shown } = await beginWaiting(employee);
    expect(attribute(shown.html, 'data-due')).toBeDefined();
    expect(await active(employee)).toEqual(['Ponsel']);
    const half = await house.mailOf(employee, async () => {
      await Promise.resolve();
      house.time.pass({ hours: 12 });
    });
    expect(half.subject).toContain('menunggu');
    expect(half.text).toMatch(/\/reset\/mfa\/stop\/[0-9A-Z]{26}/);
    // The day passes, and nothing happens by itself.
    house.time.pass({ hours: 13 });
    expect(await active(employee)).toEqual(['Ponsel']);

    const browser = house.browser();
    const mail = await house.codeFor(employee, async () => {
      expect((await password(browser, employee)).page).toBe('sign-in/prove-mailbox');
    });
    expect(await active(employee)).toEqual([]);
    expect(await audited(employee, 'self_reset.done')).toEqual([{ devices: 1, by: 'waited' }]);
    const enrol = await browser.submit('/mailbox', { code: mail });
    expect(enrol.page).toBe('sign-in/enrol');
    employee.secret = attribute(enrol.html, 'data-secret');
    const saved = await browser.submit('/enrol', { otp: otpOf(employee), device_name: 'Ponsel baru' });
    expect(saved.page).toBe('sign-in/recovery-codes');
    expect(house.codeOf((await browser.submit('/recovery-codes', { saved: '1' })).url)).toBeDefined();
    expect(await active(employee)).toEqual(['Ponsel baru']);
    // A mail whose lease ended while the time was stepped over may come once more.
    const waiting = house.site.mailbox.mails.filter(
      ({ to, subject }) => to.includes(employee.email) && subject.includes('menunggu'),
    );
    expect(new Set(waiting.map(({ text }) => text)).size).toBe(2);
  });

  it('takes effect on its own page too, with a fresh captcha and the password', async () => {
    const employee = somebody();
    await beginWaiting(employee);
    house.time.pass(DAY);
    expect(await start(house.browser(), 'wait', employee, { captcha: 'salah' })).toMatchObject({ status: 422 });
    expect(await start(house.browser(), 'wait', employee, { password: 'Salah Sekali 1 ya' })).toMatchObject({
      status: 422,
    });
    expect(await active(employee)).toEqual(['Ponsel']);
    const done = await start(house.browser(), 'wait', employee);
    expect(done.page).toBe('reset/mfa/done');
    expect(await active(employee)).toEqual([]);
  });

  it('asked for again restarts nothing and tells the same', async () => {
    const employee = somebody();
    const { shown } = await beginWaiting(employee);
    const due = attribute(shown.html, 'data-due');
    house.time.pass({ hours: 20 });
    const before = mailsTo(employee).length;
    const again = await start(house.browser(), 'wait', employee);
    expect(again.page).toBe('reset/mfa/waiting');
    expect(attribute(again.html, 'data-due')).toBe(due);
    // The half-time mail is all that came.
    expect(mailsTo(employee).length - before).toBeLessThanOrEqual(1);
    const rows = await house.services.db.query('SELECT state FROM waiting_resets WHERE account_id = $1', [employee.id]);
    expect(rows).toEqual([{ state: 'waiting' }]);
  });

  it('is told where a login asks for the old factor, until it is due', async () => {
    const employee = somebody();
    const { shown } = await beginWaiting(employee);
    const due = attribute(shown.html, 'data-due') ?? '';
    const browser = house.browser();
    const { html } = await password(browser, employee);
    expect(attribute(html, 'data-waiting-reset')).toBe(due);
    expect(html).toContain('Reset MFA menunggu sampai');
  });

  it('before the wait is over a login still wants the old factor', async () => {
    const employee = somebody();
    await beginWaiting(employee);
    house.time.pass({ hours: 23, minutes: 59 });
    expect((await password(house.browser(), employee)).page).toBe('sign-in/otp');
    expect(await active(employee)).toEqual(['Ponsel']);
  });

  it('lapses when nobody comes back within a week', async () => {
    const employee = somebody();
    await beginWaiting(employee);
    house.time.pass({ hours: 24 + 7 * 24 });
    expect((await password(house.browser(), employee)).page).toBe('sign-in/otp');
    expect((await start(house.browser(), 'wait', employee)).page).toBe('reset/mfa/code');
    expect(await active(employee)).toEqual(['Ponsel']);
  });

  it('counts wrong codes; the fifth ends the passage (R-08)', async () => {
    const employee = somebody();
    const browser = house.browser();
    const code = await house.codeFor(employee, () => start(browser, 'wait', employee));
    for (let time = 1; time <= 4; time += 1) {
      expect(await browser.submit('/reset/mfa/code', { code: 'AAAAA-AAAAA' })).toMatchObject({
        status: 422,
        page: 'reset/mfa/code',
        errors: ['code_invalid'],
      });
    }
    const fifth = await browser.submit('/reset/mfa/code', { code: 'AAAAA-AAAAA' });
    expect(fifth).toMatchObject({ status: 410, page: 'expired' });
    expect(fifth.html).toContain('href="/reset/mfa"');
    await start(browser, 'wait', employee);
    expect((await browser.submit('/reset/mfa/code', { code })).errors).toEqual(['code_invalid']);
  });

  it('mails a new code that voids the older one', async () => {
    const employee = somebody();
    const browser = house.browser();
    const old = await house.codeFor(employee, () => start(browser, 'wait', employee));
    const code = await house.codeFor(employee, () => browser.submit('/reset/mfa/resend'));
    expect((await browser.submit('/reset/mfa/code', { code: old })).errors).toEqual(['code_invalid']);
    expect((await browser.submit('/reset/mfa/code', { code })).page).toBe('reset/mfa/waiting');
  });

  it('walks the same pages without a device, and says that there is nothing to reset', async () => {
    const [employee] = await addEmployees(house.services, { count: 1, state: 'password' });
    if (employee === undefined) throw new Error('nobody was added');
    const browser = house.browser();
    const code = await house.codeFor(employee, () => start(browser, 'wait', employee));
    const shown = await browser.submit('/reset/mfa/code', { code });
    expect(shown.page).toBe('reset/mfa/done');
    expect(attribute(shown.html, 'data-outcome')).toBe('nothing');
    const now = house.browser();
    await start(now, 'now', employee);
    const wrong = await now.submit('/reset/mfa/recovery-code', { recovery_code: 'AAAAA-AAAAA-AAAAA' });
    expect(wrong).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['otp_invalid'] });
  });

  it('without an address on file leads to the personnel office', async () => {
    const employee = somebody();
    await house.services.db.query('UPDATE accounts SET email = NULL WHERE id = $1', [employee.id]);
    const shown = await start(house.browser(), 'wait', employee);
    expect(shown.page).toBe('reset/mfa/code');
    expect(shown.html).toContain('BKPSDM');
    expect(shown.html).not.toContain('name="code"');
  });
});

describe('a reset that waits', () => {
  it('is stopped by the link in the mail: opening it changes nothing, its button stops, twice is the same', async () => {
    const employee = somebody();
    const { stop } = await beginWaiting(employee);
    const path = new URL(stop).pathname;
    const scanner = house.browser();
    for (let time = 1; time <= 3; time += 1) expect((await scanner.get(path)).page).toBe('reset/mfa/stop');
    const [waiting] = await house.services.db.query('SELECT state FROM waiting_resets WHERE account_id = $1', [
      employee.id,
    ]);
    expect(waiting).toEqual({ state: 'waiting' });

    const browser = house.browser();
    const { html } = await browser.get(path);
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    const mail = await house.mailOf(employee, async () => {
      expect((await browser.submit(path)).page).toBe('reset/mfa/stopped');
    });
    expect(mail.subject).toContain('dihentikan');
    expect((await browser.post(path, { csrf })).headers.get('location')).toBe('/reset/mfa/stopped');
    expect((await browser.get(path)).page).toBe('reset/mfa/stopped');
    expect(await audited(employee, 'self_reset.stopped')).toEqual([expect.objectContaining({ by: 'link' })]);
    house.time.pass(DAY);
    expect((await password(house.browser(), employee)).page).toBe('sign-in/otp');
    expect(await active(employee)).toEqual(['Ponsel']);
    // No reminder of what is no more.
    expect(mailsTo(employee).filter((subject) => subject.includes('menunggu'))).toHaveLength(1);
  });

  it('cannot be stopped once it took effect, nor by a link that never was', async () => {
    const employee = somebody();
    const { stop } = await beginWaiting(employee);
    const { pathname } = new URL(stop);
    const browser = house.browser();
    const { html } = await browser.get(pathname);
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(html)?.[0] ?? '', 'value') ?? '';
    house.time.pass(DAY);
    await start(house.browser(), 'wait', employee);
    expect((await browser.post(pathname, { csrf })).headers.get('location')).toBe(pathname);
    const over = await browser.get(pathname);
    expect(over.page).toBe('reset/mfa/stop');
    expect(over.html).not.toContain('<form method="post" action="/reset/mfa/stop');
    expect(over.html).not.toContain('Hentikan dulu');
    expect(over.html).toContain('Bukan saya');
    expect((await browser.get(`/reset/mfa/stop/${'0'.repeat(26)}`)).page).toBe('reset/mfa/stop');
    expect((await browser.get('/reset/mfa/stop/x')).status).toBe(404);
  });

  it('is shown on every page to whoever is logged in, with a button that stops it', async () => {
    const employee = somebody();
    const home = house.browser();
    await home.get('/login');
    await home.submit('/password', { username: employee.nip, password: PASSWORD });
    house.time.pass({ seconds: 31 });
    expect((await home.submit('/otp', { otp: otpOf(employee) })).page).toBe('launcher');
    expect((await home.get('/')).html).not.toContain('data-waiting-reset');
    await beginWaiting(employee);
    for (const [path, page] of [
      ['/', 'launcher'],
      ['/account/devices', 'account/devices'],
    ] as const) {
      const shown = await home.get(path);
      expect(shown.page).toBe(page);
      expect(shown.html).toContain('data-waiting-reset');
    }
    expect((await home.submit('/account/mfa-reset/stop')).page).toBe('reset/mfa/stopped');
    expect((await home.get('/')).html).not.toContain('data-waiting-reset');
    expect(await audited(employee, 'self_reset.stopped')).toEqual([expect.objectContaining({ by: 'person' })]);
    house.time.pass(DAY);
    expect((await password(house.browser(), employee)).page).toBe('sign-in/otp');
  });

  it('is stopped by a full login with the old factor (ADR 0015)', async () => {
    const employee = somebody();
    await beginWaiting(employee);
    house.time.pass({ hours: 3 });
    await house.logIn(house.browser(), employee, PLAIN);
    expect(await audited(employee, 'self_reset.stopped')).toEqual([expect.objectContaining({ by: 'login' })]);
    house.time.pass(DAY);
    expect((await password(house.browser(), employee)).page).toBe('sign-in/otp');
    expect(await active(employee)).toEqual(['Ponsel']);
  });

  it.each<[string, (employee: Employee) => Promise<unknown>]>([
    [
      'another password',
      async ({ id }) => {
        const { db, passwords } = house.services;
        const passwordHash = await passwords.hash(PASSWORD);
        const [row] = await db.query('SELECT cred_epoch FROM accounts WHERE id = $1', [id]);
        const credEpoch = row?.cred_epoch as number;
        return changePassword(db, { accountId: id, passwordHash, credEpoch, now: house.time.now() });
      },
    ],
    [
      'another address',
      ({ id, nip }) =>
        house.services.db.query('UPDATE accounts SET email = $2 WHERE id = $1', [id, `baru${nip}@contoh.example`]),
    ],
  ])('is void after %s', async (_what, change) => {
    const employee = somebody();
    const { stop } = await beginWaiting(employee);
    await change(employee);
    house.time.pass(DAY);
    expect((await password(house.browser(), employee)).page).toBe('sign-in/otp');
    expect((await start(house.browser(), 'wait', employee)).page).toBe('reset/mfa/code');
    expect(await active(employee)).toEqual(['Ponsel']);
    const link = await house.browser().get(new URL(stop).pathname);
    expect(link.html).not.toContain('<form method="post" action="/reset/mfa/stop');
  });

  it('never gets through for a frozen account', async () => {
    const employee = somebody();
    await beginWaiting(employee);
    await house.services.db.query('UPDATE accounts SET frozen_at = created_at WHERE id = $1', [employee.id]);
    house.time.pass(DAY);
    expect((await password(house.browser(), employee)).errors).toEqual(['invalid_credentials']);
    expect((await start(house.browser(), 'wait', employee)).errors).toEqual(['invalid_credentials']);
    expect(await active(employee)).toEqual(['Ponsel']);
  });
});

describe('the passage', () => {
  it('belongs to its browser, and ends with the password', async () => {
    const employee = somebody();
    const codes = await giveCodes(employee);
    const browser = house.browser();
    await start(browser, 'now', employee);
    const thief = house.browser();
    await thief.get('/reset/mfa/now');
    for (const key of ['mfa-reset|/reset', 'mfa-reset.sig|/reset']) {
      const cookie = browser.cookies.get(key);
      if (cookie !== undefined) thief.cookies.set(key, cookie);
    }
    expect((await thief.get('/reset/mfa/factor')).status).toBe(410);

    const { db, passwords } = house.services;
    const passwordHash = await passwords.hash(NEW);
    await changePassword(db, { accountId: employee.id, passwordHash, credEpoch: 1, now: house.time.now() });
    const shown = await browser.submit('/reset/mfa/recovery-code', { recovery_code: codes[0] ?? '' });
    expect(shown).toMatchObject({ status: 410, page: 'expired' });
    expect(await active(employee)).toEqual(['Ponsel']);
  });

  it('is over after half an hour', async () => {
    const employee = somebody();
    const browser = house.browser();
    await start(browser, 'now', employee);
    house.time.pass({ minutes: 31 });
    expect((await browser.get('/reset/mfa/factor')).status).toBe(410);
  });

  it('leads back to the service it began at, also from the page that asks for the code', async () => {
    const employee = somebody();
    const codes = await giveCodes(employee);
    const browser = house.browser();
    await house.begin(browser, PLAIN);
    await browser.follow('RESET');
    await browser.follow('Reset MFA');
    await browser.follow('/reset/mfa/now');
    const typed = { username: employee.nip, password: PASSWORD, captcha: CAPTCHA };
    await browser.submit('/reset/mfa/start', typed);
    const done = await browser.submit('/reset/mfa/recovery-code', { recovery_code: codes[0] ?? '' });
    expect(done.html).toMatch(/class="button" href="\/sign-in\/[\w-]+">LOGIN/);
    expect((await browser.follow('LOGIN')).page).toBe('sign-in/password');

    const other = somebody();
    const more = await giveCodes(other);
    const phone = house.browser();
    await house.toOtp(phone, other, PLAIN);
    await phone.follow('/reset/mfa?from=');
    await phone.follow('/reset/mfa/now');
    await phone.submit('/reset/mfa/start', { ...typed, username: other.nip });
    const end = await phone.submit('/reset/mfa/recovery-code', { recovery_code: more[0] ?? '' });
    // That sign-in had a password proved with what was: it is over, and the service begins anew.
    expect(end.html).toContain('href="http://127.0.0.1:9/start"');
  });

  it('refuses fields that it does not have (R-01, A37)', async () => {
    const employee = somebody();
    const browser = house.browser();
    await start(browser, 'now', employee);
    for (const field of ['username', 'account_id', 'way', 'state']) {
      const shown = await browser.submit('/reset/mfa/recovery-code', { recovery_code: 'A', [field]: 'x' });
      expect(shown).toMatchObject({ status: 400, errors: ['invalid_input'] });
      await browser.get('/reset/mfa/factor');
    }
  });

  it('says wrong codes to the audit trail, never the code', async () => {
    const employee = somebody();
    await addDevice(employee, 'Tablet');
    const browser = house.browser();
    await start(browser, 'now', employee);
    await browser.submit('/reset/mfa/factor', { otp: wrongFor(shownAt(employee, house.time.now())), lost: 'others' });
    expect(await audited(employee, 'self_reset.factor_refused')).toEqual([{ cause: 'mismatch' }]);
  });
});
