import type { AccountId } from '#src/kernel/ids.js';
import type { PresenceAnswer } from '#src/mfa/presence.js';
import { addEmployees, PASSWORD, type Employee } from '../support/employees.js';
import { attribute, type Person, type Shown } from '../support/person.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from './house.js';

/** A code that somebody shows to the officer before them (docs/adr/0022). */
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

async function toPresence(browser: Person, employee: Employee): Promise<Shown> {
  await house.toOtp(browser, employee);
  return browser.follow('kode kehadiran');
}
async function showCode(browser: Person, employee: Employee): Promise<Shown> {
  await toPresence(browser, employee);
  return browser.submit('/presence');
}
const codeOn = ({ html }: Shown): string => attribute(html, 'data-presence-code') ?? 'no code';
const counterOn = ({ html }: Shown): string => attribute(html, 'data-counter-code') ?? 'no number';
/** Eight other digits. */
const otherThan = (code: string): string => String((Number(code) + 50_000_000) % 100_000_000).padStart(8, '0');

async function officer(): Promise<AccountId> {
  return (await somebody()).id;
}
const judge = (how: 'check' | 'spend', employee: Employee, typed: string, officerId: Employee['id']) =>
  house.services.db.transaction((tx) =>
    house.services.presence[how](tx, { accountId: employee.id, typed, by: { officerId } }),
  );
const trailOf = async ({ id }: Employee): Promise<readonly string[]> =>
  (
    await house.services.db.query(
      `SELECT concat_ws(' ', type, detail->>'cause') AS line FROM audit_events
        WHERE account_id = $1 AND type LIKE 'presence.%' ORDER BY id`,
      [id],
    )
  ).map(({ line }) => line as string);

/** What an officer's reset does to the account, as far as the code is concerned. */
async function reset(employee: Employee, typed: string, officerId: Employee['id']): Promise<PresenceAnswer> {
  const { db, presence, operatorsReset } = house.services;
  const answer = await db.transaction((tx) => presence.spend(tx, { accountId: employee.id, typed, by: { officerId } }));
  if (answer.kind === 'right') await operatorsReset.reset({ accountId: employee.id, reason: 'di loket' });
  return answer;
}

describe('the page', () => {
  it('is led to by the page for the one-time code, and makes no code until it is asked to', async () => {
    const employee = await somebody();
    const shown = await toPresence(house.browser(), employee);
    expect([shown.page, shown.html.includes('data-presence-code')]).toEqual(['sign-in/presence', false]);
    expect(await trailOf(employee)).toEqual([]);
  });

  it('shows eight digits, three to be read back, and until when; the same when it is opened again', async () => {
    const employee = await somebody();
    const browser = house.browser();
    const shown = await showCode(browser, employee);
    expect(codeOn(shown)).toMatch(/^\d{8}$/);
    expect(counterOn(shown)).toMatch(/^\d{3}$/);
    expect(Date.parse(attribute(shown.html, 'data-until') ?? '')).toBe(house.time.now().getTime() + 600_000);
    const again = await browser.get(shown.url.href);
    expect([codeOn(again), counterOn(again)]).toEqual([codeOn(shown), counterOn(shown)]);
    expect(await trailOf(employee)).toEqual(['presence.shown']);
    const rows = await house.services.db.query('SELECT * FROM presence_codes WHERE account_id = $1', [employee.id]);
    expect(JSON.stringify(rows)).not.toContain(codeOn(shown));
  });

  it('is there while one-time codes wait, and where all factors are closed', async () => {
    const employee = await somebody();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    for (let turn = 0; turn < 5; turn += 1) {
      await browser.submit('/otp', { otp: wrongFor(shownAt(employee, house.time.now())).replace(/.$/, String(turn)) });
    }
    expect(browser.shown.errors).toEqual(['throttled']);
    const anew = house.browser();
    await house.toOtp(anew, employee);
    expect(anew.shown.errors).toEqual(['throttled']);
    await anew.follow('kode kehadiran');
    expect(codeOn(await anew.submit('/presence'))).toMatch(/^\d{8}$/);

    await house.services.db.transaction((tx) => house.services.devices.closeApps(tx, employee.id));
    const closed = house.browser();
    await house.begin(closed, PLAIN);
    const page = await closed.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(page.page).toBe('sign-in/factors-closed');
    await closed.follow('kode kehadiran');
    expect(codeOn(await closed.submit('/presence'))).toMatch(/^\d{8}$/);
  });

  it('outlives the five minutes of the page for the code, and half an hour it does not', async () => {
    const employee = await somebody();
    const browser = house.browser();
    await toPresence(browser, employee);
    const at = browser.shown.url.href;
    house.time.pass({ minutes: 29 });
    expect(codeOn(await browser.submit('/presence'))).toMatch(/^\d{8}$/);
    house.time.pass({ minutes: 2 });
    expect((await browser.get(at)).page).toBe('sign-in/password');
  });

  it('is not for who has no second factor, has not typed a password, or sits at another browser', async () => {
    const [bare] = await addEmployees(house.services, { count: 1, state: 'password' });
    const browser = house.browser();
    await house.begin(browser, PLAIN);
    const mailbox = await browser.submit('/password', { username: bare?.nip ?? '', password: PASSWORD });
    const path = mailbox.url.pathname.replace('/mailbox', '/presence');
    expect((await browser.get(path)).page).toBe('sign-in/prove-mailbox');

    const early = house.browser();
    const login = (await house.begin(early, PLAIN)).shown;
    expect((await early.get(`${login.url.pathname}/presence`)).page).toBe('sign-in/password');

    const employee = await somebody();
    const owner = house.browser();
    const shown = await showCode(owner, employee);
    const stranger = house.browser();
    await house.begin(stranger, PLAIN);
    expect(await stranger.get(shown.url.pathname)).toMatchObject({ status: 410, page: 'expired' });
    const forged = await owner.post(shown.url.pathname, {});
    expect([forged.status, forged.errors]).toEqual([403, ['csrf_mismatch']]);
    expect(codeOn(await owner.get(shown.url.href))).toBe(codeOn(shown));
  });

  it('makes twenty codes an hour for one address, and then says when', async () => {
    const employee = await somebody();
    const browser = house.browser();
    await showCode(browser, employee);
    for (let made = 1; made < 20; made += 1) await browser.submit('/presence');
    expect(browser.shown.status).toBe(200);
    const refused = await browser.submit('/presence');
    expect([refused.status, refused.errors]).toEqual([429, ['throttled']]);
    expect(await trailOf(employee)).toHaveLength(20);
  });
});

describe('a code', () => {
  it('is right for the officer who types it, in any grouping, and gives the number that the person sees', async () => {
    const employee = await somebody();
    const shown = await showCode(house.browser(), employee);
    const code = codeOn(shown);
    const by = await officer();
    for (const typed of [code, `${code.slice(0, 4)} ${code.slice(4)}`, ` ${code.slice(0, 2)}-${code.slice(2)} `]) {
      expect(await judge('check', employee, typed, by)).toMatchObject({ kind: 'right', counterCode: counterOn(shown) });
    }
    expect(await judge('spend', employee, code, by)).toMatchObject({ kind: 'right', counterCode: counterOn(shown) });
    expect(await judge('spend', employee, code, by)).toEqual({ kind: 'wrong' });
    expect(await judge('check', employee, code, by)).toEqual({ kind: 'wrong' });
    expect(await trailOf(employee)).toEqual(['presence.shown', 'presence.refused wrong', 'presence.refused wrong']);
  });

  it('is used by one of sixteen officers at once', async () => {
    const employee = await somebody();
    const code = codeOn(await showCode(house.browser(), employee));
    const officers = await Promise.all(Array.from({ length: 16 }, officer));
    const answers = await Promise.all(officers.map((by) => judge('spend', employee, code, by)));
    expect(answers.filter(({ kind }) => kind === 'right')).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'wrong')).toHaveLength(15);
  });

  it('is void after five wrong ones, however many officers guess at once', async () => {
    const employee = await somebody();
    const browser = house.browser();
    const code = codeOn(await showCode(browser, employee));
    const officers = await Promise.all(Array.from({ length: 8 }, officer));
    await Promise.all(officers.map((by) => judge('check', employee, otherThan(code), by)));
    expect(await judge('spend', employee, code, await officer())).toEqual({ kind: 'wrong' });
    const shown = await browser.get(browser.shown.url.href);
    expect(shown.html).toContain('Kode 5 kali salah diketik');
    const renewed = codeOn(await browser.submit('/presence'));
    expect(renewed).not.toBe(code);
    expect((await judge('spend', employee, renewed, await officer())).kind).toBe('right');
  });

  it('keeps an officer who guesses at 20 an hour, over all accounts; right ones do not count', async () => {
    const by = await officer();
    for (let person = 0; person < 5; person += 1) {
      const employee = await somebody();
      const code = codeOn(await showCode(house.browser(), employee));
      await Promise.all([1, 2, 3, 4].map(() => judge('check', employee, otherThan(code), by)));
      expect((await judge('check', employee, code, by)).kind).toBe(person < 4 ? 'right' : 'throttled');
    }
    const employee = await somebody();
    const code = codeOn(await showCode(house.browser(), employee));
    const refused = await judge('spend', employee, code, by);
    expect(refused.kind).toBe('throttled');
    expect(await trailOf(employee)).toEqual(['presence.shown', 'presence.refused throttled']);
    expect((await judge('spend', employee, code, await officer())).kind).toBe('right');
    house.time.pass({ minutes: 61 });
    const next = await somebody();
    const fresh = codeOn(await showCode(house.browser(), next));
    expect((await judge('check', next, fresh, by)).kind).toBe('right');
  });

  it('says the same of one that is wrong and of somebody who shows none', async () => {
    const by = await officer();
    const nobody = await somebody();
    const other = await somebody();
    const code = codeOn(await showCode(house.browser(), other));
    expect(await judge('check', nobody, code, by)).toEqual({ kind: 'wrong' });
    expect(await judge('check', other, otherThan(code), by)).toEqual({ kind: 'wrong' });
    expect(await judge('check', other, 'delapan angka', by)).toEqual({ kind: 'wrong' });
  });

  it('holds for ten minutes', async () => {
    const employee = await somebody();
    const browser = house.browser();
    const code = codeOn(await showCode(browser, employee));
    house.time.pass({ minutes: 9, seconds: 59 });
    expect((await judge('check', employee, code, await officer())).kind).toBe('right');
    house.time.pass({ seconds: 1 });
    expect((await judge('check', employee, code, await officer())).kind).toBe('wrong');
    expect((await browser.get(browser.shown.url.href)).html).toContain('Kode tidak berlaku lagi');
  });

  it('ends with a newer one, in this browser or another', async () => {
    const employee = await somebody();
    const [first, second] = [house.browser(), house.browser()];
    const older = codeOn(await showCode(first, employee));
    const newer = codeOn(await showCode(second, employee));
    expect((await judge('check', employee, older, await officer())).kind).toBe('wrong');
    expect((await judge('check', employee, newer, await officer())).kind).toBe('right');
    const shown = await first.get(first.shown.url.href);
    expect([shown.page, codeOn(shown)]).toEqual(['sign-in/presence', 'no code']);
  });

  it('ends when the person leaves, at once', async () => {
    const employee = await somebody();
    const browser = house.browser();
    const code = codeOn(await showCode(browser, employee));
    expect((await browser.submit('/withdraw')).page).toBe('sign-in/otp');
    expect((await judge('spend', employee, code, await officer())).kind).toBe('wrong');
    expect(await trailOf(employee)).toEqual(['presence.shown', 'presence.withdrawn', 'presence.refused wrong']);
  });

  const ENDINGS: readonly (readonly [string, (employee: Employee, browser: Person) => Promise<unknown>])[] = [
    [
      'the login goes on with the phone after all',
      async (employee, browser) => {
        await browser.get(browser.shown.url.pathname.replace('/presence', '/otp'));
        house.time.pass({ seconds: 31 });
        await browser.submit('/otp', { otp: shownAt(employee, house.time.now()) });
      },
    ],
    [
      'five wrong codes end the login',
      async (employee, browser) => {
        await browser.get(browser.shown.url.pathname.replace('/presence', '/otp'));
        const wrong = wrongFor(shownAt(employee, house.time.now()));
        for (let turn = 0; turn < 5; turn += 1)
          await browser.submit('/otp', { otp: wrong.replace(/.$/, String(turn)) });
      },
    ],
    [
      'the password is changed',
      ({ id }) => house.services.db.query('UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1', [id]),
    ],
    ['the account is frozen', ({ id }) => house.services.freezing.byOperator({ accountId: id, reason: 'dilaporkan' })],
    [
      'the person has left',
      ({ id }) => house.services.db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [id]),
    ],
    [
      'a crash has lost the sign-ins',
      ({ id }) => house.services.db.query('DELETE FROM sign_in_attempts WHERE account_id = $1', [id]),
    ],
  ];
  it.each(ENDINGS)('is void when %s', async (_, end) => {
    const employee = await somebody();
    const browser = house.browser();
    const code = codeOn(await showCode(browser, employee));
    await end(employee, browser);
    expect((await judge('spend', employee, code, await officer())).kind).toBe('wrong');
  });

  it('is never live for a sign-in that ended while it was being made', async () => {
    const employee = await somebody();
    await house.toOtp(house.browser(), employee);
    const { db, presence } = house.services;
    const [row] = await db.query('SELECT uid, cred_epoch FROM sign_in_attempts WHERE account_id = $1', [employee.id]);
    const at = { uid: row?.uid as never, accountId: employee.id, credEpoch: (row?.cred_epoch as number) + 1 };
    const visitor = { address: '10.0.0.1', requestId: 'r', agent: { browser: '', system: '' } } as never;
    expect(await db.transaction((tx) => presence.issue(tx, at, visitor))).toEqual({ kind: 'gone' });
  });
});

describe('after the officer has acted', () => {
  it('the page tells that it is done, and leads to the login', async () => {
    const employee = await somebody();
    const browser = house.browser();
    const shown = await showCode(browser, employee);
    expect((await reset(employee, codeOn(shown), await officer())).kind).toBe('right');
    const done = await browser.follow('Petugas sudah selesai');
    expect([done.page, done.html.includes('Reset MFA selesai')]).toEqual(['sign-in/presence', true]);
    expect((await browser.follow('LOGIN')).page).toBe('sign-in/password');
  });

  it('and while a second officer is still to agree, it tells that', async () => {
    const employee = await somebody();
    const browser = house.browser();
    const shown = await showCode(browser, employee);
    expect((await judge('spend', employee, codeOn(shown), await officer())).kind).toBe('right');
    const waits = await browser.get(shown.url.href);
    expect([codeOn(waits), waits.html.includes('menunggu petugas kedua')]).toEqual(['no code', true]);
  });
});
