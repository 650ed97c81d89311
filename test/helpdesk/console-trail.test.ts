import { parse } from 'csv-parse/sync';
import { saveAgencies } from '#src/accounts/agencies.js';
import { agencyCode } from '#src/kernel/ids.js';
import type { Employee } from '../support/employees.js';
import { otpOf } from '../support/employees.js';
import { attributes, type Person, type Shown } from '../support/person.js';
import { openConsoleHouse, type ConsoleHouse } from './console-house.js';

/** The audit trail at the console, over HTTP: whose, by whom, and as a file. */
let house: ConsoleHouse;
let within: Employee;
let beyond: Employee;

beforeAll(async () => {
  house = await openConsoleHouse();
  const { db } = house.services;
  await db.transaction((tx) =>
    saveAgencies(tx, {
      agencies: [{ code: agencyCode('BEYOND'), name: 'Kota Lain', parentCode: undefined }],
      now: house.services.clock.now(),
    }),
  );
  [within, beyond] = [await house.somebody(), await house.somebody()];
  for (const [person, name] of [
    [within, 'Wulan Dalam'],
    [beyond, 'Bagas Luar'],
  ] as const) {
    await sql('UPDATE accounts SET name = $2 WHERE id = $1', person.id, name);
  }
  await sql(`UPDATE accounts SET agency_code = 'BEYOND' WHERE id = $1`, beyond.id);
  await house.enter(within);
  await house.enter(beyond);
});
afterAll(() => house.close());

const sql = (text: string, ...values: unknown[]) => house.services.db.query(text, values);
const TRAIL = '/helpdesk/audit';
const trailOf = ({ id }: Employee): string => `${TRAIL}?account=${id}`;
const narrow = (browser: Person, fields: Record<string, string>): Promise<Shown> => browser.submit(TRAIL, fields);
const hasNip = (text: string, ...people: readonly Employee[]): boolean => people.some(({ nip }) => text.includes(nip));

async function at(role: Parameters<ConsoleHouse['officer']>[0], path = TRAIL): Promise<[Employee, Person, Shown]> {
  const officer = await house.officer(role);
  const browser = await house.onDuty(officer);
  return [officer, browser, await house.open(officer, browser, path)];
}

describe('whose trail', () => {
  it.each([
    ['agency_admin', true, false, true],
    ['operator', true, true, true],
    ['auditor', true, true, false],
  ] as const)('%s', async (role, seesWithin, seesBeyond, mayOpen) => {
    const [, browser, shown] = await at(role);
    expect(shown).toMatchObject({ status: 200, page: 'helpdesk/audit', errors: [] });
    // Every page of it.
    let html = shown.html;
    for (let next = shown; next.html.includes('?after='); html += next.html) {
      const [older = ''] = attributes(next.html, 'href').filter((href) => href.includes('after='));
      next = await browser.get(`${house.console}${older}`);
      expect(next.status).toBe(200);
    }
    expect([html.includes('Wulan Dalam'), html.includes('Bagas Luar')]).toEqual([seesWithin, seesBeyond]);
    expect(html.includes(`/helpdesk/pegawai/${within.id}`)).toBe(mayOpen);
    expect(shown.html).toContain('>Riwayat</a>');
    expect(Buffer.byteLength(shown.html)).toBeLessThan(16_000);
  });

  it('helpdesk: one person’s, from their page or by NIP, and nobody’s else', async () => {
    const [officer, browser, first] = await at('helpdesk');
    expect([first.status, first.page, first.html.includes('class="timeline')]).toEqual([200, 'helpdesk/audit', false]);
    expect(first.html).not.toContain('actor_nip');
    const named = await narrow(browser, { nip: within.nip });
    expect(`${named.url.pathname}${named.url.search}`).toBe(trailOf(within));
    expect(named.html).toContain('Masuk ke');
    expect(hasNip(browser.trail.join(' '), within)).toBe(false);

    await house.open(officer, browser, `/helpdesk/pegawai/${within.id}`);
    expect((await browser.follow(trailOf(within))).html).toContain('Masuk ke');

    const nobodys = '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10';
    for (const id of [beyond.id, nobodys, 'siapa']) {
      expect(await browser.get(`${house.console}${TRAIL}?account=${id}`)).toMatchObject({
        status: 404,
        page: 'helpdesk/not-found',
      });
    }
    const audited = await sql(
      `SELECT actor_id, client_id, detail->>'browser' AS browser FROM audit_events
        WHERE type = 'audit.searched' AND account_id = $1 AND actor_id = $2`,
      within.id,
      officer.id,
    );
    expect(audited).toHaveLength(2);
    expect(audited[0]).toMatchObject({ client_id: 'helpdesk' });
  });

  it('who holds no role gets no page, and a role that ended shows nothing more', async () => {
    const nobody = await house.somebody();
    expect(await house.open(nobody, house.browser(), TRAIL)).toMatchObject({ status: 403, page: 'helpdesk/no-role' });
    const [officer, browser] = await at('auditor');
    await house.take(officer, 'auditor');
    expect(await browser.get(`${house.console}${TRAIL}`)).toMatchObject({ status: 403, page: 'helpdesk/no-role' });
  });
});

describe('narrowed', () => {
  it('answers a NIP out of scope like one that nobody has, as person and as actor', async () => {
    for (const field of ['nip', 'actor_nip']) {
      const [, browser] = await at('agency_admin');
      const answers = [];
      for (const nip of ['199912312025011999', beyond.nip]) {
        const { status, errors, html } = await narrow(browser, { [field]: nip });
        answers.push([status, errors, html.replaceAll(nip, 'NIP').replaceAll(/name="csrf" value="[^"]*"/g, '')]);
        await browser.get(`${house.console}${TRAIL}`);
      }
      expect(answers[0]?.slice(0, 2)).toEqual([422, ['not_found']]);
      expect(answers[1]).toEqual(answers[0]);
    }
  });

  it('by who did it, by kind and by days, in an address without a NIP', async () => {
    const [officer, browser] = await at('auditor');
    const helper = await house.officer('helpdesk');
    const desk = await house.onDuty(helper);
    await house.open(helper, desk, `/helpdesk/pegawai/${within.id}`);
    house.time.pass({ seconds: 1 });
    await house.open(officer, browser, TRAIL);
    const shown = await narrow(browser, {
      actor_nip: helper.nip,
      kind: 'looked',
      from: '2020-01-01',
      to: '2020-12-31',
    });
    expect(shown).toMatchObject({ status: 200, errors: [] });
    expect(Object.fromEntries(shown.url.searchParams)).toEqual({
      actor: helper.id,
      kind: 'looked',
      from: '2020-01-01',
      to: '2020-12-31',
    });
    expect(shown.html).toContain('Tidak ada kejadian');
    const found = await narrow(browser, { kind: 'looked', from: '', to: '' });
    expect(found.html).toContain('Keadaan akun dilihat petugas');
    expect(found.html).toContain('Wulan Dalam');
    expect(hasNip(browser.trail.join(' '), helper)).toBe(false);
    expect(hasNip(found.html, helper, within)).toBe(false);
  });

  it.each([
    [{ nip: '1990' }, 'nip'],
    [{ actor_nip: 'bukan nip' }, 'actor_nip'],
    [{ from: '2026-13-40' }, 'from'],
    [{ to: 'kemarin' }, 'to'],
    [{ from: '2026-11-02', to: '2026-10-01' }, 'from'],
    [{ from: '2020-01-01', to: '2026-11-01' }, 'from'],
    [{ kind: 'semuanya' }, 'kind'],
  ])('%j is told at %s', async (fields, field) => {
    const [, browser] = await at('auditor');
    const shown = await narrow(browser, fields);
    expect(shown).toMatchObject({ status: 422, page: 'helpdesk/audit', errors: ['invalid_input'] });
    expect(shown.html).toContain(`data-field="${field}"`);
  });

  it('stays so after a code was asked for', async () => {
    const [officer, browser] = await at('auditor');
    house.time.pass({ minutes: 16 });
    const address = `${trailOf(within)}&kind=signed_in`;
    expect((await browser.get(`${house.console}${address}`)).page).toBe('sign-in/otp');
    house.time.pass({ seconds: 31 });
    const shown = await browser.submit('/otp', { otp: otpOf(officer) });
    expect(`${shown.url.pathname}${shown.url.search}`).toBe(address);
  });

  it('goes back to the beginning with a cursor of something else', async () => {
    const [, browser] = await at('auditor');
    const shown = await browser.get(`${house.console}${TRAIL}?after=buatan`);
    expect([shown.status, shown.url.search]).toEqual([200, '']);
  });
});

describe('as a file', () => {
  const take = (browser: Person, format: string): Promise<Shown> => {
    const action = attributes(browser.shown.html, 'action').find((each) => each.includes(`/export/${format}`)) ?? '';
    return browser.submit(action, {});
  };

  it('CSV holds the list, runs nothing, and is on record before and after', async () => {
    const person = await house.somebody();
    await sql('UPDATE accounts SET name = $2 WHERE id = $1', person.id, '=HYPERLINK("http://evil.example")');
    await house.enter(person);
    const [officer] = await at('agency_admin');
    const browser = await house.onDuty(officer);
    await house.open(officer, browser, `${trailOf(person)}&kind=signed_in`);
    const shown = await take(browser, 'csv');
    expect(shown.status).toBe(200);
    expect(shown.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(shown.headers.get('content-disposition')).toMatch(/^attachment; filename="riwayat-\d{4}-\d\d-\d\d\.csv"$/);
    expect(shown.headers.get('cache-control')).toContain('no-store');
    const rows: Record<string, string>[] = parse(shown.html, { bom: true, columns: true });
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row).toMatchObject({ event: 'sign_in.completed', account: person.id });
      expect(row.account_name).toBe(`'=HYPERLINK("http://evil.example")`);
    }
    const events = await sql(
      `SELECT type, detail->>'ended' AS ended, client_id FROM audit_events
        WHERE actor_id = $1 AND account_id = $2 AND type LIKE 'audit.export%' ORDER BY id`,
      officer.id,
      person.id,
    );
    expect(events).toEqual([
      { type: 'audit.export_begun', ended: null, client_id: 'helpdesk' },
      { type: 'audit.exported', ended: 'whole', client_id: 'helpdesk' },
    ]);
  });

  it('JSON Lines holds an agency administrator’s own agencies only', async () => {
    const [, browser] = await at('agency_admin');
    const shown = await take(browser, 'jsonl');
    expect(shown.headers.get('content-type')).toBe('application/jsonl; charset=utf-8');
    const accounts = shown.html
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { account?: { id: string } }).account?.id);
    expect([accounts.includes(within.id), accounts.includes(beyond.id)]).toEqual([true, false]);
  });

  it('wants a second factor of the last five minutes, and goes on where it was', async () => {
    const [officer, browser] = await at('auditor', trailOf(within));
    house.time.pass({ minutes: 14 });
    expect((await take(browser, 'csv')).page).toBe('sign-in/otp');
    house.time.pass({ seconds: 31 });
    const back = await browser.submit('/otp', { otp: otpOf(officer) });
    expect(`${back.url.pathname}${back.url.search}`).toBe(trailOf(within));
    expect((await take(browser, 'csv')).status).toBe(200);
  });

  it('is nobody’s beyond reach', async () => {
    const [, browser] = await at('helpdesk', trailOf(within));
    const [csrf = ''] = attributes(/<form[^>]*export[\s\S]*?<\/form>/.exec(browser.shown.html)?.[0] ?? '', 'value');
    for (const [query, status] of [
      [`?account=${beyond.id}`, 404],
      ['', 403],
      ['?account=siapa', 404],
    ] as const) {
      expect((await browser.post(`${house.console}${TRAIL}/export/csv${query}`, { csrf })).status).toBe(status);
    }
  });
});
