import { randomUUID } from 'node:crypto';
import { holdAccount } from '#src/accounts/accounts.js';
import type { Nip } from '#src/accounts/nip.js';
import { fingerprint } from '../support/fingerprint.js';
import { disavowalIn, enterPortal } from '../account/portal.js';
import { addEmployees, PASSWORD, type Employee } from '../support/employees.js';
import { eventually } from '../support/processes.js';
import { openHouse, wrongFor, type House } from '../sign-in/house.js';
import type { Person } from '../support/person.js';
import { otpOf } from '../support/employees.js';

/** "Bukan saya": the link of a notice mail freezes the account, once; a mail scanner changes nothing. */

let house: House;
let people: Employee[];
const somebody = (): Employee => people.pop() ?? raise('nobody is left');
const raise = (why: string): never => {
  throw new Error(why);
};

beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 22, state: 'enrolled' });
  // Everybody has been here before: a first login is told to nobody.
  await house.services.db.query('UPDATE accounts SET last_login_at = $1', [new Date(0)]);
});
afterAll(() => house.close());

const audited = async (type: string, { id }: Employee): Promise<unknown[]> =>
  (
    await house.services.db.query('SELECT detail FROM audit_events WHERE type = $1 AND account_id = $2 ORDER BY id', [
      type,
      id,
    ])
  ).map(({ detail }) => detail);
const casesOf = ({ id }: Employee) =>
  house.services.db.query('SELECT cause, events, closed_at FROM helpdesk_cases WHERE account_id = $1', [id]);
const isFrozen = async ({ id }: Employee): Promise<boolean> => {
  const [row] = await house.services.db.query('SELECT frozen_at FROM accounts WHERE id = $1', [id]);
  return row?.frozen_at !== null;
};
/** How many came, once none is on its way any more. */
const mailsTo = async ({ email }: Employee, subject: RegExp): Promise<number> => {
  await eventually(
    'the outbox to be empty',
    async () => (await house.services.db.query('SELECT 1 FROM outbox')).length === 0,
  );
  return house.site.mailbox.mails.filter((mail) => mail.to.includes(email) && subject.test(mail.subject)).length;
};

/** Logs in where the account was never used; answers the link of the notice about it. */
async function loginAndLink(employee: Employee, browser = house.browser()): Promise<string> {
  const mail = await house.mailOf(employee, () => enterPortal(house, browser, employee));
  return disavowalIn(mail.text);
}
/** A browser that has nothing to do with the one that logged in. */
const open = (path: string, browser: Person = house.browser()) => browser.get(`${house.site.origin}${path}`);

describe('a login in a new browser (R-60)', () => {
  it('is told with browser, system, time and the network, coarse; the next one there is not', async () => {
    const employee = somebody();
    const browser = house.browser({
      'user-agent':
        'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36',
      'x-forwarded-for': '203.0.113.77',
    });
    const mail = await house.mailOf(employee, () => enterPortal(house, browser, employee));
    expect(mail.subject).toBe('Masuk ke SSO ASN dari peramban baru');
    expect(mail.text).toContain('Chrome di Android masuk ke akun Anda dari jaringan 203.0.113.x.');
    expect(mail.text).not.toContain('203.0.113.77');
    expect(mail.text).toMatch(/Terjadi .* pukul \d\d\.\d\d WIB/);
    await browser.submit('/logout');
    await enterPortal(house, browser, employee);
    expect(browser.shown.page).toBe('launcher');
    await enterPortal(house, house.browser(), employee);
    expect(await mailsTo(employee, /peramban baru/)).toBe(2);
  });

  it('that is the first of the account is no news', async () => {
    const [employee = raise('nobody')] = await addEmployees(house.services, { count: 1, state: 'enrolled' });
    await enterPortal(house, house.browser(), employee);
    const second = await house.mailOf(employee, () => enterPortal(house, house.browser(), employee));
    expect(second.subject).toMatch(/peramban baru/);
    expect(await mailsTo(employee, /./)).toBe(1);
  });

  it('is told in the language of that browser', async () => {
    const employee = somebody();
    const browser = house.browser({ 'accept-language': 'en' });
    const mail = await house.mailOf(employee, () => enterPortal(house, browser, employee));
    expect(mail.subject).toBe('LOGIN to SSO ASN from a new browser');
  });
});

describe('"Bukan saya"', () => {
  it('opened changes nothing, whoever opens it how often: programs open the links in mails', async () => {
    const employee = somebody();
    const link = await loginAndLink(employee);
    await mailsTo(employee, /./);
    const before = await fingerprint(house.services.db);
    for (let time = 1; time <= 3; time += 1) {
      const shown = await open(link);
      expect(shown).toMatchObject({ status: 200, page: 'disavow/confirm', errors: [] });
      expect(shown.html).toContain('data-event="new-browser"');
      expect(shown.html).not.toContain(employee.nip);
      expect(shown.html).not.toContain(employee.email);
    }
    const head = await fetch(`${house.site.origin}${link}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await fingerprint(house.services.db)).toEqual(before);
    expect(await isFrozen(employee)).toBe(false);
  });

  it('chosen on the account page does the same, once, and only with a fresh second factor', async () => {
    const employee = somebody();
    const [owner, thief] = [house.browser(), house.browser()];
    await enterPortal(house, thief, employee);
    house.time.pass({ seconds: 31 });
    await enterPortal(house, owner, employee);
    await open('/account/activity', owner);
    await open('/account/freeze', owner);
    expect(owner.shown).toMatchObject({ status: 200, page: 'account/freeze' });
    const mail = await house.mailOf(employee, () => owner.submit('/account/freeze'));
    expect(owner.shown).toMatchObject({ status: 200, page: 'disavow/done' });
    expect(mail.subject).toBe('Akun SSO ASN Anda dibekukan');
    expect(await isFrozen(employee)).toBe(true);
    expect(await casesOf(employee)).toEqual([{ cause: 'disavowed', events: [], closed_at: null }]);
    for (const browser of [owner, thief]) expect((await browser.get('/')).page).toBe('front');

    const late = somebody();
    await enterPortal(house, owner, late);
    house.time.pass({ minutes: 6 });
    expect((await open('/account/freeze', owner)).page).toBe('sign-in/otp');
    expect(await isFrozen(late)).toBe(false);
  });

  it('confirmed freezes the account, ends everything that is open, opens a case and tells the person', async () => {
    const employee = somebody();
    const thief = house.browser();
    const link = await loginAndLink(employee, thief);
    expect(thief.shown.page).toBe('launcher');
    const reset = house.browser();
    await reset.get(`${house.site.origin}/reset/password`);
    await reset.submit('/reset/password', { username: employee.nip, captcha: 'Ab3' });
    const code = await house.codeFor(employee, () => reset.submit('/reset/password/email', { email: employee.email }));

    const owner = house.browser();
    await open(link, owner);
    const mail = await house.mailOf(employee, () => owner.submit(link));
    expect(owner.shown).toMatchObject({ status: 200, page: 'disavow/done' });
    expect(mail.subject).toBe('Akun SSO ASN Anda dibekukan');
    expect(mail.text).not.toContain('http');

    expect((await thief.get('/')).page).toBe('front');
    const again = await house.begin(house.browser());
    expect(again.shown.page).toBe('sign-in/password');
    const refused = house.browser();
    await house.begin(refused);
    const login = await refused.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(login.errors).toEqual(['invalid_credentials']);
    const typed = { code, new_password: 'Perahu Layar 31 biru-biru', confirm_password: 'Perahu Layar 31 biru-biru' };
    expect((await reset.submit('/reset/password/code', typed)).page).toBe('expired');

    expect(await audited('account.frozen', employee)).toEqual([{ by: 'owner', case: expect.any(String) as string }]);
    expect(await casesOf(employee)).toEqual([
      { cause: 'disavowed', events: [{ kind: 'new-browser', at: expect.any(String) as string }], closed_at: null },
    ]);

    // Nothing of it lives on when the account is opened again.
    const { freezing } = house.services;
    const order = { accountId: employee.id, reason: 'Diperiksa di loket', keepPassword: true };
    expect(await freezing.lift(order)).toMatchObject({ kind: 'lifted', cases: 1, passwordDisabled: false });
    expect((await thief.get('/')).page).toBe('front');
    expect((await reset.get('/reset/password/code')).page).not.toBe('reset/password/code');
    expect((await open(link)).status).toBe(410);
    expect((await enterPortal(house, house.browser(), employee)).page).toBe('launcher');
  });

  it('lifted, gives nothing back to who had the password: the owner makes a new one by mail and factor', async () => {
    const employee = somebody();
    const thief = house.browser();
    const link = await loginAndLink(employee, thief);
    const owner = house.browser();
    await open(link, owner);
    await owner.submit(link);
    const order = { accountId: employee.id, reason: 'Datang dengan KTP' };
    const told = await house.mailOf(employee, () => house.services.freezing.lift(order));
    expect(told.subject).toBe('Akun SSO ASN Anda dibuka lagi');
    expect(told.text).toContain('Password lama dimatikan');
    expect(told.text + told.html).not.toContain('bukan-saya');

    await house.begin(thief);
    const refused = await thief.submit('/password', { username: employee.nip, password: PASSWORD });
    expect(refused.errors).toEqual(['invalid_credentials']);
    expect(await audited('account.unfrozen', employee)).toEqual([
      { cases: [expect.any(String) as string], password: 'disabled' },
    ]);

    await owner.get(`${house.site.origin}/reset/password`);
    await owner.submit('/reset/password', { username: employee.nip, captcha: 'Ab3' });
    const code = await house.codeFor(employee, () => owner.submit('/reset/password/email', { email: employee.email }));
    const chosen = { code, new_password: 'Perahu Layar 31 biru-biru', confirm_password: 'Perahu Layar 31 biru-biru' };
    expect((await owner.submit('/reset/password/code', { ...chosen, otp: '' })).errors).toEqual(['otp_required']);
    house.time.pass({ seconds: 31 });
    await owner.submit('/reset/password/code', { ...chosen, otp: otpOf(employee) });
    await house.begin(owner);
    const login = await owner.submit('/password', { username: employee.nip, password: chosen.new_password });
    expect(login.page).toBe('sign-in/otp');
  });

  it('tells nothing by a link while the account is frozen, nor with what waited for the end of it', async () => {
    const employee = somebody();
    const { freezing, accountMail, db } = house.services;
    const account = { id: employee.id, nip: employee.nip as Nip, name: 'Nama Pegawai', email: employee.email };
    const order = { accountId: employee.id, reason: 'Dilaporkan dicuri' };
    const tell = () =>
      db.transaction((tx) =>
        accountMail.queue(tx, { account, mail: 'password-changed', data: { at: house.time.now() } }),
      );
    const before = await house.mailOf(employee, tell);
    expect(disavowalIn(before.text)).not.toBe('no link');
    await freezing.byOperator(order);
    const during = await house.mailOf(employee, tell);
    expect(during.text + during.html).not.toContain('bukan-saya');
    // An older link is no harm: there is nothing left to freeze, and it ends nothing.
    const browser = house.browser();
    await open(disavowalIn(before.text), browser);
    expect((await browser.submit(disavowalIn(before.text))).page).toBe('disavow/done');
    expect(await audited('account.frozen', employee)).toHaveLength(1);
    const after = await house.mailOf(employee, () => freezing.lift(order));
    expect(after.text + after.html).not.toContain('bukan-saya');
    expect(disavowalIn((await house.mailOf(employee, tell)).text)).not.toBe('no link');
  });

  it('that meets the lifting of a freeze waits for it, and holds nothing that it needs', async () => {
    const employee = somebody();
    const link = await loginAndLink(employee);
    const { db, freezing, disavowals } = house.services;
    const token = link.slice('/bukan-saya/'.length);
    let answer: Promise<unknown> = Promise.resolve();
    // The same steps as lifting: the account, then its links, with the other one in between.
    await db.transaction(async (tx) => {
      await holdAccount(tx, employee.id);
      answer = freezing.disavow(token, { requestId: randomUUID(), agent: { browser: '', system: '' }, locale: 'id' });
      await eventually('it to wait', async () => {
        const [row] = await db.query(`SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`);
        return row?.waiting === 1;
      });
      await disavowals.voidAll(tx, employee.id);
    });
    expect(await answer).toEqual({ kind: 'gone' });
    expect(await isFrozen(employee)).toBe(false);
  });

  it('of a session that has just ended freezes nothing (R-11)', async () => {
    const employee = somebody();
    const browser = house.browser();
    await enterPortal(house, browser, employee);
    const { db, freezing, endSessions } = house.services;
    const [session] = await db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [employee.id]);
    const owner = { accountId: employee.id, sessionUid: String(session?.uid) };
    const visitor = { requestId: randomUUID(), agent: { browser: '', system: '' }, locale: 'id' } as const;
    await db.transaction((tx) => endSessions.ofAccounts(tx, [employee.id]));
    expect(await freezing.byOwner(owner, visitor)).toEqual({ kind: 'signed_out' });
    expect(await isFrozen(employee)).toBe(false);
    // The second half of a double tap finds the first half's work.
    await freezing.byOperator({ accountId: employee.id, reason: 'Dilaporkan dicuri' });
    expect(await freezing.byOwner(owner, visitor)).toEqual({ kind: 'frozen' });
    expect(await audited('account.disavowed', employee)).toEqual([]);
  });

  it('tapped twice says the same twice', async () => {
    const employee = somebody();
    const link = await loginAndLink(employee);
    const [left, right] = [house.browser(), house.browser()];
    await open(link, left);
    await open(link, right);
    expect((await left.submit(link)).page).toBe('disavow/done');
    expect((await right.submit(link)).page).toBe('disavow/done');
    expect((await open(link)).page).toBe('disavow/done');
    expect(await audited('account.frozen', employee)).toHaveLength(1);
    expect(await mailsTo(employee, /dibekukan/)).toBe(1);
  });

  it('sent sixteen times at once, from two mails, freezes once (R-05)', async () => {
    const employee = somebody();
    const links = [await loginAndLink(employee), await loginAndLink(employee)];
    const browsers = await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const browser = house.browser();
        const link = links[index % 2] ?? '';
        await open(link, browser);
        return { browser, link };
      }),
    );
    const answers = await Promise.all(browsers.map(({ browser, link }) => browser.submit(link)));
    expect(answers.map(({ status, page }) => [status, page])).toEqual(
      Array.from({ length: 16 }, () => [200, 'disavow/done']),
    );
    expect(await audited('account.frozen', employee)).toHaveLength(1);
    expect(await audited('account.disavowed', employee)).toHaveLength(2);
    expect(await casesOf(employee)).toHaveLength(1);
    const [{ cred_epoch: epoch } = {}] = await house.services.db.query(
      'SELECT cred_epoch FROM accounts WHERE id = $1',
      [employee.id],
    );
    // One for the password that the test gave them, one for the freeze.
    expect(epoch).toBe(2);
    expect(await mailsTo(employee, /dibekukan/)).toBe(1);
  });

  it.each([
    ['unknown', '/bukan-saya/AAAAAAAAAAAAAAAAAAAAAA'],
    ['cut off', '/bukan-saya/x'],
    ['something else', `/bukan-saya/${'%20'.repeat(300)}`],
  ])('%s is told as gone, with what to do instead', async (_, link) => {
    const shown = await open(link);
    expect(shown).toMatchObject({ status: 410, page: 'link-gone', errors: ['flow_expired'] });
    expect(shown.html).toContain('href="/reset"');
  });

  it('works for ten days, to the second', async () => {
    const employee = somebody();
    const browser = house.browser();
    const link = await loginAndLink(employee);
    house.time.pass({ hours: 240, seconds: -1 });
    expect((await open(link, browser)).page).toBe('disavow/confirm');
    house.time.pass({ seconds: 1 });
    expect(await browser.submit(link)).toMatchObject({ status: 410, page: 'link-gone' });
    expect((await open(link)).status).toBe(410);
    expect(await isFrozen(employee)).toBe(false);
  });

  it('stands in every notice, not in a mail with a code', async () => {
    const employee = somebody();
    const browser = house.browser();
    await house.toOtp(browser, employee);
    const warned = await house.mailOf(employee, async () => {
      for (let time = 1; time <= 3; time += 1) {
        await browser.submit('/otp', { otp: wrongFor(otpOf(employee)) });
        house.time.pass({ seconds: 31 });
      }
    });
    expect(disavowalIn(warned.text)).toMatch(/^\/bukan-saya\//);
    expect(warned.html).toContain(`href="${house.site.origin}${disavowalIn(warned.text)}"`);
    const reset = house.browser();
    await reset.get(`${house.site.origin}/reset/password`);
    await reset.submit('/reset/password', { username: employee.nip, captcha: 'Ab3' });
    const coded = await house.mailOf(employee, () => reset.submit('/reset/password/email', { email: employee.email }));
    expect(coded.text).toMatch(/\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/);
    expect(coded.text + coded.html).not.toMatch(/https?:|href/);
  });
});

describe('an operator', () => {
  it('freezes and opens again, each once; links of older mails end', async () => {
    const employee = somebody();
    const browser = house.browser();
    const link = await loginAndLink(employee, browser);
    const { freezing } = house.services;
    const order = { accountId: employee.id, reason: 'Dilaporkan dicuri' };
    const answers = await Promise.all(Array.from({ length: 8 }, () => freezing.byOperator(order)));
    expect(answers.map(({ kind }) => kind).sort()).toEqual([...Array.from({ length: 7 }, () => 'already'), 'frozen']);
    expect((await browser.get('/')).page).toBe('front');
    expect(await casesOf(employee)).toEqual([{ cause: 'frozen_by_operator', events: [], closed_at: null }]);
    const lifted = await Promise.all(Array.from({ length: 8 }, () => freezing.lift(order)));
    expect(lifted.filter(({ kind }) => kind === 'lifted')).toMatchObject([
      { kind: 'lifted', cases: 1, passwordDisabled: false },
    ]);
    expect(await audited('account.unfrozen', employee)).toHaveLength(1);
    expect((await open(link)).status).toBe(410);
    expect([await mailsTo(employee, /dibekukan/), await mailsTo(employee, /dibuka lagi/)]).toEqual([1, 1]);
  });
});
