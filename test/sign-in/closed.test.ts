import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { totp } from '../support/totp.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from './house.js';
import { addPasskey, usePasskey } from './passkeys.js';

/** What 50 wrong codes in a row close, and what they open to nobody. */
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

async function somebody(): Promise<Employee> {
  const [one] = await addEmployees(house.services, { count: 1, state: 'enrolled' });
  if (one === undefined) throw new Error('nobody was added');
  return one;
}
const devicesOf = async ({ id }: Employee): Promise<readonly string[]> =>
  (
    await house.services.db.query(
      `SELECT concat_ws(' ', name, status, CASE WHEN closed_at IS NOT NULL THEN 'closed' END, ended_reason) AS line
         FROM devices WHERE account_id = $1 ORDER BY name`,
      [id],
    )
  ).map(({ line }) => line as string);
const sessionsOf = async ({ id }: Employee): Promise<number> =>
  (await house.services.db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [id])).length;
const casesOf = ({ id }: Employee) =>
  house.services.db.query('SELECT cause, closed_reason FROM helpdesk_cases WHERE account_id = $1', [id]);
const codesLeft = async ({ id }: Employee): Promise<number | undefined> =>
  (await house.services.recoveryCodeSets.left(house.services.db, id))?.left;

async function giveCodes({ id }: Employee): Promise<readonly string[]> {
  const { db, recoveryCodes } = house.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, id, prepared));
  return prepared.codes;
}

async function password(browser: Person, { nip }: Employee): Promise<Shown> {
  await house.begin(browser, PLAIN);
  return browser.submit('/password', { username: nip, password: PASSWORD });
}

/** Five wrong codes after the right password, and the wait that follows. */
async function guess(employee: Employee, field: 'otp' | 'recovery_code' = 'otp'): Promise<void> {
  const browser = house.browser();
  expect((await password(browser, employee)).page).toBe('sign-in/otp');
  const right = wrongFor(shownAt(employee, house.time.now()));
  for (let turn = 0; turn < 5; turn += 1) {
    const typed = field === 'otp' ? right.replace(/.$/, String(turn)) : `AAAAA-BBBBB-0000${turn}`;
    await browser.submit(field === 'otp' ? '/otp' : '/recovery-code', { [field]: typed });
  }
  house.time.pass({ minutes: 31 });
}
async function guessFifty(employee: Employee, field?: 'otp' | 'recovery_code'): Promise<void> {
  for (let spell = 0; spell < 10; spell += 1) await guess(employee, field);
}

/** Whoever knows the password and reads the mails tries every way to bind an authenticator of their own. */
async function tryToBind(employee: Employee): Promise<Shown> {
  const browser = house.browser();
  const mailsBefore = house.site.mailbox.mails.length;
  const login = (await house.begin(browser, PLAIN)).shown;
  const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(login.html)?.[0] ?? '', 'value') ?? '';
  const at = login.url.pathname;
  await browser.submit('/password', { username: employee.nip, password: PASSWORD });
  for (const [path, fields] of [
    ['/mailbox/resend', {}],
    ['/mailbox', { code: 'AAAAA-AAAAA' }],
    ['/enrol', { otp: '000000', device_name: 'HP pencuri' }],
    ['/recovery-codes', { saved: '1' }],
    ['/otp', { otp: shownAt(employee, house.time.now()) }],
  ] as const) {
    const answer = await browser.post(`${house.site.origin}${at}${path}`, { csrf, ...fields });
    expect([answer.status, house.codeOf(new URL(answer.headers.get('location') ?? '/', house.site.origin))]).toEqual([
      303,
      undefined,
    ]);
  }
  expect(
    house.site.mailbox.mails.slice(mailsBefore).filter(({ text }) => /[0-9A-Z]{5}-[0-9A-Z]{5}/.test(text)),
  ).toEqual([]);
  return browser.get(`${house.site.origin}${at}`);
}

/** *Reset MFA* with neither, as far as its waiting time. */
async function beginWaiting(employee: Employee): Promise<void> {
  const browser = house.browser();
  await browser.get('/reset/mfa/wait');
  const typed = { username: employee.nip, password: PASSWORD, captcha: CAPTCHA };
  const code = await house.codeFor(employee, () => browser.submit('/reset/mfa/start', typed));
  expect((await browser.submit('/reset/mfa/code', { code })).page).toBe('reset/mfa/waiting');
}

/** From the password over the mailbox to a new authenticator. */
async function enrol(employee: Employee): Promise<Shown> {
  const browser = house.browser();
  const code = await house.codeFor(employee, () => password(browser, employee));
  const secret = attribute((await browser.submit('/mailbox', { code })).html, 'data-secret') ?? '';
  const right = (): string => totp(secret, house.time.now());
  // What was counted against the closed one is no concern of this one.
  const slip = await browser.submit('/enrol', { otp: wrongFor(right()), device_name: 'P' });
  expect(slip.errors).toEqual(['otp_invalid']);
  await browser.submit('/enrol', { otp: right(), device_name: 'Ponsel baru' });
  return browser.submit('/recovery-codes', { saved: '1' });
}

describe('50 wrong codes in a row', () => {
  it('close the app, which stays bound: no way to enrol before the waiting time is over', async () => {
    const employee = await somebody();
    await giveCodes(employee);
    await house.logIn(house.browser(), employee);
    await house.services.db.query(`UPDATE sso_sessions SET expires_at = 'infinity' WHERE account_id = $1`, [
      employee.id,
    ]);
    for (let spell = 0; spell < 9; spell += 1) await guess(employee);
    expect([await devicesOf(employee), await sessionsOf(employee)]).toEqual([['Ponsel active'], 1]);
    const mail = await house.mailOf(employee, () => guess(employee));
    expect(mail.subject).toBe('Autentikator SSO ASN Anda ditutup');

    expect(await devicesOf(employee)).toEqual(['Ponsel active closed']);
    expect([await sessionsOf(employee), await codesLeft(employee)]).toEqual([0, undefined]);
    const [row] = await house.services.db.query('SELECT secret FROM devices WHERE account_id = $1', [employee.id]);
    expect(row?.secret).toBeNull();
    const trail = await house.services.db.query(
      `SELECT type FROM audit_events WHERE account_id = $1 AND type LIKE 'device.%'`,
      [employee.id],
    );
    expect(trail.map(({ type }) => type as string)).toEqual(['device.closed']);

    const shown = await tryToBind(employee);
    expect(shown.page).toBe('sign-in/factors-closed');
    expect(shown.html).toContain(`href="/reset/mfa/wait?from=${shown.url.pathname.split('/')[2] ?? ''}"`);
    expect(shown.html).toContain('24 jam');
    expect(shown.html).toContain('BKPSDM');
    expect(await casesOf(employee)).toEqual([]);

    await beginWaiting(employee);
    expect(await casesOf(employee)).toMatchObject([{ closed_reason: null }]);
    expect((await tryToBind(employee)).html).toContain('sudah diminta');
    house.time.pass({ hours: 23 });
    expect((await tryToBind(employee)).page).toBe('sign-in/factors-closed');
    expect(await devicesOf(employee)).toEqual(['Ponsel active closed']);

    house.time.pass({ hours: 1, seconds: 1 });
    const done = await enrol(employee);
    expect(house.codeOf(done.url)).toBeDefined();
    expect(await devicesOf(employee)).toEqual(['Ponsel ended closed self_reset', 'Ponsel baru active']);
    expect(await casesOf(employee)).toMatchObject([{ closed_reason: 'done' }]);
  });

  it('leave the passkey, with which the owner removes what is closed and adds a new app', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await giveCodes(employee);
    await guessFifty(employee);
    expect(await devicesOf(employee)).toEqual(['Laptop kantor active', 'Ponsel active closed']);
    expect(await codesLeft(employee)).toBeUndefined();

    const browser = house.browser();
    await browser.get(`${house.site.origin}/login`);
    expect((await usePasskey(browser, passkey)).page).toBe('launcher');
    const list = await browser.get('/account/devices');
    expect(list.html).toContain('Ditutup: terlalu banyak kode salah');
    const idOf = async (name: string): Promise<string> => {
      const all = await house.services.devices.activeOf(house.services.db, employee.id);
      return all.find((device) => device.name === name)?.id ?? '';
    };
    const [app, key] = [await idOf('Ponsel'), await idOf('Laptop kantor')];
    // One that can prove always stays.
    expect((await browser.get(`/account/devices/${key}/remove`)).html).not.toContain('button risk');
    const { db, devices } = house.services;
    const last = { accountId: employee.id, device: key as never, reason: 'removed' as const };
    expect(await db.transaction((tx) => devices.endOne(tx, last))).toBe(false);

    await browser.get(`/account/devices/${app}/remove`);
    expect((await browser.submit(`/account/devices/${app}/remove`)).page).toBe('account/devices');
    await browser.get('/account/devices/add');
    const secret = attribute((await browser.submit('/account/devices/add')).html, 'data-secret') ?? '';
    const otp = totp(secret, house.time.now());
    const added = await browser.submit('/account/devices/add/app', { otp, device_name: 'Ponsel baru' });
    expect(added.page).toBe('account/devices');
    expect(await devicesOf(employee)).toEqual([
      'Laptop kantor active',
      'Ponsel ended closed removed',
      'Ponsel baru active',
    ]);
  });

  it('of a recovery code close the codes and never a passkey', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await giveCodes(employee);
    await guessFifty(employee, 'recovery_code');
    expect(await devicesOf(employee)).toEqual(['Laptop kantor active', 'Ponsel active closed']);
    expect(await codesLeft(employee)).toBeUndefined();
    const browser = house.browser();
    const { asking } = await house.begin(browser, PLAIN);
    expect((await house.claimsAt(await usePasskey(browser, passkey), asking)).sub).toBe(employee.id);
  });

  it('are not reached while the owner logs in with a passkey in between: the count begins anew', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await giveCodes(employee);
    for (let spell = 1; spell <= 12; spell += 1) {
      await guess(employee);
      if (spell % 4 !== 0) continue;
      const owner = house.browser();
      if (spell % 8 === 0) await password(owner, employee);
      else await house.begin(owner, PLAIN);
      expect(house.codeOf((await usePasskey(owner, passkey)).url)).toBeDefined();
    }
    expect(await devicesOf(employee)).toEqual(['Laptop kantor active', 'Ponsel active']);
    expect(await codesLeft(employee)).toBe(10);
    house.time.pass({ minutes: 31 });
    expect((await house.logIn(house.browser(), employee)).amr).toEqual(['pwd', 'otp', 'mfa']);
  });

  it('close every app: none of them spends a step any more, whatever was read of it before', async () => {
    const employee = await somebody();
    const { db, devices } = house.services;
    const [before] = await devices.activeOf(db, employee.id);
    if (before === undefined) throw new Error('there is no app');
    await guessFifty(employee);
    const step = Math.floor(house.time.now().getTime() / 30_000) + 10;
    expect(await devices.spendStep(db, before.id, step)).toBe(false);
    await expect(
      db.query('UPDATE devices SET secret = $2 WHERE id = $1', [before.id, before.sealedSecret]),
    ).rejects.toThrow('devices_closed_check');
  });
});

describe('an account whose app is closed', () => {
  it('is opened again by the personnel office, at once', async () => {
    const employee = await somebody();
    await guessFifty(employee);
    await house.services.operatorsReset.reset({ accountId: employee.id, reason: 'orangnya datang ke loket' });
    expect(await devicesOf(employee)).toEqual(['Ponsel ended closed helpdesk_reset']);
    expect(house.codeOf((await enrol(employee)).url)).toBeDefined();
  });

  it('is reset at once with the code of another app, whichever is said to be lost', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await guessFifty(employee);
    const owner = house.browser();
    await owner.get(`${house.site.origin}/login`);
    await usePasskey(owner, passkey);
    await owner.get('/account/devices/add');
    const secret = attribute((await owner.submit('/account/devices/add')).html, 'data-secret') ?? '';
    await owner.submit('/account/devices/add/app', { otp: totp(secret, house.time.now()), device_name: 'Ponsel baru' });
    const key = (await house.services.devices.activeOf(house.services.db, employee.id)).find(
      ({ kind }) => kind === 'passkey',
    );

    const browser = house.browser();
    await browser.get('/reset/mfa/now');
    await browser.submit('/reset/mfa/start', { username: employee.nip, password: PASSWORD, captcha: CAPTCHA });
    const closed = await browser.submit('/reset/mfa/factor', { otp: otpOf(employee), lost: key?.id ?? '' });
    expect(closed.errors).toEqual(['otp_invalid']);
    house.time.pass({ seconds: 31 });
    const done = await browser.submit('/reset/mfa/factor', {
      otp: totp(secret, house.time.now()),
      lost: key?.id ?? 'no passkey',
    });
    expect(done.page).toBe('reset/mfa/done');
    expect(await devicesOf(employee)).toEqual([
      'Laptop kantor ended self_reset',
      'Ponsel ended closed self_reset',
      'Ponsel baru active',
    ]);
  });

  it('offers no code on the way that is done at once: there is none left', async () => {
    const employee = await somebody();
    const codes = await giveCodes(employee);
    await guessFifty(employee);
    const browser = house.browser();
    await browser.get('/reset/mfa/now');
    await browser.submit('/reset/mfa/start', { username: employee.nip, password: PASSWORD, captcha: CAPTCHA });
    expect(browser.shown.html).not.toContain('name="otp"');
    const refused = await browser.submit('/reset/mfa/recovery-code', { recovery_code: codes[0] ?? '' });
    expect(refused).toMatchObject({ status: 422, page: 'reset/mfa/factor', errors: ['otp_invalid'] });
    expect(await devicesOf(employee)).toEqual(['Ponsel active closed']);
  });

  it('keeps its address for a day, as after a reset', async () => {
    const employee = await somebody();
    const passkey = await addPasskey(house, employee.id);
    await guessFifty(employee);
    const browser = house.browser();
    await browser.get(`${house.site.origin}/login`);
    await usePasskey(browser, passkey);
    expect((await browser.get('/account/contact')).html).not.toContain('name="new_email"');
    house.time.pass({ hours: 24, seconds: 1 });
    await browser.get(`${house.site.origin}/login`);
    await usePasskey(browser, passkey);
    expect((await browser.get('/account/contact')).html).toContain('name="new_email"');
  });
});
