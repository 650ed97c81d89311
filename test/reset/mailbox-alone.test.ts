import { addEmployees, PASSWORD, type Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { openHouse, shownAt, wrongFor, type House } from '../sign-in/house.js';
import { addPasskey, endApps } from '../sign-in/passkeys.js';

/** Whoever holds the mailbox and nothing else, against every kind of account that has a factor. */
let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const NEW = 'Gajah Merah 8 tidur-pulas';
/** As often as would close an app after the right password. */
const SPELLS = 12;

async function somebody(): Promise<Employee> {
  const [one] = await addEmployees(house.services, { count: 1, state: 'enrolled' });
  if (one === undefined) throw new Error('nobody was added');
  return one;
}
async function giveCodes({ id }: Employee): Promise<readonly string[]> {
  const { db, recoveryCodes } = house.services;
  const prepared = await recoveryCodes.prepare();
  await db.transaction((tx) => recoveryCodes.issue(tx, id, prepared));
  return prepared.codes;
}
const close = async ({ id }: Employee): Promise<unknown> =>
  house.services.db.transaction((tx) => house.services.devices.closeApps(tx, id));

/** What there is of somebody: password, factors, sessions, and what waits. */
async function held({ id }: Employee): Promise<unknown> {
  const [row] = await house.services.db.query(
    `SELECT (SELECT password_hash FROM credentials WHERE account_id = $1) AS password,
            (SELECT jsonb_agg(jsonb_build_array(id, status, closed_at, secret) ORDER BY id) FROM devices
              WHERE account_id = $1) AS devices,
            (SELECT jsonb_agg(jsonb_build_array(c.hash, c.spent_at, s.ended_at) ORDER BY c.hash)
               FROM recovery_codes c JOIN recovery_code_sets s ON s.id = c.set_id WHERE s.account_id = $1) AS codes,
            (SELECT count(*) FROM sso_sessions WHERE account_id = $1) AS sessions,
            (SELECT count(*) FROM waiting_resets WHERE account_id = $1) AS resets,
            (SELECT count(*) FROM enrolment_tickets WHERE account_id = $1) AS tickets`,
    [id],
  );
  return row;
}

/** To the last page of the reset, with the code that was mailed. */
async function mailed(browser: Person, employee: Employee): Promise<string> {
  await browser.get(`${house.site.origin}/reset/password`);
  await browser.submit('/reset/password', { username: employee.nip, captcha: CAPTCHA });
  return house.codeFor(employee, () => browser.submit('/reset/password/email', { email: employee.email }));
}
const finish = (browser: Person, code: string, otp: string): Promise<Shown> =>
  browser.submit('/reset/password/code', { code, new_password: NEW, confirm_password: NEW, otp });

const KINDS: readonly [string, (employee: Employee) => Promise<unknown>][] = [
  ['an app', () => Promise.resolve()],
  ['an app and recovery codes', giveCodes],
  [
    'nothing but a passkey',
    async (employee) => {
      await addPasskey(house, employee.id);
      await endApps(house, employee.id);
    },
  ],
  [
    'a passkey and recovery codes',
    async (employee) => {
      await addPasskey(house, employee.id);
      await endApps(house, employee.id);
      await giveCodes(employee);
    },
  ],
  ['a closed app', close],
  [
    'a closed app and a passkey',
    async (employee) => {
      await addPasskey(house, employee.id);
      await close(employee);
    },
  ],
];

describe('the mailbox alone', () => {
  it.each(KINDS)('changes nothing of who has %s, and logs nobody in', async (_kind, furnish) => {
    const employee = await somebody();
    await furnish(employee);
    const before = await held(employee);
    const answers = new Set<string>();
    for (let spell = 0; spell < SPELLS; spell += 1) {
      const thief = house.browser();
      const code = await mailed(thief, employee);
      expect((await finish(thief, code, '')).errors).toEqual(['otp_required']);
      const wrong = wrongFor(shownAt(employee, house.time.now()));
      for (let turn = 0; turn < 5; turn += 1) {
        const otp = turn % 2 === 0 ? `AAAAA-BBBBB-0${spell % 10}00${turn}` : wrong.replace(/.$/, String(turn));
        const shown = await finish(thief, '', otp);
        answers.add(shown.errors.join());
      }
      house.time.pass({ minutes: 61 });
    }
    // Half of the tries and no more: the rest is for who knows the password.
    expect([...answers].sort()).toEqual(['otp_invalid', 'throttled']);
    expect(await held(employee)).toEqual(before);

    const thief = house.browser();
    await house.begin(thief);
    const login = await thief.submit('/password', { username: employee.nip, password: NEW });
    expect(login.errors).toEqual(['invalid_credentials']);
    for (const way of ['now', 'wait']) {
      await thief.get(`${house.site.origin}/reset/mfa/${way}`);
      const typed = { username: employee.nip, password: NEW, captcha: CAPTCHA };
      expect((await thief.submit('/reset/mfa/start', typed)).errors).toEqual(['invalid_credentials']);
    }
    expect(await held(employee)).toEqual(before);
    const owner = house.browser();
    await house.begin(owner);
    expect((await owner.submit('/password', { username: employee.nip, password: PASSWORD })).errors).toEqual([]);
  });
});

describe('a recovery code where a reset asks for a code', () => {
  it('is spent once, in the reset that it allows, and counts with the other codes (R-07)', async () => {
    const employee = await somebody();
    const codes = await giveCodes(employee);
    const left = async () => (await house.services.recoveryCodeSets.left(house.services.db, employee.id))?.left;
    const browser = house.browser();
    const code = await mailed(browser, employee);
    for (let turn = 1; turn <= 4; turn += 1) {
      expect((await finish(browser, code, `AAAAA-BBBBB-0000${turn}`)).errors).toEqual(['otp_invalid']);
    }
    expect((await finish(browser, '', codes[0]?.replaceAll('-', ' ').toLowerCase() ?? '')).page).toBe(
      'reset/password/done',
    );
    expect(await left()).toBe(9);

    const again = house.browser();
    const other = await mailed(again, employee);
    // The count began anew with the right one: this is the first.
    expect((await finish(again, other, codes[0] ?? '')).errors).toEqual(['otp_invalid']);
    for (let turn = 2; turn <= 5; turn += 1) await finish(again, '', `AAAAA-BBBBB-0000${turn}`);
    expect(await finish(again, '', codes[1] ?? '')).toMatchObject({ status: 429, errors: ['throttled'] });
    expect(await left()).toBe(9);
    const trail = await house.services.db.query(
      `SELECT type, detail->>'cause' AS cause FROM audit_events
        WHERE account_id = $1 AND type IN ('reset.otp_refused', 'reset.recovery_code_accepted') ORDER BY id`,
      [employee.id],
    );
    expect(trail.map(({ type, cause }) => (cause ?? type) as string)).toEqual([
      ...Array<string>(4).fill('recovery_code'),
      'reset.recovery_code_accepted',
      ...Array<string>(5).fill('recovery_code'),
    ]);
  });

  it('of which few are left is followed by a mail', async () => {
    const employee = await somebody();
    const codes = await giveCodes(employee);
    const { db, recoveryCodes } = house.services;
    for (const spent of codes.slice(0, 6)) {
      const typed = await recoveryCodes.read(db, employee.id, spent);
      if (typed !== undefined) await db.transaction((tx) => recoveryCodes.redeem(tx, employee.id, typed));
    }
    const browser = house.browser();
    const code = await mailed(browser, employee);
    const mail = await house.mailOf(employee, async () => {
      expect((await finish(browser, code, codes[6] ?? '')).page).toBe('reset/password/done');
    });
    expect(mail.text).toContain('3');
  });

  it('lets no password through that was asked for while an authenticator was being bound', async () => {
    const [employee] = await addEmployees(house.services, { count: 1, state: 'password' });
    if (employee === undefined) throw new Error('nobody was added');
    const { db } = house.services;
    const thief = house.browser();
    const code = await mailed(thief, employee);
    let going: Promise<Shown> | undefined;
    await db.transaction(async (tx) => {
      await tx.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [employee.id]);
      await tx.query(
        `INSERT INTO devices (id, account_id, kind, status, name, secret, created_at, activated_at)
         VALUES (gen_random_uuid(), $1, 'totp', 'active', 'Ponsel', 'sealed', $2, $2)`,
        [employee.id, house.time.now()],
      );
      going = finish(thief, code, '');
      // Until the reset waits for the account.
      for (let round = 0; round < 1_000; round += 1) {
        const [row] = await db.query(
          `SELECT count(*)::integer AS waiting FROM pg_stat_activity
            WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        );
        if (row?.waiting !== 0) break;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    expect((await going)?.errors).toEqual(['otp_required']);
  });
});
