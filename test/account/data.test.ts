import { join } from 'node:path';
import { loadTranslators } from '#src/web/locale.js';
import { HOLDINGS } from '#src/account/my-data/holdings.js';
import { createMyData } from '#src/account/my-data/my-data.js';
import { agencyCode } from '#src/kernel/ids.js';
import { grantRole } from '#src/accounts/roles.js';
import type { Database, Row } from '#src/storage/database.js';
import { enrol, resetPassword } from '../journeys/steps.js';
import { addEmployees, otpOf, type Employee } from '../support/employees.js';
import type { Person } from '../support/person.js';
import { openHouse, PLAIN, type House } from '../sign-in/house.js';
import { ANDROID, browserCalled, enter } from './own-pages.js';

const texts = loadTranslators(join(process.cwd(), 'views', 'locales'));

let house: House;
let people: Employee[];
beforeAll(async () => {
  house = await openHouse();
  people = await addEmployees(house.services, { count: 6, state: 'enrolled' });
});
afterAll(() => house.close());

const somebody = (): Employee => {
  const one = people.pop();
  if (one === undefined) throw new Error('nobody is left');
  return one;
};

type File = Readonly<Record<string, readonly Row[]>>;

async function download(browser: Person): Promise<{ text: string; file: File }> {
  await browser.get(`${house.site.origin}/account/data`);
  const { status, headers, html } = await browser.submit('/account/data/file');
  expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  expect(headers.get('content-disposition')).toBe('attachment; filename="data-saya-sso-asn.json"');
  expect(headers.get('cache-control')).toBe('no-store');
  return { text: html, file: JSON.parse(html) as File };
}

/** Somebody with something in every table: a reset by an operator, activation, a phone, recovery codes, a role, a service. */
async function livedFor(mark: string): Promise<{ employee: Employee; browser: Person }> {
  const [employee] = await addEmployees(house.services, { count: 1, state: 'new' });
  if (employee === undefined) throw new Error('nobody was added');
  const { db, operatorsReset } = house.services;
  const now = house.time.now();
  await db.query('UPDATE accounts SET name = $2, account_name = $3 WHERE id = $1', [employee.id, `Nama ${mark}`, mark]);
  await db.query('INSERT INTO nip_history (account_id, nip, recorded_at) VALUES ($1, $2, $3)', [
    employee.id,
    String(100_000_000 + Number.parseInt(mark.slice(-2), 36)),
    now,
  ]);
  await house.mailOf(employee, () => operatorsReset.reset({ accountId: employee.id, reason: `Alasan ${mark}` }));

  const browser = browserCalled(house, ANDROID);
  house.time.pass({ seconds: 31 });
  await resetPassword(house.site, browser, employee);
  await browser.get('/login');
  await browser.submit('/password', { username: employee.nip, password: 'Kuda Zebra 7 lari-lari' });
  const { secret } = await enrol(browser, `Ponsel ${mark}`);
  employee.secret = secret;
  await db.transaction((tx) =>
    grantRole(tx, {
      accountId: employee.id,
      role: 'helpdesk',
      agencyCode: agencyCode('REGENCY'),
      by: employee.id,
      now,
    }),
  );
  await db.query(
    `INSERT INTO client_developers (client_id, account_id, named_at)
     SELECT client_id, $1, $2 FROM clients ORDER BY client_id LIMIT 1`,
    [employee.id, house.time.now()],
  );
  await db.query(
    `INSERT INTO helpdesk_cases (account_id, cause, reason, since) VALUES ($1, 'frozen_by_operator', $2, $3)`,
    [employee.id, `Urusan ${mark}`, now],
  );
  await db.query(
    `INSERT INTO contact_changes (id, account_id, state, address, reason, requested_at, opens_at, expires_at, ended_at)
     VALUES (gen_random_uuid(), $1, 'stopped', 'v1.k1.sealed', $2, $3, $3, $3, $3)`,
    [employee.id, `Alamat ${mark}`, now],
  );
  await db.query(
    `INSERT INTO waiting_resets
       (account_id, state, cred_epoch, email_key, stop_token, began_at, due_at, lapses_at, ended_at)
     VALUES ($1, 'void', 1, 'key', $2, $3, $3, $3::timestamptz + interval '7 days', $3)`,
    [employee.id, Buffer.from(mark), now],
  );
  await house.begin(browser, PLAIN);
  return { employee, browser };
}

describe('everything that is held about a person', () => {
  let one: Awaited<ReturnType<typeof livedFor>>;
  let other: Awaited<ReturnType<typeof livedFor>>;
  beforeAll(async () => {
    one = await livedFor('satu.01');
    house.time.pass({ seconds: 31 });
    other = await livedFor('dua.02');
  });

  it('is in the file, and nothing of anybody else', async () => {
    const { text, file } = await download(one.browser);
    expect(file).toMatchObject({ format: 'sso-asn/my-data/1', account_id: one.employee.id });
    for (const name of Object.keys(HOLDINGS)) expect([name, (file[name] ?? []).length > 0]).toEqual([name, true]);
    expect(file.account).toMatchObject([{ nip: one.employee.nip, name: 'Nama satu.01', agency: 'Instansi REGENCY' }]);
    expect(file.devices).toMatchObject([{ name: 'Ponsel satu.01', kind: 'totp', status: 'active' }]);
    expect(file.recovery_codes).toMatchObject([{ codes_made: 10, codes_left: 10 }]);
    expect(file.sessions).toMatchObject([
      { user_agent: ANDROID, services: expect.arrayContaining([PLAIN]) as unknown },
    ]);
    expect(file.officer_acts).toMatchObject([{ reason: 'Alasan satu.01', verification: 'operator' }]);
    expect(file.audit_trail?.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['account.activated', 'password.changed', 'mfa_reset.done', 'account.data_exported']),
    );

    // As many rows of each table as the database has of this person.
    const { db } = house.services;
    for (const [name, { table, owner }] of Object.entries(HOLDINGS)) {
      const [row] = await db.query(`SELECT count(*)::integer AS count FROM ${table} WHERE ${owner} = $1`, [
        one.employee.id,
      ]);
      expect([name, file[name]?.length]).toEqual([name, row?.count]);
    }
    for (const foreign of [other.employee.id, other.employee.nip, other.employee.email, 'dua.02']) {
      expect(text).not.toContain(foreign);
    }
  });

  it('holds no secret: none of what is withheld stands in it', async () => {
    const { text } = await download(one.browser);
    const { db } = house.services;
    let compared = 0;
    for (const { table, owner, withheld } of Object.values(HOLDINGS)) {
      for (const column of Object.keys(withheld)) {
        const rows = await db.query(`SELECT ${column} AS value FROM ${table} WHERE ${owner} = $1`, [one.employee.id]);
        for (const { value } of rows) {
          const forms = Buffer.isBuffer(value)
            ? (['hex', 'base64', 'base64url'] as const).map((encoding) => value.toString(encoding))
            : typeof value === 'string' && value.length >= 16 && value !== one.employee.id
              ? [value]
              : [];
          compared += forms.length;
          for (const form of forms) expect([table, column, text.includes(form)]).toEqual([table, column, false]);
        }
      }
    }
    expect(compared).toBeGreaterThan(20);
    const codes = await db.query(
      'SELECT hash FROM recovery_codes JOIN recovery_code_sets s ON s.id = set_id WHERE s.account_id = $1',
      [one.employee.id],
    );
    for (const { hash } of codes) expect(text).not.toContain((hash as Buffer).toString('hex'));
    const cookies = [...one.browser.cookies.values()].map(({ value }) => value.split('.')[0] ?? value);
    for (const secret of [one.employee.secret ?? '', ...cookies.filter((value) => value.length > 20)]) {
      expect(text).not.toContain(secret);
    }
  });

  it('can be read on a page, in words', async () => {
    const shown = await one.browser.get(`${house.site.origin}/account/data`);
    expect(shown).toMatchObject({ status: 200, page: 'account/data', errors: [] });
    const text = shown.html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
    for (const word of [
      'Nama satu.01',
      one.employee.nip,
      one.employee.email,
      'Instansi REGENCY',
      'Ponsel satu.01',
      'Aplikasi autentikator',
      'Chrome, Android',
      'Layanan plain',
      'Alasan satu.01',
      'Petugas',
    ]) {
      expect(text).toContain(word);
    }
    expect(text).not.toMatch(/dua\.02|argon2|active|totp|helpdesk/);
    expect((await one.browser.get('/account/data?lang=en')).html).toContain('Everything we keep about you');
  });

  it('is written down when it is taken, and the person sees it', async () => {
    const shown = await one.browser.get(`${house.site.origin}/account/activity?lang=id`);
    expect(shown.html).toContain('<strong>Semua data akun diunduh</strong>');
  });
});

describe('who may take it', () => {
  it('asks for a second factor that is fresh, for the page and for the file', async () => {
    const employee = somebody();
    const browser = await enter(house, employee);
    await browser.get(`${house.site.origin}/account/data`);
    house.time.pass({ minutes: 16 });
    expect((await browser.submit('/account/data/file')).page).toBe('sign-in/otp');
    expect((await browser.submit('/otp', { otp: otpOf(employee) })).page).toBe('account/data');
    house.time.pass({ minutes: 6 });
    expect((await browser.get('/account/data')).page).toBe('sign-in/otp');
    expect(
      await house.services.db.query(
        `SELECT 1 FROM audit_events WHERE account_id = $1 AND type = 'account.data_exported'`,
        [employee.id],
      ),
    ).toEqual([]);
  });

  it('lets nobody take it more than ten times a day', async () => {
    const browser = await enter(house, somebody());
    for (let turn = 0; turn < 10; turn += 1) await download(browser);
    await browser.get('/account/data');
    const refused = await browser.submit('/account/data/file');
    expect(refused).toMatchObject({ status: 429, page: 'account/data', errors: ['throttled'] });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(80_000);
  });
});

describe('a person with 50,000 rows', () => {
  it('is read a little at a time, and holds nobody up', async () => {
    const employee = somebody();
    const { db, audit, keyed } = house.services;
    await db.query(
      `INSERT INTO audit_events (at, type, account_id, client_id, detail)
       SELECT $1::timestamptz - (n / 3) * interval '1 minute', 'sign_in.completed', $2, 'plain', '{"acr": "urn:asn:aal2"}'
         FROM generate_series(1, 50000) AS n`,
      [house.time.now(), employee.id],
    );
    let mostRows = 0;
    const watched: Database = {
      ...db,
      async query(text, values) {
        const rows = await db.query(text, values);
        mostRows = Math.max(mostRows, rows.length);
        return rows;
      },
    };
    const myData = createMyData({ db: watched, audit, keyed, clock: house.time, texts });
    const answer = await myData.file(employee.id, { requestId: 'request-1', agent: { browser: '', system: '' } });
    if (answer.kind !== 'file') throw new Error('refused');
    // How often everybody else in this process has had their turn meanwhile.
    let turns = 0;
    let isReading = true;
    const takeTurn = (): void => {
      turns += 1;
      if (isReading) setImmediate(takeTurn);
    };
    setImmediate(takeTurn);
    let longest = 0;
    const parts: string[] = [];
    for await (const part of answer.parts) {
      longest = Math.max(longest, part.length);
      parts.push(part);
    }
    isReading = false;
    const { audit_trail: trail = [] } = JSON.parse(parts.join('')) as File;
    expect(new Set(trail.map(({ id }) => id)).size).toBe(50_001);
    expect(mostRows).toBe(500);
    expect(longest).toBeLessThan(200_000);
    expect(turns).toBeGreaterThan(100);
  });

  it('stops when nobody reads on', async () => {
    const employee = somebody();
    const { db, audit, keyed } = house.services;
    let asked = 0;
    const watched: Database = {
      ...db,
      query: (text, values) => {
        asked += 1;
        return db.query(text, values);
      },
    };
    const myData = createMyData({ db: watched, audit, keyed, clock: house.time, texts });
    const answer = await myData.file(employee.id, { requestId: 'request-2', agent: { browser: '', system: '' } });
    if (answer.kind !== 'file') throw new Error('refused');
    for await (const part of answer.parts) if (part.includes('"account"')) break;
    expect(asked).toBeLessThanOrEqual(1);
  });
});
