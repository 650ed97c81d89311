import { jest } from '@jest/globals';
import { addressBucket } from '#src/throttle/address.js';
import { PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { totp } from '../support/totp.js';
import { openHouse, type House } from './house.js';

/**
 * R-25, A40: every slow hash that a request asks for waits in the line of its address, and none is made for a code that
 * is not looked at.
 */
const ADDRESS = '2001:db8:5:6::7';
const NEW = 'Gajah Merah 8 tidur-pulas';

let house: House;
/** In whose line each hash waited, since last asked. */
let lines: (string | undefined)[] = [];
beforeAll(async () => {
  house = await openHouse();
  // The real hashes: only listened to.
  const { passwords } = house.services;
  const real = { ...passwords };
  jest.spyOn(passwords, 'hash').mockImplementation((password, from) => {
    lines.push(from);
    return real.hash(password, from);
  });
  jest.spyOn(passwords, 'verify').mockImplementation((stored, password, from) => {
    lines.push(from);
    return real.verify(stored, password, from);
  });
  jest.spyOn(passwords, 'stretch').mockImplementation((secret, under) => {
    lines.push(under.from);
    return real.stretch(secret, under);
  });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await house.close();
});

async function linesOf(act: () => Promise<unknown>): Promise<(string | undefined)[]> {
  lines = [];
  await act();
  return lines;
}
const ours = (count: number): string[] => Array.from({ length: count }, () => addressBucket(ADDRESS));
const somewhere = (): Person => house.browser({ 'x-forwarded-for': ADDRESS });
const tokenOn = ({ shown }: Person): string =>
  attribute(/<input[^>]*name="csrf"[^>]*>/.exec(shown.html)?.[0] ?? '', 'value') ?? '';
const WRONG = 'AAAAA-AAAAA-AAAAA';

async function giveCodes({ id }: Employee): Promise<readonly string[]> {
  const { db, recoveryCodes } = house.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, id, prepared));
  return prepared.codes;
}

async function toFactor(employee: Employee, browser = somewhere()): Promise<Person> {
  await browser.get(`${house.site.origin}/reset/mfa/now`);
  const shown = await browser.submit('/reset/mfa/start', {
    username: employee.nip,
    password: PASSWORD,
    captcha: CAPTCHA,
  });
  expect(shown.page).toBe('reset/mfa/factor');
  return browser;
}

describe('the line of the address', () => {
  it('is where recovery codes wait: at a login, in a reset, and when a set is made', async () => {
    const employee = await house.somebody();
    const [first = '', second = ''] = await giveCodes(employee);
    const login = somewhere();
    await house.toOtp(login, employee);
    expect(await linesOf(() => login.submit('/recovery-code', { recovery_code: first }))).toEqual(ours(1));
    const reset = await toFactor(employee);
    expect(await linesOf(() => reset.submit('/reset/mfa/recovery-code', { recovery_code: second }))).toEqual(ours(1));

    const other = await house.enter(await house.somebody(), somewhere());
    await other.get('/account/recovery-codes/renew');
    expect(await linesOf(() => other.submit('/account/recovery-codes/renew'))).toEqual(ours(10));
  });

  it('is where the codes of an enrolment wait', async () => {
    const employee = await house.somebody();
    const { db, devices } = house.services;
    await db.transaction((tx) => devices.endAll(tx, employee.id, 'helpdesk_reset'));
    const browser = somewhere();
    await house.begin(browser);
    const code = await house.codeFor(employee, () =>
      browser.submit('/password', { username: employee.nip, password: PASSWORD }),
    );
    await browser.submit('/mailbox', { code });
    const otp = totp(attribute(browser.shown.html, 'data-secret') ?? '', house.time.now());
    expect(await linesOf(() => browser.submit('/enrol', { otp, device_name: 'P' }))).toEqual(ours(10));
  });

  it('is where a new password waits, and the second half of a double tap', async () => {
    const employee = await house.somebody();
    const browser = await house.enter(employee, somewhere());
    await browser.get('/account/password');
    const typed = { password: PASSWORD, new_password: NEW, confirm_password: NEW };
    const csrf = tokenOn(browser);
    expect(await linesOf(() => browser.submit('/account/password', typed))).toEqual(ours(2));
    expect(await linesOf(() => browser.post('/account/password', { csrf, ...typed }))).toEqual(ours(2));
  });
});

it('a recovery code whose hash takes long proves nothing for whose password is typed meanwhile (R-02)', async () => {
  const [thief, victim] = [await house.somebody(), await house.somebody()];
  const [code = ''] = await giveCodes(thief);
  await giveCodes(victim);
  const browser = somewhere();
  await house.toOtp(browser, thief);
  const uid = browser.shown.url.pathname.split('/')[2] ?? '';
  const at = (path: string): string => `${house.site.origin}/sign-in/${uid}/${path}`;
  const csrf = tokenOn(browser);
  // The cap ends this person's half of the attempt while the slow hash is being made.
  for (const otp of ['000001', '000002', '000003', '000004']) await browser.post(at('otp'), { csrf, otp });
  let begin = (): void => undefined;
  let go = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const may = new Promise<void>((resolve) => (go = resolve));
  jest.spyOn(house.services.passwords, 'stretch').mockImplementationOnce(async (secret, under) => {
    begin();
    await may;
    return house.services.passwords.stretch(secret, under);
  });
  const slow = browser.post(at('recovery-code'), { csrf, recovery_code: code });
  await begun;
  expect((await browser.post(at('otp'), { csrf, otp: '000005' })).status).toBe(429);
  const typed = { csrf, username: victim.nip, password: PASSWORD };
  const password = await browser.post(at('password'), typed);
  expect(password.headers.get('location')).toBe(`/sign-in/${uid}/otp`);
  go();
  expect(await slow).toMatchObject({ status: 422, errors: ['otp_invalid'] });
  expect((await browser.get(at('otp'))).page).toBe('sign-in/otp');
  const accepted = await house.services.db.query(
    `SELECT account_id FROM audit_events WHERE account_id = ANY ($1) AND type = 'sign_in.recovery_code_accepted'`,
    [[thief.id, victim.id]],
  );
  expect(accepted).toEqual([]);
});

describe('no hash is made', () => {
  it('for a recovery code while one would have to wait, at a login or in a reset; each is written down', async () => {
    const employee = await house.somebody();
    await giveCodes(employee);
    const waiting = somewhere();
    await house.toOtp(waiting, employee);
    const reset = await toFactor(employee, somewhere());
    const guesser = somewhere();
    await house.toOtp(guesser, employee);
    for (let time = 1; time <= 5; time += 1)
      await guesser.submit('/recovery-code', { recovery_code: `AAAAA-AAAAA-0000${time}` });
    expect(guesser.shown.errors).toEqual(['throttled']);

    expect(await linesOf(() => waiting.submit('/recovery-code', { recovery_code: WRONG }))).toEqual([]);
    expect(waiting.shown).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(await linesOf(() => reset.submit('/reset/mfa/recovery-code', { recovery_code: WRONG }))).toEqual([]);
    expect(reset.shown).toMatchObject({ status: 429, errors: ['throttled'] });
    const rows = await house.services.db.query(
      `SELECT type, detail->>'limit' AS "limit", detail->>'cause' AS cause FROM audit_events
        WHERE account_id = $1 AND (type = 'sign_in.throttled' OR type = 'self_reset.factor_refused') ORDER BY id`,
      [employee.id],
    );
    expect(rows).toEqual([
      { type: 'sign_in.throttled', limit: 'otp', cause: null },
      { type: 'self_reset.factor_refused', limit: null, cause: 'throttled' },
    ]);
  });

  it('for one that is typed where none is asked for', async () => {
    const employee = await house.somebody();
    await giveCodes(employee);
    const { db, devices } = house.services;
    const login = somewhere();
    await house.toOtp(login, employee);
    const csrf = tokenOn(login);
    const uid = login.shown.url.pathname.split('/')[2] ?? '';
    const wait = somewhere();
    await wait.get(`${house.site.origin}/reset/mfa/wait`);
    await wait.submit('/reset/mfa/start', { username: employee.nip, password: PASSWORD, captcha: CAPTCHA });
    expect(wait.shown.page).toBe('reset/mfa/code');
    const typedAtWait = { csrf: tokenOn(wait), recovery_code: WRONG };
    expect(await linesOf(() => wait.post('/reset/mfa/recovery-code', typedAtWait))).toEqual([]);
    expect(wait.shown.status).toBe(410);
    await db.query(`UPDATE devices SET status = 'ended', ended_at = created_at WHERE account_id = $1`, [employee.id]);
    expect((await devices.activeOf(db, employee.id)).length).toBe(0);
    const typed = { csrf, recovery_code: WRONG };
    expect(await linesOf(() => login.post(`${house.site.origin}/sign-in/${uid}/recovery-code`, typed))).toEqual([]);
    expect(login.shown.status).toBe(303);
  });

  it('for the first code of a new authenticator while none is looked at, which is written down', async () => {
    const employee = await house.somebody();
    const { db, devices, guesses } = house.services;
    await db.transaction((tx) => devices.endAll(tx, employee.id, 'helpdesk_reset'));
    const browser = somewhere();
    await house.begin(browser);
    const code = await house.codeFor(employee, () =>
      browser.submit('/password', { username: employee.nip, password: PASSWORD }),
    );
    await browser.submit('/mailbox', { code });
    const otp = totp(attribute(browser.shown.html, 'data-secret') ?? '', house.time.now());
    // Elsewhere somebody has typed five wrong ones.
    for (let time = 1; time <= 5; time += 1) await db.transaction((tx) => guesses.reserve(tx, employee.id));
    expect(await linesOf(() => browser.submit('/enrol', { otp, device_name: 'P' }))).toEqual([]);
    expect(browser.shown).toMatchObject({ status: 429, errors: ['throttled'] });
    const rows = await db.query(
      `SELECT detail->>'limit' AS "limit" FROM audit_events WHERE account_id = $1 AND type = 'sign_in.throttled'`,
      [employee.id],
    );
    expect(rows).toEqual([{ limit: 'otp' }]);
  });
});
