import type { Environment } from '#src/config/load.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import { fingerprint } from '../support/fingerprint.js';
import { attribute, type Person } from '../support/person.js';
import { eventually } from '../support/processes.js';
import { openHouse, type House } from '../sign-in/house.js';
import { disavowalIn, enterPortal } from './portal.js';

/** A new e-mail address (item 10, docs/adr/0014): nothing changes before a code from the new mailbox is typed. */

const WAIT_SECONDS = 3600;
const SETTINGS: Environment = { CONTACT_CHANGE_WAIT_SECONDS: String(WAIT_SECONDS) };

let house: House;
let people: Employee[];
let count = 0;
const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};
const newAddress = (): string => `baru${(count += 1)}@surat.example`;

beforeAll(async () => {
  house = await openHouse(SETTINGS);
  people = await addEmployees(house.services, { count: 36, state: 'enrolled' });
});
afterAll(() => house.close());

const accountOf = async ({ id }: Employee) => {
  const [row] = await house.services.db.query(
    'SELECT email, email_chosen, email_imported, email_unproved FROM accounts WHERE id = $1',
    [id],
  );
  return row;
};
const emailOf = async (employee: Employee): Promise<unknown> => (await accountOf(employee))?.email;
const changesOf = async ({ id }: Employee): Promise<unknown[]> =>
  (
    await house.services.db.query('SELECT state FROM contact_changes WHERE account_id = $1 ORDER BY requested_at, id', [
      id,
    ])
  ).map(({ state }) => state);
const auditOf = async ({ id }: Employee): Promise<unknown[]> =>
  (
    await house.services.db.query(
      `SELECT type FROM audit_events WHERE account_id = $1 AND type LIKE 'contact_change.%' ORDER BY id`,
      [id],
    )
  ).map(({ type }) => type);
const mailsTo = async (address: string): Promise<readonly string[]> => {
  await eventually(
    'what is due to have left',
    async () =>
      (await house.services.db.query('SELECT 1 FROM outbox WHERE created_at <= $1', [house.time.now()])).length === 0,
  );
  return house.site.mailbox.mails.filter(({ to }) => to.includes(address)).map(({ subject }) => subject);
};

async function atContact(employee: Employee): Promise<Person> {
  const browser = house.browser();
  await enterPortal(house, browser, employee);
  await browser.get('/account/contact');
  expect(browser.shown.page).toBe('account/contact');
  return browser;
}

/** Up to the page that wants the code; answers the code. */
async function asked(employee: Employee, address = newAddress()) {
  const browser = await atContact(employee);
  const code = await house.codeFor({ email: address }, () =>
    browser.submit('/account/contact', { new_email: address }),
  );
  expect(browser.shown.page).toBe('account/contact/code');
  return { browser, code, address };
}

describe('a person', () => {
  it('sees the registered address whole, and is told when it is typed again', async () => {
    const employee = somebody();
    const browser = await atContact(employee);
    expect(browser.shown.html).toContain(`data-registered-email>${employee.email}<`);
    const refused = await browser.submit('/account/contact', { new_email: employee.email.toUpperCase() });
    expect(refused).toMatchObject({ status: 422, page: 'account/contact', errors: ['invalid_input'] });
    expect(refused.html).toContain('Ini sudah alamat terdaftar Anda');
    expect(refused.html).toContain(`value="${employee.email.toUpperCase()}"`);
    expect(await changesOf(employee)).toEqual([]);
  });

  it('whose second factors were reset keeps the address for a day: notices still reach the owner (R-11)', async () => {
    const employee = somebody();
    await house.services.db.query(
      `INSERT INTO devices (account_id, kind, status, name, created_at, activated_at, ended_at, ended_reason)
       VALUES ($1, 'totp', 'ended', 'HP lama', $2, $2, $2, 'self_reset')`,
      [employee.id, house.time.now()],
    );
    const browser = await atContact(employee);
    expect(browser.shown.html).toContain('data-closed');
    expect(browser.shown.html).not.toContain('name="new_email"');
    // A page from before the reset still has the form.
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(browser.shown.html)?.[0] ?? '', 'value') ?? '';
    expect((await browser.post('/account/contact', { csrf, new_email: newAddress() })).status).toBe(303);
    expect(await changesOf(employee)).toEqual([]);
    house.time.pass({ hours: 24, seconds: 1 });
    await asked(employee);
    expect(await changesOf(employee)).toEqual(['asked']);
  });

  it('changes the address with a code from the new mailbox; the old one is told, with "Bukan saya"', async () => {
    const employee = somebody();
    const { browser, code, address } = await asked(employee);
    expect(browser.shown.html).toContain(address);
    expect(await emailOf(employee)).toBe(employee.email);
    house.time.pass({ minutes: 2 });
    expect(await browser.submit('/account/contact/code', { code })).toMatchObject({
      page: 'account/contact',
      status: 200,
    });
    expect(attribute(browser.shown.html, 'data-done')).toBe('contact_changed');
    expect(browser.shown.html).toContain(`data-registered-email>${address}<`);
    expect(await accountOf(employee)).toEqual({
      email: address,
      email_chosen: true,
      email_imported: employee.email,
      email_unproved: false,
    });
    expect(await changesOf(employee)).toEqual(['done']);
    expect(await auditOf(employee)).toEqual([
      'contact_change.asked',
      'contact_change.code_sent',
      'contact_change.done',
    ]);
    // Not the notice that was sent when the change was asked for, which may still be on its way.
    const toldOf = () =>
      house.site.mailbox.mails.find(
        ({ to, subject }) => to.includes(employee.email) && subject === 'Alamat e-mail akun SSO ASN Anda sudah diganti',
      );
    await eventually('the old address to be told', () => toldOf() !== undefined);
    const told = toldOf() ?? { text: '', html: '' };
    expect(told.text + told.html).not.toContain(address);
    // A set: the time that is stepped over may end the lease of a mail on its way, and it is sent once more.
    expect(new Set(await mailsTo(address))).toEqual(new Set(['Kode untuk alamat e-mail baru SSO ASN']));

    // From the old address alone the account can still be frozen.
    const owner = house.browser();
    await owner.get(`${house.site.origin}${disavowalIn(told.text)}`);
    expect(owner.shown.html).toContain('data-event="contact-changed"');
    await owner.submit(disavowalIn(told.text));
    expect(owner.shown.page).toBe('disavow/done');
    expect((await browser.get('/')).page).toBe('front');
    // Both mailboxes hear of it: who pressed, and where mail goes now.
    expect(await mailsTo(employee.email)).toContain('Akun SSO ASN Anda dibekukan');
    expect(await mailsTo(address)).toContain('Akun SSO ASN Anda dibekukan');
  });

  it('is asked for a fresh second factor', async () => {
    const employee = somebody();
    const browser = house.browser();
    await enterPortal(house, browser, employee);
    house.time.pass({ minutes: 6 });
    await browser.get('/account/contact');
    expect(browser.shown.page).toBe('sign-in/otp');
    await browser.submit('/otp', { otp: otpOf(employee) });
    expect(browser.shown.page).toBe('account/contact');
  });

  it.each([
    ['no address', 'siti'],
    ['two', 'a@x.example, b@x.example'],
    ['a header', 'a@x.example\r\nBcc: b@x.example'],
    ['a quoted one', '"a b"@x.example'],
    ['nothing', ' '],
    ['the registered one', 'SAME'],
  ])('who types %s is told so, and nothing is sent', async (_, typed) => {
    const employee = people[0] ?? somebody();
    const browser = await atContact(employee);
    const email = typed === 'SAME' ? employee.email.toUpperCase() : typed;
    const shown = await browser.submit('/account/contact', { new_email: email });
    expect(shown).toMatchObject({ status: 422, page: 'account/contact', errors: ['invalid_input'] });
    if (typed === 'siti') expect(shown.html).toContain('value="siti"');
    expect(await changesOf(employee)).toEqual([]);
  });

  it('types a wrong code and then the right one; five wrong ones end it', async () => {
    const employee = somebody();
    const { browser, code } = await asked(employee);
    for (let time = 1; time <= 4; time += 1) {
      expect((await browser.submit('/account/contact/code', { code: 'AAAAA-AAAAA' })).errors).toEqual(['code_invalid']);
    }
    expect((await browser.submit('/account/contact/code', { code: '' })).errors).toEqual(['invalid_input']);
    expect(await browser.submit('/account/contact/code', { code: 'AAAAA-AAAAA' })).toMatchObject({
      status: 410,
      page: 'expired',
    });
    await browser.get('/account/contact/code');
    expect(browser.shown.page).toBe('account/contact');
    expect(await changesOf(employee)).toEqual(['failed']);
    const second = await asked(employee);
    expect((await second.browser.submit('/account/contact/code', { code })).errors).toEqual(['code_invalid']);
    expect(await emailOf(employee)).toBe(employee.email);
  });

  it('gets a new code, which voids the older one; three mails an hour to one source (R-23)', async () => {
    const employee = somebody();
    const { browser, code, address } = await asked(employee);
    const second = await house.codeFor({ email: address }, () => browser.submit('/account/contact/resend'));
    await house.codeFor({ email: address }, () => browser.submit('/account/contact/resend'));
    const shown = await browser.submit('/account/contact/resend');
    expect(shown).toMatchObject({ status: 429, page: 'account/contact/code', errors: ['throttled'] });
    for (const old of [code, second]) {
      expect((await browser.submit('/account/contact/code', { code: old })).errors).toEqual(['code_invalid']);
    }
    expect(await mailsTo(address)).toHaveLength(3);
  });

  it('cannot flood one mailbox through many accounts', async () => {
    const address = newAddress();
    const answers: number[] = [];
    for (const employee of people.slice(0, 7)) {
      const browser = await atContact(employee);
      const shown = await browser.submit('/account/contact', { new_email: address });
      answers.push(shown.status);
      if (shown.page === 'account/contact/code') await browser.submit('/account/contact/stop');
    }
    expect(answers).toEqual([200, 200, 200, 200, 200, 200, 429]);
    await mailsTo(address);
    // A mail whose lease ended while the time was stepped over may come once more.
    const codes = house.site.mailbox.mails.filter(({ to }) => to.includes(address)).map(({ text }) => text);
    expect(new Set(codes).size).toBe(6);
  });

  it('may stop it, and it ends by itself after an hour', async () => {
    const employee = somebody();
    const { browser, code } = await asked(employee);
    await browser.submit('/account/contact/stop');
    expect(attribute(browser.shown.html, 'data-done')).toBe('contact_stopped');
    const second = await asked(employee);
    house.time.pass({ minutes: 14 });
    await second.browser.get('/account/contact/code');
    expect(second.browser.shown.page).toBe('account/contact/code');
    house.time.pass({ minutes: 46 });
    await second.browser.get('/account/contact/code');
    expect(second.browser.shown.html).not.toContain(second.address);
    expect(second.code).not.toBe(code);
    expect(await emailOf(employee)).toBe(employee.email);
  });

  it('taps twice: it happens once and both halves land well', async () => {
    const employee = somebody();
    const { browser, code, address } = await asked(employee);
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(browser.shown.html)?.[0] ?? '', 'value') ?? '';
    const taps = await Promise.all(
      Array.from({ length: 8 }, () => browser.post('/account/contact/code', { csrf, code })),
    );
    expect(new Set(taps.map(({ status }) => status))).toEqual(new Set([303]));
    expect(await emailOf(employee)).toBe(address);
    expect((await auditOf(employee)).filter((type) => type === 'contact_change.done')).toHaveLength(1);
  });

  it('who confirms while it is stopped: one of both happens, never half', async () => {
    const ends: unknown[] = [];
    for (let round = 0; round < 3; round += 1) {
      const employee = somebody();
      const { browser, code, address } = await asked(employee);
      const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(browser.shown.html)?.[0] ?? '', 'value') ?? '';
      await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          index % 2 === 0
            ? browser.post('/account/contact/code', { csrf, code })
            : browser.post('/account/contact/stop', { csrf }),
        ),
      );
      const [state] = await changesOf(employee);
      expect(await emailOf(employee)).toBe(state === 'done' ? address : employee.email);
      const events = (await auditOf(employee)).slice(2).filter((type) => type !== 'contact_change.code_refused');
      expect(events).toEqual([`contact_change.${String(state)}`]);
      ends.push(state);
    }
    expect(ends.every((state) => state === 'done' || state === 'stopped')).toBe(true);
  });

  it('who confirms while the account is frozen: never a new address on a frozen account', async () => {
    const employee = somebody();
    const { browser, code, address } = await asked(employee);
    const csrf = attribute(/<input[^>]*name="csrf"[^>]*>/.exec(browser.shown.html)?.[0] ?? '', 'value') ?? '';
    const { freezing } = house.services;
    await Promise.all([
      browser.post('/account/contact/code', { csrf, code }),
      freezing.byOperator({ accountId: employee.id, reason: 'Dilaporkan dicuri' }),
      browser.post('/account/contact/code', { csrf, code }),
    ]);
    const [state] = await changesOf(employee);
    expect(['done', 'stopped']).toContain(state);
    expect(await emailOf(employee)).toBe(state === 'done' ? address : employee.email);
    await browser.post('/account/contact/code', { csrf, code });
    expect(await changesOf(employee)).toEqual([state]);
  });
});

describe('an address that changed', () => {
  it('ends what was begun with the old one: a code for a reset opens nothing any more', async () => {
    const employee = somebody();
    const reset = house.browser();
    await reset.get(`${house.site.origin}/reset/password`);
    await reset.submit('/reset/password', { username: employee.nip, captcha: 'Ab3' });
    const old = await house.codeFor(employee, () => reset.submit('/reset/password/email', { email: employee.email }));
    const { browser, code } = await asked(employee);
    await browser.submit('/account/contact/code', { code });
    const typed = {
      code: old,
      new_password: 'Perahu Layar 31 biru',
      confirm_password: 'Perahu Layar 31 biru',
      otp: '',
    };
    expect((await reset.submit('/reset/password/code', typed)).page).toBe('expired');
  });
});

const order = async (employee: Employee, email = newAddress()) => {
  const { contactChanges } = house.services;
  const ordered = await contactChanges.order({
    accountId: employee.id,
    email,
    reason: 'Kotak surat mati, KTP cocok',
  });
  return { ordered, address: email };
};
const linkIn = (text: string): string => /\/alamat-baru\/[\w-]{22}/.exec(text)?.[0] ?? 'no link';
/** Waits out the wait; answers the path in the mail to the new address. */
const invited = async (address: string): Promise<string> => {
  house.time.pass({ seconds: WAIT_SECONDS });
  const mail = await house.site.mailbox.next(address);
  expect(mail.text + mail.html).not.toMatch(/\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/);
  return linkIn(mail.text);
};

describe('an officer', () => {
  it('enters an address: the old one is told at once, the new one proves itself after the wait', async () => {
    const employee = somebody();
    const told = await house.mailOf(employee, () => order(employee, 'mati@surat.example'));
    expect(told.subject).toBe('Alamat e-mail akun SSO ASN Anda akan diganti');
    expect(told.text).not.toContain('mati@surat.example');
    expect(disavowalIn(told.text)).toMatch(/^\/bukan-saya/);
    house.time.pass({ seconds: WAIT_SECONDS - 2 });
    expect(await mailsTo('mati@surat.example')).toEqual([]);
    const link = await invited('mati@surat.example');

    await mailsTo('mati@surat.example');
    const before = await fingerprint(house.services.db);
    const browser = house.browser();
    for (const path of [link, `${link}/kode`, link]) {
      await browser.get(`${house.site.origin}${path}`);
      expect(browser.shown).toMatchObject({ status: 200, page: 'contact/start' });
    }
    expect(browser.shown.html).not.toMatch(new RegExp(`${employee.nip}|mati@surat`));
    expect(await fingerprint(house.services.db)).toEqual(before);

    const code = await house.codeFor({ email: 'mati@surat.example' }, () => browser.submit(link));
    expect(browser.shown.page).toBe('contact/code');
    expect((await browser.submit(`${link}/kode`, { code: 'AAAAA-AAAAA' })).errors).toEqual(['code_invalid']);
    expect(await emailOf(employee)).toBe(employee.email);
    expect((await browser.submit(`${link}/kode`, { code })).page).toBe('contact/done');
    expect(await emailOf(employee)).toBe('mati@surat.example');
    expect(await changesOf(employee)).toEqual(['done']);
    expect(await mailsTo(employee.email)).toContain('Alamat e-mail akun SSO ASN Anda sudah diganti');
    expect((await house.browser().get(`${house.site.origin}${link}`)).page).toBe('contact/done');
  });

  it('is stopped by the old address, and by who is logged in; then the new one hears nothing', async () => {
    const employee = somebody();
    const first = await house.mailOf(employee, () => order(employee, 'satu@surat.example'));
    const browser = await atContact(employee);
    expect(attribute(browser.shown.html, 'data-change')).toBe('waiting');
    await browser.submit('/account/contact/stop');
    await order(employee, 'dua@surat.example');
    const owner = house.browser();
    await owner.get(`${house.site.origin}${disavowalIn(first.text)}`);
    await owner.submit(disavowalIn(first.text));
    expect(owner.shown.page).toBe('disavow/done');
    expect(await changesOf(employee)).toEqual(['stopped', 'stopped']);
    house.time.pass({ seconds: WAIT_SECONDS });
    expect([await mailsTo('satu@surat.example'), await mailsTo('dua@surat.example')]).toEqual([[], []]);
  });

  it('whose link is too old, or whose order was replaced, is told as gone', async () => {
    const employee = somebody();
    const { address } = await order(employee);
    const link = await invited(address);
    await order(employee);
    const shown = await house.browser().get(`${house.site.origin}${link}`);
    expect(shown).toMatchObject({ status: 410, page: 'link-gone', errors: ['flow_expired'] });
    const second = newAddress();
    await order(employee, second);
    const other = await invited(second);
    house.time.pass({ hours: 7 * 24 });
    const browser = house.browser();
    expect((await browser.get(`${house.site.origin}${other}`)).status).toBe(410);
    expect(await emailOf(employee)).toBe(employee.email);
  });

  it('gets a clear answer for what cannot be', async () => {
    const employee = somebody();
    expect((await order(employee, 'siti')).ordered).toEqual({ kind: 'invalid' });
    expect((await order(employee, employee.email)).ordered).toEqual({ kind: 'same' });
    await house.services.freezing.byOperator({ accountId: employee.id, reason: 'Dilaporkan dicuri' });
    expect((await order(employee)).ordered.kind).toBe('waiting');
    const login = house.browser();
    await house.begin(login);
    expect((await login.submit('/password', { username: employee.nip, password: PASSWORD })).errors).toEqual([
      'invalid_credentials',
    ]);
    const left = somebody();
    await house.services.db.query(`UPDATE accounts SET status = 'inactive' WHERE id = $1`, [left.id]);
    expect((await order(left)).ordered).toEqual({ kind: 'unusable' });
  });
});

describe('a stolen mailbox', () => {
  const care = (employee: Employee) => ({ accountId: employee.id, reason: 'Orangnya datang dengan KTP' });

  it('cannot keep its owner out: the new address comes while the account is frozen, and no mail can stop it', async () => {
    const employee = somebody();
    // Whoever was here before is told of a login in a new browser.
    await house.services.db.query('UPDATE accounts SET last_login_at = $2 WHERE id = $1', [employee.id, new Date(0)]);
    const login = () => house.mailOf(employee, () => enterPortal(house, house.browser(), employee));
    const [first, second] = [await login(), await login()];
    const thief = house.browser();
    const click = async (link: string) => {
      await thief.get(`${house.site.origin}${link}`);
      return thief.shown.status === 200 ? thief.submit(link) : thief.shown;
    };
    expect((await click(disavowalIn(first.text))).page).toBe('disavow/done');

    const address = newAddress();
    const told = await house.mailOf(employee, () => order(employee, address));
    expect(told.subject).toBe('Alamat e-mail akun SSO ASN Anda akan diganti');
    expect(told.text).toContain('BKPSDM');
    expect(told.text + told.html).not.toMatch(/bukan-saya|Masih dapat dihentikan/);
    // A link from before the freeze is still good, and ends nothing.
    expect((await click(disavowalIn(second.text))).page).toBe('disavow/done');
    expect(await changesOf(employee)).toEqual(['waiting']);

    const link = await invited(address);
    const owner = house.browser();
    await owner.get(`${house.site.origin}${link}`);
    const code = await house.codeFor({ email: address }, () => owner.submit(link));
    expect((await owner.submit(`${link}/kode`, { code })).page).toBe('contact/done');
    expect(await emailOf(employee)).toBe(address);
    await eventually('the old address to be told', async () =>
      (await mailsTo(employee.email)).some((subject) => subject.includes('sudah diganti')),
    );
    const changed = house.site.mailbox.mails.filter(
      ({ to, subject }) => to.includes(employee.email) && subject.includes('sudah diganti'),
    );
    for (const { text } of changed) expect(text).not.toContain('bukan-saya');

    const opened = await house.mailOf({ ...employee, email: address }, () =>
      house.services.freezing.lift(care(employee)),
    );
    expect(opened.text).not.toContain('bukan-saya');
    expect((await click(disavowalIn(second.text))).status).toBe(410);
    const [row] = await house.services.db.query('SELECT frozen_at FROM accounts WHERE id = $1', [employee.id]);
    expect(row).toEqual({ frozen_at: null });
  });

  it('frozen, stops what was under way, an order of before the freeze included', async () => {
    const employee = somebody();
    await order(employee);
    await house.services.freezing.byOperator(care(employee));
    expect(await changesOf(employee)).toEqual(['stopped']);
  });

  it("frozen, takes no address by the person's own code", async () => {
    const employee = somebody();
    const { code } = await asked(employee);
    const visitor = {
      ...{ browserId: 'b', address: '10.9.9.9', knownBrowser: undefined, requestId: 'r' },
      agent: { browser: '', system: '' },
      locale: 'id',
    } as const;
    // As if the freeze had not seen it.
    await house.services.db.query('UPDATE accounts SET frozen_at = $2 WHERE id = $1', [employee.id, house.time.now()]);
    expect(await house.services.contactChanges.confirm(employee.id, code, visitor)).toEqual({ kind: 'gone' });
    expect(await emailOf(employee)).toBe(employee.email);
  });

  it('ends what an operator ordered with an import that brings another address, as whatever else is under way', async () => {
    const employee = somebody();
    await order(employee);
    const { db, underWay } = house.services;
    await db.transaction(async (tx) => {
      for (const end of underWay) await end(tx, employee.id);
    });
    expect(await changesOf(employee)).toEqual(['stopped']);
  });
});
