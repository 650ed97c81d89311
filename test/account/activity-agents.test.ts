import { setPassword } from '#src/accounts/accounts.js';
import type { AuditType } from '#src/audit/events.js';
import { shownAt, wrongFor } from '../sign-in/house.js';
import { addPasskey, challengeAt, usePasskey } from '../sign-in/passkeys.js';
import { addEmployees, otpOf, PASSWORD, type Employee, type NewEmployees } from '../support/employees.js';
import { attributes, type Person, type Shown } from '../support/person.js';
import { startDevice } from '../support/device-client.js';
import { CAPTCHA } from '../support/site.js';
import { softwareAuthenticator, type CreationOptions, type Misdeeds } from '../support/software-authenticator.js';
import { Visitor } from '../support/visitor.js';
import { DETAILS } from './audit-samples.js';
import { keyOn, openHouse, type House } from './house.js';
import { ANDROID } from './own-pages.js';
import { disavowalIn } from './portal.js';

/** Whatever a browser causes is told with the kind of browser it was (R-34, docs/adr/0017): each kind, made to happen. */

/** Kinds that no browser of the person causes, with what does. */
const NO_BROWSER: Readonly<Partial<Record<AuditType, string>>> = {
  'account.imported_inactive': 'the personnel feed',
  'account.imported_active': 'the personnel feed',
  'account.moved': 'the personnel feed',
  'account.started_over': 'the personnel feed',
  'account.email_imported': 'the personnel feed',
  'account.unfrozen': 'a command of an operator',
  'role.granted': 'a command of an operator',
  'role.revoked': 'a command of an operator',
  'mfa_reset.done': 'an officer, over the admin API, or a command',
  'desk.done': 'an officer, over the admin API',
  'desk.asked': 'an officer, over the admin API',
  'desk.rejected': 'an officer, over the admin API',
  'desk.refused': 'an officer, over the admin API',
  'agency.changed': 'an officer, over the admin API, or a command',
  'alarm.raised': 'an officer, over the admin API',
  'alarm.seen': 'an officer, over the admin API',
  'desk.searched': 'an officer, over the admin API or in the console',
  'desk.listed': 'an officer, over the admin API or in the console',
  'desk.viewed': 'an officer, over the admin API or in the console',
  'presence.refused': 'an officer, who types it',
  'audit.searched': 'an officer, over the admin API or the console, or a command',
  'audit.export_begun': 'an officer, over the admin API or the console, or a command',
  'audit.exported': 'an officer, over the admin API or the console, or a command',
  'audit.pruned': 'the program itself; it is about no account',
  'breach.reported': 'a command of an operator',
  'audit.refused': 'an officer, over the admin API or the console',
  'slip.printed': 'an officer, at the console',
  'slip.voided': 'an officer, or what has ended the account',
  'grant.revoked': 'a service, at the token endpoint',
  'refresh_token.reused': 'a service, at the token endpoint',
  'token.exchanged': 'a service, at the token endpoint',
  'feed.applied': 'the personnel feed; it is about no account',
  'feed.refused': 'the personnel feed; it is about no account',
  'feed.failed': 'the personnel feed; it is about no account',
  'client.added': 'the clients file, a command or an operator; it is about no account',
  'client.changed': 'the clients file, a command or an operator; it is about no account',
  'client.removed': 'the clients file, a command or an operator; it is about no account',
  'client.disabled': 'the clients file, a command or an operator; it is about no account',
  'client.enabled': 'the clients file, a command or an operator; it is about no account',
  'client.secret_rotated': 'the clients file, a command or an operator; it is about no account',
  'client.developer_named': 'an operator, at the console',
  'client.developer_dismissed': 'an operator, at the console',
  'client.invited': 'a command or an operator; it is about no account',
  'client.invitation_ended': 'a command or an operator; it is about no account',
  'key.generated': 'the program itself; it is about no account',
  'key.published': 'a command of an operator; it is about no account',
  'key.revoked': 'a command of an operator; it is about no account',
  'key.destroyed': 'the program itself; it is about no account',
  'key.resealed': 'a command of an operator; it is about no account',
  'password.retired': 'a command of an operator',
  'recovery_codes.retired': 'a command of an operator',
};

const NEW = 'Gajah Merah 8 tidur-pulas';
const WEAK = 'rahasia1';
const WRONG_CODE = { code: 'AAAAA-AAAAA' };
const WRONG_RECOVERY_CODE = { recovery_code: 'AAAAA-AAAAA-AAAAA' };

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const android = (): Person => house.browser({ 'user-agent': ANDROID });

async function expectPage(shown: Promise<Shown>, page: string): Promise<void> {
  const { status, page: found, errors } = await shown;
  expect([found, status, errors]).toEqual([page, 200, []]);
}

const sql = (text: string, { id }: Employee) => house.services.db.query(text, [id]);
const otpCounter = ({ id }: Employee) => house.services.keyed('second factor', id);

function fresh(employee: Employee): { otp: string } {
  // Each code once.
  house.time.pass({ seconds: 31 });
  return { otp: otpOf(employee) };
}
const wrong = (employee: Employee): { otp: string } => ({ otp: wrongFor(shownAt(employee, house.time.now())) });

async function givePassword({ id }: Employee, password: string): Promise<void> {
  const { db, passwords } = house.services;
  await setPassword(db, { accountId: id, passwordHash: await passwords.hash(password), now: house.time.now() });
}
async function giveCodes({ id }: Employee): Promise<{ recovery_code: string }> {
  const { db, recoveryCodes } = house.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, id, prepared));
  return { recovery_code: prepared.codes[0] ?? '' };
}

async function typePassword(browser: Person, { nip }: Employee, password = PASSWORD): Promise<Shown> {
  await house.begin(browser);
  return browser.submit('/password', { username: nip, password });
}
async function resetPassword(browser: Person, employee: Employee): Promise<string> {
  await browser.get('/reset/password');
  await browser.submit('/reset/password', { username: employee.nip, captcha: CAPTCHA });
  await browser.submit('/reset/password/email', { email: `x${employee.email}` });
  await browser.get('/reset/password/email');
  return house.codeFor(employee, () => browser.submit('/reset/password/email', { email: employee.email }));
}
async function resetFactors(browser: Person, way: 'now' | 'wait', { nip }: Employee): Promise<Shown> {
  await browser.get(`/reset/mfa/${way}`);
  return browser.submit('/reset/mfa/start', { username: nip, password: PASSWORD, captcha: CAPTCHA });
}
/** Begins the reset that waits; answers the link that stops it. */
async function waitForReset(browser: Person, employee: Employee): Promise<string> {
  const code = await house.codeFor(employee, () => resetFactors(browser, 'wait', employee));
  const { text } = await house.mailOf(employee, () => browser.submit('/reset/mfa/code', { code }));
  return /\/reset\/mfa\/stop\/[0-9A-Z]{26}/.exec(text)?.[0] ?? 'no link';
}
/** Asks for a new address; answers the code mailed to it. */
async function askForAddress(browser: Person, email: string): Promise<string> {
  await browser.get('/account/contact');
  return house.codeFor({ email }, () => browser.submit('/account/contact', { new_email: email }));
}

interface Journey {
  readonly name: string;
  readonly state?: NewEmployees['state'];
  readonly walk: (employee: Employee, browser: Person) => Promise<unknown>;
  /** What it leaves among its rows, each with its code where it has one. */
  readonly leaves: readonly string[];
}

/** A device begins; answers what it shows. */
async function userCode(): Promise<string> {
  const { port, services } = house.site.running;
  const device = new Visitor({ issuer: services.config.issuer.origin, ports: [port] });
  const { user_code: code } = await startDevice(device);
  device.close();
  return code;
}

const JOURNEYS: readonly Journey[] = [
  {
    name: 'two devices, of which one is let in',
    async walk(employee, browser) {
      await browser.get('/device');
      await browser.submit('/device', { user_code: await userCode() });
      await browser.submit('/password', { username: employee.nip, password: PASSWORD });
      await browser.submit('/otp', fresh(employee));
      await expectPage(browser.submit('/refuse'), 'device/refused');
      await browser.get('/device');
      await browser.submit('/device', { user_code: await userCode() });
      await expectPage(browser.submit('/approve'), 'device/done');
    },
    leaves: ['device_login.refused person', 'device_login.approved'],
  },
  {
    name: 'the console, opened by somebody who holds no role',
    async walk(employee, browser) {
      await browser.get('/helpdesk');
      await browser.submit('/password', { username: employee.nip, password: PASSWORD });
      expect((await browser.submit('/otp', fresh(employee))).page).toBe('helpdesk/no-role');
    },
    leaves: ['sign_in.completed', 'console.refused no_role'],
  },
  {
    name: 'a login, with wrong codes, to the last that is taken',
    async walk(employee, browser) {
      await typePassword(browser, employee, 'salah');
      await typePassword(browser, employee);
      await browser.submit('/otp', wrong(employee));
      await browser.submit('/otp', fresh(employee));
      const thief = android();
      await typePassword(thief, employee);
      await thief.submit('/otp', wrong(employee));
      await house.services.db.query(`UPDATE failure_counters SET failures = 49 WHERE scope = 'otp' AND key = $1`, [
        otpCounter(employee),
      ]);
      house.time.pass({ minutes: 2 });
      await thief.submit('/otp', wrong(employee));
      expect((await typePassword(android(), employee)).page).toBe('sign-in/factors-closed');
    },
    leaves: [
      'sign_in.password_refused mismatch',
      'sign_in.password_accepted',
      'sign_in.otp_refused mismatch',
      'sign_in.otp_accepted',
      'sign_in.completed',
      'device.closed',
    ],
  },
  {
    name: 'a login that has to wait, and one whose password is disabled',
    async walk(employee, browser) {
      await typePassword(browser, employee);
      await browser.submit('/otp', wrong(employee));
      await house.services.db.query(`UPDATE failure_counters SET wait_until = $2 WHERE scope = 'otp' AND key = $1`, [
        otpCounter(employee),
        new Date(house.time.now().getTime() + 60_000),
      ]);
      await browser.submit('/otp', fresh(employee));
      await sql('UPDATE credentials SET failures = 99 WHERE account_id = $1', employee);
      await typePassword(browser, employee, 'salah');
    },
    leaves: ['sign_in.throttled', 'sign_in.password_disabled'],
  },
  {
    name: 'a login with recovery codes',
    async walk(employee, browser) {
      const code = await giveCodes(employee);
      await typePassword(browser, employee);
      await browser.submit('/recovery-code', WRONG_RECOVERY_CODE);
      await browser.submit('/recovery-code', code);
    },
    leaves: ['sign_in.recovery_code_refused', 'sign_in.recovery_code_accepted', 'sign_in.completed'],
  },
  {
    name: 'a login with a passkey',
    async walk(employee, browser) {
      const passkey = await addPasskey(house, employee.id);
      await house.begin(browser);
      const late = passkey.get(await challengeAt(browser));
      house.time.pass({ minutes: 6 });
      await browser.submit('/passkey', { credential: late });
      await usePasskey(browser, passkey);
    },
    leaves: ['sign_in.passkey_refused challenge', 'sign_in.passkey_accepted', 'sign_in.completed'],
  },
  {
    name: 'a first authenticator',
    state: 'password',
    async walk(employee, browser) {
      const code = await house.codeFor(employee, () => typePassword(browser, employee));
      await browser.submit('/mailbox', WRONG_CODE);
      employee.secret = keyOn(await browser.submit('/mailbox', { code }));
      await browser.submit('/enrol', { ...wrong(employee), device_name: 'Ponsel' });
      await browser.submit('/enrol', { ...fresh(employee), device_name: 'Ponsel' });
      await browser.submit('/recovery-codes', { saved: '1' });

      const other = android();
      const [another] = await addEmployees(house.services, { count: 1, state: 'password' });
      if (another === undefined) throw new Error('nobody was added');
      await house.codeFor(another, () => typePassword(other, another));
      for (let time = 1; time <= 5; time += 1) await other.submit('/mailbox', WRONG_CODE);
      await expectTold(another, ['sign_in.mailbox_refused exhausted']);
    },
    leaves: [
      'sign_in.mailbox_code_sent',
      'sign_in.mailbox_refused wrong',
      'sign_in.mailbox_proved code',
      'sign_in.otp_refused mismatch',
      'device.enrolled',
      'recovery_codes.issued',
      'sign_in.completed',
    ],
  },
  {
    name: 'a login with a password no longer good enough',
    async walk(employee, browser) {
      await givePassword(employee, WEAK);
      await typePassword(browser, employee, WEAK);
      await browser.submit('/otp', fresh(employee));
      await browser.submit('/change-password', { new_password: NEW, confirm_password: NEW });
    },
    leaves: ['password.changed sign_in'],
  },
  {
    name: 'authenticators of one’s own',
    async walk(employee, browser) {
      await house.enter(employee, browser);
      await browser.get('/account/devices/add');
      const secret = keyOn(await browser.submit('/account/devices/add'));
      const app = '/account/devices/add/app';
      await browser.submit(app, { otp: wrongFor(house.shows(secret)), device_name: 'Tablet' });
      await expectPage(browser.submit(app, { otp: house.shows(secret), device_name: 'Tablet' }), 'account/devices');
      await browser.get(`/account/devices/${await house.idOf(employee, 'Tablet')}/rename`);
      await expectPage(browser.submit('/rename', { device_name: 'Papan' }), 'account/devices');
      await browser.get(`/account/devices/${await house.idOf(employee, 'Papan')}/remove`);
      await expectPage(browser.submit('/remove'), 'account/devices');
      await browser.get('/account/devices/move');
      const moved = keyOn(await browser.submit('/account/devices/move'));
      const typed = { otp: house.shows(moved), device_name: 'Ponsel baru' };
      await expectPage(browser.submit('/account/devices/move/app', typed), 'account/devices');
    },
    leaves: [
      'device.code_refused mismatch',
      'device.enrolled',
      'device.renamed',
      'device.ended removed',
      'device.ended moved',
    ],
  },
  {
    name: 'a passkey of one’s own',
    async walk(employee, browser) {
      const page = '/account/devices/add/passkey';
      const passkey = softwareAuthenticator({ origin: house.site.origin });
      const add = async (misdeeds: Misdeeds = {}): Promise<Shown> => {
        const options = JSON.parse((await browser.script(`${page}/challenge`)).body) as CreationOptions;
        return browser.submit(page, { credential: passkey.create(options, misdeeds), device_name: 'Laptop' });
      };
      await house.enter(employee, browser);
      await browser.get(page);
      await add({ verified: false });
      await expectPage(add(), 'account/devices');
      await browser.get(page);
      for (const name of ['Tiga', 'Empat', 'Lima']) await house.addPhone(employee, name);
      await add();
    },
    leaves: ['device.refused invalid', 'device.refused too_many', 'device.enrolled'],
  },
  {
    name: 'a code for the officer before one',
    async walk(employee, browser) {
      await expectPage(typePassword(browser, employee), 'sign-in/otp');
      await browser.follow('/presence');
      await expectPage(browser.submit('/presence'), 'sign-in/presence');
      await expectPage(browser.submit('/withdraw'), 'sign-in/otp');
    },
    leaves: ['presence.shown', 'presence.withdrawn'],
  },
  {
    name: 'new recovery codes, a new password and a file of what is held',
    async walk(employee, browser) {
      await house.enter(employee, browser);
      await browser.get('/account/recovery-codes/renew');
      await browser.submit('/account/recovery-codes/renew');
      await browser.get('/account/data');
      await browser.submit('/account/data/file');
      await browser.get('/account/password');
      const typed = { password: PASSWORD, new_password: NEW, confirm_password: NEW };
      await expectPage(browser.submit('/account/password', typed), 'account/activity');
    },
    leaves: ['recovery_codes.issued', 'account.data_exported', 'password.changed person'],
  },
  {
    name: 'sessions that end, one, the others and all',
    async walk(employee, browser) {
      for (const each of [android(), android(), browser]) await house.enter(employee, each);
      const { html } = await browser.get('/account/sessions');
      const end = attributes(html, 'href').find((href) => href.endsWith('/end')) ?? 'no other session';
      await browser.get(end);
      await expectPage(browser.submit('/end'), 'account/sessions');
      await browser.get('/account/sessions/end-others');
      await expectPage(browser.submit('/end-others'), 'account/sessions');
      await house.enter(employee, android());
      await browser.get('/account/sessions/end-all');
      await expectPage(browser.submit('/end-all'), 'sign-out/done');
    },
    leaves: Array.from({ length: 4 }, () => 'session.ended person'),
  },
  {
    name: 'a logout here, and one where a service leads to',
    async walk(employee, browser) {
      await house.enter(employee, browser);
      await browser.get('/');
      await expectPage(browser.submit('/logout'), 'sign-out/done');
      await house.enter(employee, browser);
      await expectPage(browser.get('/oidc/logout'), 'sign-out/confirm');
      await expectPage(browser.submit('/oidc/logout/confirm'), 'sign-out/done');
    },
    leaves: Array.from({ length: 2 }, () => 'session.ended person'),
  },
  {
    name: 'a new address',
    async walk(employee, browser) {
      await house.enter(employee, browser);
      await askForAddress(browser, `stop.${employee.email}`);
      await browser.submit('/account/contact/stop');
      await askForAddress(browser, `salah.${employee.email}`);
      for (let time = 1; time <= 5; time += 1) await browser.submit('/account/contact/code', WRONG_CODE);
      const code = await askForAddress(browser, `baru.${employee.email}`);
      await expectPage(browser.submit('/account/contact/code', { code }), 'account/contact');
    },
    leaves: [
      'contact_change.asked person',
      'contact_change.code_sent',
      'contact_change.stopped',
      'contact_change.code_refused wrong',
      'contact_change.code_refused exhausted',
      'contact_change.done',
    ],
  },
  {
    name: '"Bukan saya", which stops a new address',
    async walk(employee, browser) {
      await house.enter(employee, browser);
      await browser.get('/account/contact');
      const { text } = await house.mailOf(employee, () =>
        browser.submit('/account/contact', { new_email: `pencuri.${employee.email}` }),
      );
      const owner = android();
      await owner.get(disavowalIn(text));
      await expectPage(owner.submit(disavowalIn(text)), 'disavow/done');
    },
    leaves: ['contact_change.stopped', 'account.disavowed', 'account.frozen owner'],
  },
  {
    name: 'a reset of MFA with a recovery code',
    async walk(employee, browser) {
      const code = await giveCodes(employee);
      const phone = await house.addPhone(employee, 'Tablet');
      await resetFactors(browser, 'now', employee);
      await browser.submit('/reset/mfa/factor', { ...wrong(employee), lost: phone.id });
      await browser.submit('/reset/mfa/recovery-code', WRONG_RECOVERY_CODE);
      await expectPage(browser.submit('/reset/mfa/recovery-code', code), 'reset/mfa/done');
    },
    leaves: [
      'self_reset.started factor',
      'self_reset.factor_refused mismatch',
      'self_reset.factor_refused recovery_code',
      'self_reset.done recovery_code',
      'device.ended self_reset',
    ],
  },
  {
    name: 'a reset of MFA with another device',
    async walk(employee, browser) {
      const phone = await house.addPhone(employee, 'Tablet');
      await resetFactors(browser, 'now', employee);
      await expectPage(browser.submit('/reset/mfa/factor', { ...fresh(employee), lost: phone.id }), 'reset/mfa/done');
    },
    leaves: ['self_reset.done device', 'device.ended self_reset'],
  },
  {
    name: 'a reset of MFA that waits, stopped in each way and then not',
    async walk(employee, browser) {
      const link = await waitForReset(browser, employee);
      const owner = android();
      await owner.get(link);
      await expectPage(owner.submit(link), 'reset/mfa/stopped');
      await house.enter(employee, owner);
      await waitForReset(browser, employee);
      await owner.get('/');
      await expectPage(owner.submit('/account/mfa-reset/stop'), 'reset/mfa/stopped');
      await resetFactors(browser, 'wait', employee);
      await browser.submit('/reset/mfa/code', WRONG_CODE);
      await waitForReset(browser, employee);
      await house.enter(employee, android());
      await waitForReset(browser, employee);
      house.time.pass({ hours: 24 });
      await expectPage(typePassword(android(), employee), 'sign-in/prove-mailbox');
    },
    leaves: [
      'self_reset.started wait',
      'self_reset.code_sent',
      'self_reset.code_refused wrong',
      'self_reset.waiting',
      'self_reset.stopped link',
      'self_reset.stopped person',
      'self_reset.stopped login',
      'self_reset.done waited',
    ],
  },
  {
    name: 'activation, up to the login',
    state: 'new',
    async walk(employee, browser) {
      const code = await resetPassword(browser, employee);
      const typed = { new_password: PASSWORD, confirm_password: PASSWORD };
      await browser.submit('/reset/password/code', { ...WRONG_CODE, ...typed });
      await expectPage(browser.submit('/reset/password/code', { code, ...typed }), 'reset/password/done');
      await expectPage(typePassword(browser, employee), 'sign-in/enrol');
    },
    leaves: [
      'reset.started',
      'reset.email_refused',
      'reset.code_sent',
      'reset.code_refused wrong',
      'password.changed activation',
      'account.activated',
      'sign_in.mailbox_proved reset',
    ],
  },
  {
    name: 'activation with a slip',
    state: 'new',
    async walk(employee, browser) {
      const { db, activationSlips } = house.services;
      const [officer] = await addEmployees(house.services, { count: 1, state: 'password' });
      const by = { officerId: officer?.id ?? employee.id, trace: { agent: { browser: 'Chrome', system: 'Android' } } };
      const made = await db.transaction((tx) => activationSlips.issue(tx, { accountId: employee.id, by }));
      for (const slip of ['AAAA-AAAA-AAAA-AAAA', activationSlips.codeOf(made?.slipId ?? '')]) {
        await browser.get('/aktivasi');
        await browser.submit('/aktivasi', { username: employee.nip, slip, captcha: CAPTCHA });
      }
      const typed = { new_password: PASSWORD, confirm_password: PASSWORD };
      await expectPage(browser.submit('/aktivasi/password', typed), 'activate/done');
    },
    leaves: ['slip.refused', 'slip.accepted', 'password.changed activation', 'account.activated'],
  },
  {
    name: 'a forgotten password',
    async walk(employee, browser) {
      const code = await resetPassword(browser, employee);
      const typed = { code, new_password: NEW, confirm_password: NEW };
      await browser.submit('/reset/password/code', { ...typed, ...wrong(employee) });
      await expectPage(browser.submit('/reset/password/code', { ...typed, ...fresh(employee) }), 'reset/password/done');
    },
    leaves: ['reset.otp_refused mismatch', 'password.changed reset'],
  },
  {
    name: 'a weak password, with a recovery code',
    async walk(employee, browser) {
      const { db, recoveryCodes } = house.services;
      const prepared = await recoveryCodes.prepare();
      await db.transaction((tx) => recoveryCodes.issue(tx, employee.id, prepared));
      const typed = { username: employee.nip, password: PASSWORD, new_password: NEW, confirm_password: NEW };
      await browser.get('/reset/weak');
      await expectPage(browser.submit('/reset/weak', { ...typed, otp: prepared.codes[0] ?? '' }), 'reset/weak/done');
    },
    leaves: ['reset.recovery_code_accepted', 'password.changed weak'],
  },
  {
    name: 'a forgotten password of an account that is frozen, or closed',
    async walk(employee, browser) {
      for (const change of [`frozen_at = $2`, `status = 'inactive', updated_at = $2`]) {
        await house.services.db.query(`UPDATE accounts SET ${change} WHERE id = $1`, [employee.id, house.time.now()]);
        await browser.get('/reset/password');
        await browser.submit('/reset/password', { username: employee.nip, captcha: CAPTCHA });
        await expectPage(browser.submit('/reset/password/email', { email: employee.email }), 'reset/password/code');
      }
    },
    leaves: ['reset.started', 'reset.barred frozen', 'reset.barred inactive'],
  },
  {
    name: 'a weak password',
    async walk(employee, browser) {
      const typed = { username: employee.nip, password: PASSWORD, new_password: NEW, confirm_password: NEW };
      await browser.get('/reset/weak');
      await browser.submit('/reset/weak', { ...typed, ...wrong(employee) });
      await expectPage(browser.submit('/reset/weak', { ...typed, ...fresh(employee) }), 'reset/weak/done');
    },
    leaves: ['reset.otp_refused mismatch', 'password.changed weak'],
  },
];

const seen = new Set<string>();

/** Every row of the account tells the browser, and what a journey leaves is among them. */
async function expectTold(employee: Employee, leaves: readonly string[]): Promise<void> {
  const rows = await sql('SELECT type, detail FROM audit_events WHERE account_id = $1 ORDER BY id', employee);
  const told = rows.map(({ type, detail }) => {
    const { cause, by, reason, way, browser, system } = detail as Partial<Record<string, string>>;
    const code = cause ?? by ?? reason ?? way;
    return { kind: code === undefined ? String(type) : `${String(type)} ${code}`, from: `${browser} on ${system}` };
  });
  expect(told.filter(({ from }) => from !== 'Chrome on Android')).toEqual([]);
  const left = told.map(({ kind }) => kind);
  for (const kind of new Set(leaves)) {
    const count = (all: readonly string[]): number => all.filter((each) => each === kind).length;
    expect([kind, count(left) >= count(leaves)]).toEqual([kind, true]);
  }
  for (const { type } of rows) seen.add(String(type));
}

it.each(JOURNEYS)('$name', async ({ state = 'enrolled', walk, leaves }) => {
  const [employee] = await addEmployees(house.services, { count: 1, state });
  if (employee === undefined) throw new Error('nobody was added');
  await walk(employee, android());
  await expectTold(employee, leaves);
});

it('and that was every kind of event that a browser causes', () => {
  const unseen = Object.keys(DETAILS).filter((type) => !seen.has(type));
  expect(unseen.sort()).toEqual(Object.keys(NO_BROWSER).sort());
});
