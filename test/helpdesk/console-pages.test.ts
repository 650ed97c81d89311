import { openConsoleHouse, type ConsoleHouse } from './console-house.js';
import type { Employee } from '../support/employees.js';
import type { Person, Shown } from '../support/person.js';
import { wrongFor, shownAt } from '../sign-in/house.js';
import { addEmployees, PASSWORD } from '../support/employees.js';
import { CAPTCHA } from '../support/site.js';

/** What an officer does at the console, over HTTP. */
let house: ConsoleHouse;
beforeAll(async () => {
  house = await openConsoleHouse();
});
afterAll(() => house.close());

const sql = (text: string, ...values: unknown[]) => house.services.db.query(text, values);
const pageOf = ({ id }: Employee): string => `/helpdesk/pegawai/${id}`;
const GROUNDS = { reason: 'Ponsel hilang di jalan', ticket: 'HD-1' };

/** Nobody else in the test has this name. */
async function named(employee: Employee, name: string): Promise<void> {
  await sql(`UPDATE accounts SET name = $2 WHERE id = $1`, employee.id, name);
}

async function moveTo(employee: Employee, agency: string): Promise<void> {
  await sql('UPDATE accounts SET agency_code = $2 WHERE id = $1', employee.id, agency);
}

const find = (browser: Person, who: string, more: Record<string, string> = {}): Promise<Shown> =>
  browser.get(`${house.console}/helpdesk`).then(() => browser.submit('/helpdesk', { who, agency: '', ...more }));

describe('the search', () => {
  it('leads from a NIP to the page of the person, whose address holds no NIP', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const browser = await house.onDuty(officer);
    for (const typed of [person.nip, ` ${person.nip.slice(0, 8)} ${person.nip.slice(8)} `]) {
      const shown = await find(browser, typed);
      expect(shown).toMatchObject({ status: 200, page: 'helpdesk/person', errors: [] });
      expect(shown.url.pathname).toBe(pageOf(person));
      expect(browser.trail.join(' ')).not.toContain(person.nip);
    }
  });

  it('answers unknown and out of scope alike', async () => {
    const [officer, stranger] = [await house.officer('helpdesk'), await house.somebody()];
    await moveTo(stranger, 'OTHER');
    const browser = await house.onDuty(officer);
    const answers = [];
    for (const nip of ['199912312025011999', stranger.nip]) {
      const { status, errors, html } = await find(browser, nip);
      answers.push([
        status,
        errors,
        html
          .replaceAll(nip, 'NIP')
          .replace(/id="who" [^>]*/, '')
          .replaceAll(/value="[^"]*"/g, ''),
      ]);
    }
    expect(answers[0]?.slice(0, 2)).toEqual([422, ['not_found']]);
    expect(answers[1]).toEqual(answers[0]);
  });

  it('lists people of the agency by name, and nobody else', async () => {
    const officer = await house.officer('helpdesk');
    for (const index of [0, 1, 2]) {
      const person = await house.somebody();
      await named(person, `Wulandari Nomor ${String(index)}`);
      if (index === 2) await moveTo(person, 'OTHER');
    }
    const browser = await house.onDuty(officer);
    const shown = await find(browser, 'wulan nom');
    expect(shown).toMatchObject({ status: 200, page: 'helpdesk/home' });
    expect(shown.html).toContain('Wulandari Nomor 0');
    expect(shown.html).toContain('Wulandari Nomor 1');
    expect(shown.html).not.toContain('Wulandari Nomor 2');
    expect(shown.html).toContain('value="wulan nom"');
    expect((await find(browser, 'tidakadanamaini')).html).toContain('Tidak ada nama yang cocok');
  });

  it.each([
    ['', 'invalid_input'],
    ['1990', 'invalid_input'],
    ['wu', 'invalid_input'],
  ])('refuses %j and keeps it', async (who, error) => {
    const browser = await house.onDuty(await house.officer('helpdesk'));
    const shown = await find(browser, who);
    expect(shown).toMatchObject({ status: 422, page: 'helpdesk/home', errors: [error] });
    if (who !== '') expect(shown.html).toContain(`value="${who}"`);
  });

  it('asks an operator for the agency of a name', async () => {
    const browser = await house.onDuty(await house.officer('operator'));
    expect(await find(browser, 'nama')).toMatchObject({ status: 422, errors: ['invalid_input'] });
    expect(await find(browser, 'nama', { agency: 'TIDAK' })).toMatchObject({ status: 422, errors: ['not_found'] });
    expect(await find(browser, 'nama', { agency: 'REGENCY' })).toMatchObject({ status: 200, errors: [] });
  });

  it('says that a NIP is too long', async () => {
    const browser = await house.onDuty(await house.officer('helpdesk'));
    const shown = await find(browser, '1999123120250119990');
    expect(shown).toMatchObject({ status: 422, errors: ['invalid_input'] });
    expect(shown.html).toContain('NIP terlalu panjang');
  });

  it('tells two people of one name apart by the end of their NIPs, and forgives titles', async () => {
    const [officer, one, other] = [await house.officer('helpdesk'), await house.somebody(), await house.somebody()];
    for (const person of [one, other]) await named(person, 'Pujiastuti Kembar');
    const browser = await house.onDuty(officer);
    const { html } = await find(browser, 'Dr. Pujiastuti Kembar, S.Pd., M.Pd.');
    for (const { nip } of [one, other]) expect(html).toContain(`NIP …${nip.slice(-3)}`);
  });

  it('stands above who waits for an officer, of the own agency only', async () => {
    const [officer, person, stranger] = [
      await house.officer('helpdesk'),
      await house.somebody(),
      await house.somebody(),
    ];
    await named(person, 'Pemilik Yang Menyangkal');
    await named(stranger, 'Pemilik Dari Tempat Lain');
    await moveTo(stranger, 'OTHER');
    for (const { id } of [person, stranger]) {
      await sql(
        `INSERT INTO helpdesk_cases (account_id, cause, since) VALUES ($1, 'disavowed', $2)`,
        id,
        house.time.now(),
      );
    }
    const browser = await house.onDuty(officer);
    const open = (await browser.get(`${house.console}/helpdesk`)).html;
    expect(open).toContain('data-case="disavowed"');
    expect(open).toContain('Pemilik Yang Menyangkal');
    expect(open).not.toContain('Pemilik Dari Tempat Lain');
    const looks = await sql(`SELECT detail FROM audit_events WHERE type = 'desk.listed' AND actor_id = $1`, officer.id);
    expect(looks).toContainEqual({ detail: { list: 'open_cases', count: 1 } });
    await sql(
      `UPDATE helpdesk_cases SET closed_at = since, closed_reason = 'unfrozen' WHERE account_id = $1`,
      person.id,
    );
    expect((await browser.get(`${house.console}/helpdesk`)).html).not.toContain('Pemilik Yang Menyangkal');
  });

  it('is not for an auditor', async () => {
    const browser = await house.onDuty(await house.officer('auditor'));
    expect(browser.shown.html).not.toContain('name="who"');
  });
});

describe('the page of a person', () => {
  it('begins with why they cannot get in', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const caller = house.browser();
    await house.begin(caller);
    await caller.submit('/password', { username: person.nip, password: 'salah sekali' });
    await caller.submit('/password', { username: person.nip, password: PASSWORD });
    await caller.submit('/otp', { otp: wrongFor(shownAt(person, house.time.now())) });
    const browser = await house.onDuty(officer);
    const shown = await house.open(officer, browser, pageOf(person));
    expect(shown.page).toBe('helpdesk/person');
    expect(shown.html).toContain('data-cause="code_wrong"');
    expect(shown.html).toContain('pilih baris SSO ASN');
    expect(shown.html).toContain('Reset MFA tidak diperlukan.');
    expect(shown.html).not.toContain(person.email);
    expect(shown.html).not.toContain(person.secret);
  });

  it('names the wait beside another cause, and where it is ended', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const browser = await house.onDuty(officer);
    const { db, audit, guesses } = house.services;
    const detail = { cause: 'drift', drift_minutes: -61 } as const;
    await audit.record(db, {
      type: 'sign_in.otp_refused',
      detail,
      accountId: person.id,
      requestId: 'r',
      agent: { browser: '', system: '' },
    });
    for (let wrong = 0; wrong < 5; wrong += 1) await guesses.reserve(db, person.id);
    const { html } = await house.open(officer, browser, pageOf(person));
    expect(html).toContain('data-cause="clock_drift"');
    const box = /<section class="alert[\s\S]*?<\/section>/.exec(html)?.[0] ?? '';
    expect(box).toContain('Sesudah jamnya benar: hapus waktu tunggu');
    expect(box).toContain(`${pageOf(person)}/unlock"`);
  });

  it('says after a reset what is left to do, and who did it', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    await named(officer, 'Petugas Yang Mereset');
    await sql(
      `UPDATE devices SET status = 'ended', ended_at = $2, ended_reason = 'helpdesk_reset', secret = NULL WHERE account_id = $1`,
      person.id,
      house.time.now(),
    );
    await sql(
      `INSERT INTO officer_acts (id, action, account_id, agency_code, officer_id, client_id, reason, verification, state, created_at)
       VALUES (gen_random_uuid(), 'mfa_reset', $1, 'REGENCY', $2, 'helpdesk', 'Hilang', 'presence', 'done', $3)`,
      person.id,
      officer.id,
      house.time.now(),
    );
    const browser = await house.onDuty(officer);
    const { html } = await house.open(officer, browser, pageOf(person));
    expect(html).toContain('data-cause="just_reset"');
    expect(html).toMatch(/MFA-nya direset hari ini pukul [\d.]+ WIB oleh Petugas Yang Mereset/);
    expect(html).toContain('Tindakan petugas');
  });

  it('is the same page for nobody and for somebody of another agency', async () => {
    const [officer, stranger] = [await house.officer('helpdesk'), await house.somebody()];
    await moveTo(stranger, 'OTHER');
    const browser = await house.onDuty(officer);
    const pages = [];
    for (const id of ['00000000-0000-4000-8000-000000000000', 'siapa', stranger.id]) {
      for (const path of ['', '/freeze', '/mfa-reset', '/mfa-reset/presence', '/mfa-reset/photo-id']) {
        const shown = await house.open(officer, browser, `/helpdesk/pegawai/${id}${path}`);
        pages.push([shown.status, shown.page, shown.errors]);
      }
    }
    for (const page of pages) expect(page).toEqual([404, 'helpdesk/not-found', ['not_found']]);
  });

  it('offers an officer nothing for themselves', async () => {
    const officer = await house.officer('agency_admin');
    const browser = await house.onDuty(officer);
    const shown = await house.open(officer, browser, pageOf(officer));
    expect(shown.html).toContain('Ini akun Anda sendiri');
    expect(shown.html).not.toContain(`${pageOf(officer)}/`);
  });
});

describe('an act', () => {
  const act = async (
    officer: Employee,
    browser: Person,
    person: Employee,
    path: string,
    fields = {},
  ): Promise<Shown> => {
    const asked = await house.open(officer, browser, `${pageOf(person)}/${path}`);
    expect(asked.page).toBe('helpdesk/act');
    return browser.submit(`/${path}`, { ...GROUNDS, ...fields });
  };
  const done = ({ html }: Shown): string | undefined => /data-done="(\w+)"/.exec(html)?.[1];

  it.each([
    ['sessions-end', 'sessions_end'],
    ['freeze', 'freeze'],
    ['contact-change', 'contact_change'],
  ])('%s is done after a page that asks, and its person’s page says what comes next', async (path, action) => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    await house.enter(person);
    const browser = await house.onDuty(officer);
    const shown = await act(
      officer,
      browser,
      person,
      path,
      path === 'contact-change' ? { new_email: 'baru@contoh.example' } : {},
    );
    expect(shown).toMatchObject({ status: 200, page: 'helpdesk/person' });
    expect(done(shown)).toBe(action);
    // Once.
    expect(done(await browser.get(`${house.console}${pageOf(person)}`))).toBeUndefined();
  });

  it('wants a reason, and keeps what was typed', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const browser = await house.onDuty(officer);
    const shown = await act(officer, browser, person, 'freeze', { reason: ' ', ticket: 'HD-7' });
    expect(shown).toMatchObject({ status: 422, page: 'helpdesk/act', errors: ['invalid_input'] });
    expect(shown.html).toContain('value="HD-7"');
    expect(await sql('SELECT 1 FROM accounts WHERE id = $1 AND frozen_at IS NOT NULL', person.id)).toEqual([]);
  });

  it('wants a second factor of the last five minutes', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const browser = await house.onDuty(officer);
    house.time.pass({ minutes: 6 });
    expect((await browser.get(`${house.console}${pageOf(person)}`)).page).toBe('helpdesk/person');
    expect((await browser.get(`${house.console}${pageOf(person)}/freeze`)).page).toBe('sign-in/otp');
  });

  it('a slip that two had to agree on is shown to the second, once', async () => {
    const [first, second] = [await house.officer('helpdesk'), await house.officer('helpdesk')];
    const [person] = await addEmployees(house.services, { count: 1, state: 'new' });
    if (person === undefined) throw new Error('nobody was added');
    await sql('UPDATE agencies SET two_officers = true WHERE code = $1', 'REGENCY');
    try {
      const browser = await house.onDuty(first);
      expect(done(await act(first, browser, person, 'activation-slip'))).toBe('awaiting');
      const own = await browser.get(`${house.console}/helpdesk/approvals`);
      const path = /\/helpdesk\/approvals\/[\w-]{36}/.exec(own.html)?.[0] ?? '';
      const other = await house.onDuty(second);
      await house.open(second, other, path);
      const shown = await other.submit('/approve');
      expect(shown).toMatchObject({ status: 200, page: 'helpdesk/slip' });
      expect(shown.html).toMatch(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/);
    } finally {
      await sql('UPDATE agencies SET two_officers = false WHERE code = $1', 'REGENCY');
    }
  });

  it('for an officer waits for a second one, who agrees on the page of approvals', async () => {
    const [first, second] = [await house.officer('agency_admin'), await house.officer('agency_admin')];
    const target = await house.officer('helpdesk');
    const browser = await house.onDuty(first);
    expect(done(await act(first, browser, target, 'freeze'))).toBe('awaiting');

    expect((await browser.get(`${house.console}${pageOf(target)}`)).html).toContain('data-waiting="freeze"');
    const own = await browser.get(`${house.console}/helpdesk/approvals`);
    const path = /\/helpdesk\/approvals\/[\w-]{36}/.exec(own.html)?.[0] ?? '';
    const mine = await house.open(first, browser, path);
    expect(mine.html).not.toContain('/approve"');
    expect(mine.html).toContain('Tarik kembali');

    const other = await house.onDuty(second);
    expect(other.shown.html).toMatch(/Menunggu persetujuan Anda: [1-9]/);
    const asked = await house.open(second, other, path);
    expect(asked).toMatchObject({ page: 'helpdesk/approval', errors: [] });
    expect(asked.html).toContain(GROUNDS.reason);
    expect(done(await other.submit('/approve'))).toBe('approved');
    expect(await sql('SELECT 1 FROM accounts WHERE id = $1 AND frozen_at IS NOT NULL', target.id)).toHaveLength(1);
    for (const [officer, theirs] of [
      [first, browser],
      [second, other],
    ] as const) {
      const decided = await house.open(officer, theirs, path);
      expect(decided).toMatchObject({ status: 200, page: 'helpdesk/approval/decided' });
      expect(decided.html).toContain('data-state="done"');
    }
    const stranger = await house.officer('helpdesk', 'OTHER');
    const away = await house.open(stranger, await house.onDuty(stranger), path);
    expect(away).toMatchObject({ status: 404, page: 'helpdesk/not-found' });
  });

  it('can be turned down, and then nothing was done', async () => {
    const [first, second] = [await house.officer('agency_admin'), await house.officer('agency_admin')];
    const target = await house.officer('helpdesk');
    const browser = await house.onDuty(first);
    await act(first, browser, target, 'freeze');
    const other = await house.onDuty(second);
    const list = await other.get(`${house.console}/helpdesk/approvals`);
    const path = [...list.html.matchAll(/\/helpdesk\/approvals\/[\w-]{36}/g)].at(-1)?.[0] ?? '';
    await house.open(second, other, path);
    expect(done(await other.submit('/reject'))).toBe('rejected');
    expect(await sql('SELECT 1 FROM accounts WHERE id = $1 AND frozen_at IS NOT NULL', target.id)).toEqual([]);
  });

  it('a slip is shown once, and opens the way to the first password', async () => {
    const officer = await house.officer('helpdesk');
    const [person] = await addEmployees(house.services, { count: 1, state: 'new' });
    if (person === undefined) throw new Error('nobody was added');
    const browser = await house.onDuty(officer);
    expect((await house.open(officer, browser, pageOf(person))).html).toContain('/activation-slip"');
    const shown = await act(officer, browser, person, 'activation-slip');
    expect(shown).toMatchObject({ status: 200, page: 'helpdesk/slip' });
    expect(shown.html).not.toContain(person.nip);
    const slip = /data-slip-code="([\w-]{19})"/.exec(shown.html)?.[1] ?? '';
    const holder = house.browser();
    await holder.get('/aktivasi');
    const typed = await holder.submit('/aktivasi', { username: person.nip, slip, captcha: CAPTCHA });
    expect(typed.page).toBe('activate/password');
  });

  it('says so when the account has changed meanwhile', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const browser = await house.onDuty(officer);
    await house.open(officer, browser, `${pageOf(person)}/freeze`);
    await sql('UPDATE accounts SET frozen_at = $2 WHERE id = $1', person.id, house.time.now());
    const shown = await browser.submit('/freeze', GROUNDS);
    expect(shown).toMatchObject({ status: 422, page: 'helpdesk/act', errors: ['invalid_input'] });
    expect(shown.html).toContain('Akun ini dibekukan');
  });
});

describe('the reset of second factors', () => {
  /** The person, after a right password, with the code on their own page. */
  async function present(person: Employee): Promise<{ browser: Person; code: string; counter: string }> {
    const browser = house.browser();
    await house.begin(browser);
    await browser.submit('/password', { username: person.nip, password: PASSWORD });
    await browser.follow('/presence');
    const { html } = await browser.submit('/presence');
    const code = /data-presence-code="(\d{8})"/.exec(html)?.[1] ?? '';
    const counter = /data-counter-code="(\d{3})"/.exec(html)?.[1] ?? '';
    return { browser, code, counter };
  }
  const devicesOf = ({ id }: Employee) => sql(`SELECT 1 FROM devices WHERE account_id = $1 AND status = 'active'`, id);

  it('by presence: the officer reads back the number that the person sees', async () => {
    const [officer, person] = [await house.officer('helpdesk'), await house.somebody()];
    const browser = await house.onDuty(officer);
    const asked = await house.open(officer, browser, `${pageOf(person)}/mfa-reset/presence`);
    expect(asked.page).toBe('helpdesk/mfa-reset/presence');
    const there = await present(person);
    const typed = { presence_code: there.code, ...GROUNDS };

    const wrong = await browser.submit('/presence', { ...typed, presence_code: wrongFor(there.code).padStart(8, '1') });
    expect(wrong).toMatchObject({ status: 422, page: 'helpdesk/mfa-reset/presence', errors: ['code_invalid'] });
    expect(wrong.html).toContain(`value="${GROUNDS.ticket}"`);

    const right = await browser.submit('/presence', typed);
    expect(right).toMatchObject({ status: 200, page: 'helpdesk/mfa-reset/counter' });
    expect(/data-counter-code="(\d{3})"/.exec(right.html)?.[1]).toBe(there.counter);
    expect(await devicesOf(person)).toHaveLength(1);

    const shown = await browser.submit('/confirm');
    expect(shown).toMatchObject({ status: 200, page: 'helpdesk/person' });
    expect(shown.html).toContain('data-done="mfa_reset"');
    expect(await devicesOf(person)).toEqual([]);
  });

  it('by photo card: a second officer must agree', async () => {
    const [officer, second] = [await house.officer('helpdesk'), await house.officer('helpdesk')];
    const person = await house.somebody();
    const browser = await house.onDuty(officer);
    await house.open(officer, browser, `${pageOf(person)}/mfa-reset/photo-id`);
    expect(await browser.submit('/photo-id', { ...GROUNDS, ticket: '' })).toMatchObject({ status: 422 });
    expect((await browser.submit('/photo-id', GROUNDS)).html).toContain('data-done="awaiting"');
    expect(await devicesOf(person)).toHaveLength(1);

    const other = await house.onDuty(second);
    const list = await other.get(`${house.console}/helpdesk/approvals`);
    const path = [...list.html.matchAll(/\/helpdesk\/approvals\/[\w-]{36}/g)].at(-1)?.[0] ?? '';
    await house.open(second, other, path);
    await other.submit('/approve');
    expect(await devicesOf(person)).toEqual([]);
  });
});

describe('officers', () => {
  const list = async (browser: Person): Promise<Shown> => browser.get(`${house.console}/helpdesk/officers`);
  const done = ({ html }: Shown): string | undefined => /data-done="(\w+)"/.exec(html)?.[1];

  it('are appointed by their administrator, by NIP, and only within the own agency', async () => {
    const [admin, person] = [await house.officer('agency_admin'), await house.somebody()];
    const browser = await house.onDuty(admin);
    await house.open(admin, browser, '/helpdesk/officers/appoint');
    const typed = { nip: person.nip, role: 'helpdesk', agency: 'REGENCY', reason: 'Surat tugas 12' };
    expect(browser.shown.html).toContain('value="REGENCY"');
    expect(browser.shown.html).not.toContain('Kosongkan untuk peran nasional');
    for (const [wrong, errors, status] of [
      [{ nip: '12' }, ['invalid_input'], 422],
      [{ nip: '199912312025011999' }, ['not_found'], 422],
      [{ role: 'raja' }, ['invalid_input'], 422],
      [{ reason: '' }, ['invalid_input'], 422],
      [{ role: 'operator' }, ['forbidden'], 403],
      [{ agency: 'OTHER' }, ['forbidden'], 403],
    ] as const) {
      const shown = await browser.submit('/appoint', { ...typed, ...wrong });
      expect([wrong, shown.status, shown.errors]).toEqual([wrong, status, errors]);
      expect(shown.page).toBe('helpdesk/officers/appoint');
    }
    const shown = await browser.submit('/appoint', typed);
    expect([shown.page, done(shown)]).toEqual(['helpdesk/officers', 'act_appointed']);
    expect((await house.onDuty(person)).shown.page).toBe('helpdesk/home');
  });

  it('are removed by their administrator, with a reason, at once', async () => {
    const [admin, target] = [await house.officer('agency_admin', 'OFFICE'), await house.officer('helpdesk', 'OFFICE')];
    await named(target, 'Petugas Yang Dicopot');
    for (const officer of [admin, target]) await moveTo(officer, 'OFFICE');
    const onDuty = await house.onDuty(target);
    const browser = await house.onDuty(admin);
    const { html } = await list(browser);
    const row = html.split('<tr>').find((text) => text.includes('Petugas Yang Dicopot')) ?? '';
    const path = /\/helpdesk\/officers\/[\w-]{36}\/remove/.exec(row)?.[0] ?? '';
    const asked = await house.open(admin, browser, path);
    expect([asked.page, asked.html.includes('Petugas Yang Dicopot')]).toEqual(['helpdesk/officers/remove', true]);
    expect(await browser.submit('/remove', { reason: '' })).toMatchObject({ status: 422, errors: ['invalid_input'] });
    expect(done(await browser.submit('/remove', { reason: 'Pindah tugas' }))).toBe('act_removed');
    expect((await onDuty.get(`${house.console}/helpdesk`)).page).toBe('helpdesk/no-role');
    expect(await house.open(admin, browser, path)).toMatchObject({ status: 404, page: 'helpdesk/not-found' });
  });

  it('see no list of officers themselves', async () => {
    const officer = await house.officer('helpdesk');
    const browser = await house.onDuty(officer);
    expect(await list(browser)).toMatchObject({ status: 403, errors: ['forbidden'] });
    expect(browser.shown.html).not.toContain('href="/helpdesk/officers"');
  });
});

describe('an alarm', () => {
  it('stands at the top of an administrator’s console until they have looked at it', async () => {
    const [admin, officer] = [await house.officer('agency_admin'), await house.officer('helpdesk')];
    await sql(
      `INSERT INTO officer_alarms (kind, officer_id, agency_code, raised_at) VALUES ('burst', $1, 'REGENCY', $2)`,
      officer.id,
      house.time.now(),
    );
    const browser = await house.onDuty(admin);
    expect(browser.shown.html).toContain('data-alarm="burst"');
    expect((await house.onDuty(officer)).shown.html).not.toContain('data-alarm');
    const before = browser.shown.html.match(/data-alarm/g)?.length ?? 0;
    const shown = await browser.submit('/seen');
    expect(shown.page).toBe('helpdesk/home');
    expect(shown.html.match(/data-alarm/g)?.length ?? 0).toBe(before - 1);
  });
});
