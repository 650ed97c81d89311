import { createActivity, type Activity } from '#src/account/activity/activity.js';
import { createAudit } from '#src/audit/audit.js';
import type { AuditEvent } from '#src/audit/events.js';
import { agencyCode } from '#src/kernel/ids.js';
import { grantRole, revokeRole } from '#src/accounts/roles.js';
import type { Database, Row } from '#src/storage/database.js';
import { addEmployees, otpOf, PASSWORD, type Employee } from '../support/employees.js';
import type { Person } from '../support/person.js';
import { openHouse, PLAIN, shownAt, wrongFor, type House } from '../sign-in/house.js';
import { ANDROID, browserCalled, enter, WINDOWS } from './own-pages.js';

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 20, state: 'enrolled' });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};

interface Told {
  readonly text: string;
  readonly refused: boolean;
}

/** The lines of the page shown, newest first, as people read them. */
const linesOf = (html: string): Told[] =>
  [...html.matchAll(/<li( class="no")?><p><strong>([\s\S]*?)<\/li>/g)].map((match) => ({
    refused: match[1] !== undefined,
    text: (match[2] ?? '')
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .replaceAll(' ,', ',')
      .replaceAll('&#39;', "'")
      .trim(),
  }));

async function activityOf(browser: Person, language = ''): Promise<Told[]> {
  const shown = await browser.get(`${house.site.origin}/account/activity${language}`);
  if (shown.page !== 'account/activity') throw new Error(`${shown.status} ${shown.page ?? ''} instead of the activity`);
  return linesOf(shown.html);
}
const textsOf = async (browser: Person, language?: string): Promise<string[]> =>
  (await activityOf(browser, language)).map(({ text }) => text.replace(/ [0-9]{2}[.:][0-9]{2} WIB.*$/, ''));

const record = (...events: readonly AuditEvent[]) => house.services.audit.record(house.services.db, ...events);

describe('/account/activity', () => {
  it('tells logins and refusals with their cause, the browser and the time, in both languages', async () => {
    const employee = somebody();
    const stranger = browserCalled(house, WINDOWS);
    await house.begin(stranger, PLAIN);
    for (const wrong of ['satu', 'dua', 'tiga']) {
      await stranger.submit('/password', { username: employee.nip, password: wrong });
      house.time.pass({ minutes: 1 });
    }
    const mine = browserCalled(house, ANDROID);
    await house.toOtp(mine, employee, PLAIN);
    const right = shownAt(employee, house.time.now());
    await mine.submit('/otp', { otp: wrongFor(right) });
    house.time.pass({ seconds: 31 });
    const otp = otpOf(employee);
    await mine.submit('/otp', { otp });

    const lines = await activityOf(mine);
    const time = String.raw`[0-9]{2}\.[0-9]{2} WIB`;
    expect(lines.map(({ refused }) => refused)).toEqual([false, true, true]);
    expect(lines.map(({ text }) => text)).toEqual([
      expect.stringMatching(new RegExp(`^Masuk ke Layanan plain ${time}, Chrome di Android$`)),
      expect.stringMatching(new RegExp(`^Kode ditolak: salah ketik ${time}, Chrome di Android$`)),
      expect.stringMatching(new RegExp(`^Password salah, 3 kali ${time} sampai ${time}, Firefox di Windows$`)),
    ]);
    expect(await textsOf(mine, '?lang=en')).toEqual([
      'Logged in to Layanan plain',
      'Code refused: mistyped',
      'Wrong password, 3 times',
    ]);
  });

  it('tells what an officer did: who, of which agency, and why', async () => {
    const [employee, officer] = [somebody(), somebody()];
    const { db, acts } = house.services;
    const now = house.time.now();
    await db.query('UPDATE accounts SET name = $2 WHERE id = $1', [officer.id, 'Dewi <Petugas>']);
    await db.transaction((tx) =>
      grantRole(tx, { accountId: officer.id, role: 'helpdesk', agencyCode: agencyCode('REGENCY'), now }),
    );
    const [second] = [somebody()];
    await db.transaction((tx) =>
      grantRole(tx, { accountId: second.id, role: 'helpdesk', agencyCode: agencyCode('REGENCY'), now }),
    );
    const trace = { requestId: 'request-1' };
    const asked = await acts.perform({
      caller: { accountId: officer.id, clientId: 'helpdesk' },
      accountId: employee.id,
      order: {
        action: 'mfa_reset',
        reason: 'Ponsel hilang di jalan',
        ticket: 'HD-1',
        verification: { method: 'photo_id' },
      },
      trace,
    });
    if (asked.kind !== 'awaiting_approval') throw new Error(asked.kind);
    const caller = { accountId: second.id, clientId: 'helpdesk' };
    expect(await acts.approve({ caller, actId: asked.actId, trace, covers: () => true })).toMatchObject({
      kind: 'done',
    });
    const [line, ...more] = (
      await createActivity({ db, services: { nameOf: () => undefined }, clock: house.time }).page(employee.id)
    ).lines;
    expect(line).toMatchObject({
      event: 'mfa_reset',
      officer: { name: 'Dewi <Petugas>', agency: 'Instansi REGENCY' },
      reason: 'Ponsel hilang di jalan',
    });
    // One thing that happened is one line, whatever it ended.
    expect(more.map(({ event }) => event)).toEqual(['desk_asked']);

    const browser = await enter(house, officer);
    await record({
      type: 'mfa_reset.done',
      detail: { reset: String(line?.at), devices: 1, method: 'operator' },
      accountId: officer.id,
    });
    expect(await textsOf(browser)).toEqual(['Autentikator direset pengelola layanan', 'Masuk ke ASN Digital']);
    // Of resets of others the officer's own page says nothing.
    expect(browser.shown.html).not.toContain('Ponsel hilang');
  });

  it('says the agency an officer acted for, as the mail did, however the officer’s own unit is called', async () => {
    const [employee, officer, national] = [somebody(), somebody(), somebody()];
    const { db } = house.services;
    const granted = house.time.now();
    await db.query(`INSERT INTO agencies (code, name, parent_code, ancestors, updated_at)
                    SELECT 'UNIT', 'Unit sendiri', code, ancestors || 'UNIT'::text, updated_at FROM agencies WHERE code = 'REGENCY'`);
    await db.query(`UPDATE accounts SET agency_code = 'UNIT' WHERE id = $1`, [officer.id]);
    const reach = { role: 'helpdesk', agencyCode: agencyCode('REGENCY') } as const;
    await db.transaction(async (tx) => {
      await grantRole(tx, { ...reach, accountId: officer.id, now: granted });
      await grantRole(tx, { role: 'operator', agencyCode: undefined, accountId: national.id, now: granted });
    });
    const shown = async () =>
      (
        await createActivity({ db, services: { nameOf: () => undefined }, clock: house.time }).page(employee.id)
      ).lines.map(({ event, officer: by, count }) => ({ event, by, count }));
    const looks = async (actorId: string) =>
      record({ type: 'desk.viewed', detail: { action: 'account.show' }, accountId: employee.id, actorId });

    for (let look = 0; look < 3; look += 1) await looks(officer.id);
    await looks(national.id);
    await db.transaction((tx) =>
      revokeRole(tx, { ...reach, accountId: officer.id, now: new Date(granted.getTime() + 60_000) }),
    );
    // What was done in its name stays so when the role is gone.
    expect(await shown()).toEqual([
      { event: 'viewed_by_officer', by: 'national', count: 1 },
      { event: 'viewed_by_officer', by: { name: expect.any(String) as string, agency: 'Instansi REGENCY' }, count: 3 },
    ]);
  });

  it('a wrong code of presence is one line', async () => {
    const [employee, officer] = [somebody(), somebody()];
    const about = { accountId: employee.id, actorId: officer.id };
    await record({ type: 'presence.refused', detail: { cause: 'wrong' }, ...about });
    await record({ type: 'desk.refused', detail: { action: 'mfa_reset', cause: 'presence' }, ...about });
    const { lines } = await createActivity({
      db: house.services.db,
      services: { nameOf: () => undefined },
      clock: house.time,
    }).page(employee.id);
    expect(lines.map(({ event }) => event)).toEqual(['presence_wrong']);
  });

  it('names an authenticator only to its owner', async () => {
    const [mine, other] = [somebody(), somebody()];
    const { db } = house.services;
    const [device] = await db.query('SELECT id FROM devices WHERE account_id = $1', [mine.id]);
    const detail = { device: String(device?.id) };
    await record(
      { type: 'device.enrolled', detail, accountId: mine.id },
      { type: 'device.enrolled', detail, accountId: other.id },
    );
    expect(await textsOf(await enter(house, mine))).toContain('Autentikator dipasang: Ponsel');
    expect(await textsOf(await enter(house, other))).toContain('Autentikator dipasang');
  });

  it('does not call an authenticator by a name that it got later', async () => {
    const employee = somebody();
    const { db, devices } = house.services;
    const [device] = await devices.activeOf(db, employee.id);
    if (device === undefined) throw new Error('there is none');
    const about = { detail: { device: device.id }, accountId: employee.id };
    await record({ type: 'device.enrolled', ...about });
    house.time.pass({ minutes: 1 });
    await devices.rename(db, { accountId: employee.id, device: device.id, name: 'Ponsel tengah' });
    await record({ type: 'device.renamed', ...about });
    house.time.pass({ minutes: 1 });
    await devices.rename(db, { accountId: employee.id, device: device.id, name: 'Ponsel kerja' });
    await record({ type: 'device.renamed', ...about });
    expect((await textsOf(await enter(house, employee))).slice(1)).toEqual([
      'Autentikator diberi nama Ponsel kerja',
      'Nama autentikator diganti',
      'Autentikator dipasang',
    ]);
  });

  it('calls a passkey one, and tells which session was ended from elsewhere', async () => {
    const employee = somebody();
    const { db } = house.services;
    const [device] = await db.query(
      `INSERT INTO devices (account_id, kind, status, name, created_at, activated_at, ended_at, ended_reason)
       VALUES ($1, 'passkey', 'ended', 'Laptop', $2, $2, $2, 'removed') RETURNING id`,
      [employee.id, house.time.now()],
    );
    const about = { accountId: employee.id };
    const id = String(device?.id);
    await record(
      { type: 'device.enrolled', detail: { device: id }, ...about },
      { type: 'device.ended', detail: { device: id, reason: 'removed' }, ...about },
      { type: 'session.ended', detail: { by: 'person', elsewhere: true }, ...about },
      { type: 'session.ended', detail: { by: 'person', elsewhere: true, app: true }, ...about },
      { type: 'session.ended', detail: { by: 'person' }, ...about },
    );
    expect((await textsOf(await enter(house, employee))).slice(1)).toEqual([
      'Keluar dari semua layanan',
      'Aplikasi yang tetap masuk dikeluarkan',
      'Sesi di peramban lain diakhiri',
      'Passkey dihapus: Laptop',
      'Passkey ditambahkan: Laptop',
    ]);
  });

  it('shows nobody else, nothing older than 90 days, and nothing it does not know', async () => {
    const [employee, other] = [somebody(), somebody()];
    const { db } = house.services;
    await record({ type: 'sign_in.password_refused', detail: { cause: 'mismatch' }, accountId: other.id });
    const at = (days: number) => new Date(house.time.now().getTime() - days * 24 * 3600_000);
    const insert = (type: string, when: Date, detail: object) =>
      db.query('INSERT INTO audit_events (at, type, account_id, detail) VALUES ($1, $2, $3, $4)', [
        when,
        type,
        employee.id,
        JSON.stringify(detail),
      ]);
    await insert('password.changed', at(91), { by: 'reset' });
    await insert('password.changed', at(89), { by: 'weak' });
    await insert('sign_in.by_thought', at(1), {});
    await insert('sign_in.otp_refused', at(1), { cause: 'telepathy' });
    await insert('device.enrolled', at(1), { device: 'no uuid', browser: { not: 'a word' } });
    expect(await textsOf(await enter(house, employee))).toEqual([
      'Masuk ke ASN Digital',
      'Autentikator dipasang',
      'Password lemah diganti',
    ]);
  });

  it('refuses a place that is none', async () => {
    const browser = await enter(house, somebody());
    const far = '99999999999999-999999999999999999';
    const places = ['', '0', '1-', '-1', '1-1-1', 'x-y', `${'1'.repeat(15)}-1`, `1-${'1'.repeat(19)}`, '1-1; DROP'];
    for (const place of [...places, far]) {
      const shown = await browser.get(`/account/activity?before=${encodeURIComponent(place)}`);
      expect([place, shown.status]).toEqual([place, place === far ? 200 : 400]);
    }
  });

  it('writes no browser down that calls itself by a number', async () => {
    const employee = somebody();
    const liar = browserCalled(house, `${employee.nip}/1.0 (x)`);
    await house.begin(liar, PLAIN);
    await liar.submit('/password', { username: employee.nip, password: 'salah' });
    const rows = await house.services.db.query('SELECT detail FROM audit_events WHERE account_id = $1', [employee.id]);
    expect(rows).toEqual([{ detail: { cause: 'mismatch' } }]);
  });
});

describe('a long history', () => {
  const MINUTE = 60_000;
  let employee: Employee;
  let activity: Activity;
  let mostRows = 0;
  let statements: [text: string, values: readonly unknown[]][] = [];

  /** The same database; what each statement answers is counted. */
  const watched = (db: Database): Database => ({
    ...db,
    async query(text, values = []) {
      const rows: readonly Row[] = await db.query(text, values);
      mostRows = Math.max(mostRows, rows.length);
      statements.push([text, values]);
      return rows;
    },
  });

  beforeAll(async () => {
    employee = somebody();
    const { db } = house.services;
    activity = createActivity({ db: watched(db), services: { nameOf: () => 'MyASN' }, clock: house.time });
    // Half of it logins, half of it steps that are not told; and as much of somebody else.
    const other = somebody();
    await db.query(
      `INSERT INTO audit_events (at, type, account_id, client_id, detail)
       SELECT $1::timestamptz - n * interval '2 minutes', type, account_id, 'plain', '{}'
         FROM generate_series(1, 10000) AS n,
              unnest($2::uuid[]) AS account_id,
              unnest(ARRAY['sign_in.completed', 'sign_in.otp_accepted']) AS type`,
      [house.time.now(), [employee.id, other.id]],
    );
    await db.query('ANALYZE audit_events');
  });

  it('is read a page at a time, each line once, to the end', async () => {
    const seen: number[] = [];
    let pages = 0;
    let page = await activity.page(employee.id);
    for (; pages < 40 && page.next !== undefined; pages += 1) {
      seen.push(...page.lines.map(({ at }) => at.getTime()));
      page = await activity.page(employee.id, page.next);
    }
    expect(pages).toBe(40);
    const newest = seen[0] ?? 0;
    expect(seen).toEqual(Array.from({ length: 40 * 25 }, (_, index) => newest - index * 2 * MINUTE));
    expect(mostRows).toBeLessThanOrEqual(101);

    const last = await activity.page(employee.id, { at: new Date(newest - 9_990 * 2 * MINUTE), id: '999999999999' });
    expect(last.lines.length).toBeGreaterThan(0);
    expect(last.next).toBeUndefined();
  });

  it('costs the last page what it costs the first', async () => {
    const { db } = house.services;
    const buffersOf = async (text: string, values: readonly unknown[]): Promise<number> => {
      const [row] = await db.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, values);
      const [{ Plan: plan }] = row?.['QUERY PLAN'] as [{ Plan: Record<string, number> }];
      return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
    };
    statements = [];
    const first = await activity.page(employee.id);
    const at = new Date((first.lines[0]?.at.getTime() ?? 0) - 9_000 * 2 * MINUTE);
    await activity.page(employee.id, { at, id: '1' });
    const costs: number[] = [];
    for (const [text, values] of statements) costs.push(await buffersOf(text, values));
    expect(costs).toHaveLength(2);
    for (const cost of costs) expect(cost).toBeLessThan(150);
  });

  it('folds refusals in a row, not those of another browser, another cause or another hour', async () => {
    const { db } = house.services;
    const [someone] = await addEmployees(house.services, { count: 1, state: 'password' });
    if (someone === undefined) throw new Error('nobody was added');
    const clock = { at: house.time.now(), now: () => clock.at };
    const audit = createAudit(clock);
    const refusal = (cause: 'mismatch' | 'disabled', browser: string, minutes: number) => ({ cause, browser, minutes });
    const attempts = [
      ...[0, 1, 2].map((minutes) => refusal('mismatch', 'Chrome', minutes)),
      refusal('mismatch', 'Firefox', 3),
      refusal('mismatch', 'Chrome', 4),
      refusal('disabled', 'Chrome', 5),
      refusal('mismatch', 'Chrome', 60),
      refusal('mismatch', 'Chrome', 121),
      ...Array.from({ length: 150 }, (_, index) => refusal('mismatch', 'Opera', 130 + index)),
    ];
    const begin = clock.at.getTime();
    for (const { cause, browser, minutes } of attempts) {
      clock.at = new Date(begin + minutes * MINUTE);
      const agent = { browser, system: 'Android' };
      await audit.record(db, { type: 'sign_in.password_refused', detail: { cause }, accountId: someone.id, agent });
    }
    const reading = createActivity({ db, services: { nameOf: () => undefined }, clock });
    const first = await reading.page(someone.id);
    const second = await reading.page(someone.id, first.next);
    expect([first, second].map(({ lines }) => lines.map(({ browser, count }) => [browser, count]))).toEqual([
      [['Opera', 100]],
      [
        ['Opera', 50],
        ['Chrome', 1],
        ['Chrome', 1],
        ['Chrome', 1],
        ['Chrome', 1],
        ['Firefox', 1],
        ['Chrome', 3],
      ],
    ]);
    expect(second.lines.at(-1)).toMatchObject({ at: new Date(begin + 2 * MINUTE), firstAt: new Date(begin) });
  });
});

it('leads from page to page', async () => {
  const employee = somebody();
  const browser = await enter(house, employee, house.browser(), PASSWORD);
  await record(
    ...Array.from({ length: 30 }, () => ({ type: 'reset.code_sent' as const, detail: {}, accountId: employee.id })),
  );
  await activityOf(browser);
  const older = await browser.follow('Lihat yang lebih lama');
  expect(linesOf(older.html).map(({ text }) => text).length).toBeGreaterThan(4);
  expect((await browser.follow('Kembali ke yang terbaru')).page).toBe('account/activity');
});
