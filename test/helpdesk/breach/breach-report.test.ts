import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse } from 'csv-parse/sync';
import { addBreachReport } from '#src/cli/breach-report.js';
import type { RunWithServices } from '#src/cli/run.js';
import { createAudit } from '#src/audit/audit.js';
import { createBreachReports } from '#src/helpdesk/breach/report.js';
import { classesOf } from '#src/helpdesk/breach/data-classes.js';
import type { AccountId } from '#src/kernel/ids.js';
import { DETAILS } from '../../account/audit-samples.js';
import { figures } from '../../support/figures.js';
import { makeTemporaryFolder } from '../../support/temporary-folder.js';
import { openTestDatabase } from '../../support/test-database.js';
import { addOfficer, addPerson, plantAgencies } from '../people.js';
import { auditOf } from '../reset-parts.js';

/** somebody stole the session of an administrator. Whom does it concern? */
const NOW = new Date('2026-11-28T03:00:00Z');
const clock = { now: () => NOW };
const audit = createAudit(clock);

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let folder: string;
let officer: AccountId;
let own: AccountId;
let child: AccountId;
let other: AccountId;

beforeAll(async () => {
  db = await openTestDatabase();
  folder = await makeTemporaryFolder('sso-asn-breach-');
  await audit.prepare(db);
  await plantAgencies(db);
  officer = await addOfficer(db, 'agency_admin');
  own = await addPerson(db, { place: 'own', email: 'budi@contoh.test' });
  child = await addPerson(db, { place: 'child', email: '' });
  other = await addPerson(db, { place: 'other' });
  await db.query('UPDATE accounts SET name = $2 WHERE id = $1', [own, '=cmd|x']);
  await happened('2026-11-20T02:30:00Z', 'desk.done', own, officer);
  await happened('2026-11-20T02:40:00Z', 'mfa_reset.done', child, officer);
  await happened('2026-11-20T02:50:00Z', 'audit.searched', undefined, officer);
  // Before the theft, and of somebody else.
  await happened('2026-11-19T02:30:00Z', 'desk.done', other, officer);
  await happened('2026-11-20T02:30:00Z', 'sign_in.completed', other, undefined, 'myasn');
  for (const [uid, account, address] of [
    ['stolen', officer, '203.0.113.9'],
    ['another', other, '2001:db8::7'],
  ]) {
    await db.query(
      `INSERT INTO sso_sessions (uid, id, account_id, cred_epoch, payload, authorizations, address,
                                 started_at, last_seen_at, expires_at)
       VALUES ($1, $2, $3, 0, '{}', $4, $5, '2026-11-20T02:00:00Z', '2026-11-20T03:00:00Z', $6)`,
      [
        uid,
        Buffer.from(String(uid)),
        account,
        { myasn: {} },
        address,
        uid === 'stolen' ? '2026-12-01Z' : '2026-11-21Z',
      ],
    );
  }
});
afterAll(async () => {
  await db.drop();
  await rm(folder, { recursive: true });
});

const happened = (at: string, type: string, account: string | undefined, actor?: string, client?: string) =>
  db.query('INSERT INTO audit_events (at, type, account_id, actor_id, client_id) VALUES ($1, $2, $3, $4, $5)', [
    at,
    type,
    account ?? null,
    actor ?? null,
    client ?? null,
  ]);

interface Ran {
  readonly code: number | undefined;
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly file: (name: string) => Promise<string>;
  readonly people: () => Promise<readonly Record<string, string>[]>;
}

const report = (...options: string[]): Promise<Ran> => reportInto(join(folder, String(Math.random())), ...options);

async function reportInto(target: string, ...options: string[]): Promise<Ran> {
  const [out, err]: [string[], string[]] = [[], []];
  let code: number | undefined;
  const services = {
    ...{ db, clock, config: { institution: 'Badan Contoh' } },
    breachReports: createBreachReports({ databaseUrl: db.url, audit, clock }),
  };
  const run: RunWithServices = async (work) => {
    code = await work(services as unknown as Parameters<typeof work>[0]);
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => err.push(text) });
  addBreachReport(program, run);
  const { log, error } = console;
  Object.assign(console, { log: (line: string) => out.push(line), error: (line: string) => err.push(line) });
  try {
    await program.parseAsync(['breach-report', ...options, '--out', target], { from: 'user' });
  } catch (refusal) {
    code = (refusal as { exitCode: number }).exitCode;
  } finally {
    Object.assign(console, { log, error });
  }
  const file = (name: string): Promise<string> => readFile(join(target, name), 'utf8');
  const people = async () => parse<Record<string, string>>(await file('people.csv'), { bom: true, columns: true });
  return { code, out, err, file, people };
}

const DAY = ['--from', '2026-11-20', '--to', '2026-11-20'];
const ids = async (ran: Ran): Promise<unknown[]> => (await ran.people()).map(({ account }) => account).sort();

describe('the stolen session of an administrator', () => {
  it('concerns whom it was used on, and the administrator where it was used in their name', async () => {
    const ran = await report(...DAY, '--session', 'stolen');
    expect(ran.code).toBe(0);
    expect(await ids(ran)).toEqual([own, child].sort());
    expect(ran.out.join('\n')).toContain('2 people of 2 agencies');
    expect(ran.out.join('\n')).toContain('1 session, 1 still open');
  });

  it('is the same by the administrator, by the network, and in nobody else’s hands', async () => {
    const [row] = await db.query('SELECT nip FROM accounts WHERE id = $1', [officer]);
    expect(await ids(await report(...DAY, '--officer-nip', row?.nip as string))).toEqual([own, child].sort());
    expect(await ids(await report(...DAY, '--address', '203.0.113.0/24'))).toEqual([own, child].sort());
    expect(await ids(await report(...DAY, '--address', '198.51.100.0/24', '2001:db8::/32'))).toEqual([other]);
    expect(await ids(await report(...DAY, '--client', 'myasn'))).toEqual([other]);
    expect(await ids(await report(...DAY))).toEqual([own, child, other].sort());
  });

  it('lists people with as little as will do, in cells that no spreadsheet runs', async () => {
    const ran = await report(...DAY, '--session', 'stolen');
    const [row] = await db.query('SELECT nip FROM accounts WHERE id = $1', [own]);
    const nip = row?.nip as string;
    expect((await ran.people()).find(({ account }) => account === own)).toEqual({
      account: own,
      name: "'=cmd|x",
      nip: `***${nip.slice(-3)}`,
      email: 'b•••••@c•••••',
      agency: 'OWN',
      agency_name: 'Kabupaten OWN',
      data: 'identity contact employment factors activity',
      events: '1',
      first: '2026-11-20T02:30:00Z',
      last: '2026-11-20T02:30:00Z',
    });
    const full = await report(...DAY, '--session', 'stolen', '--full-nip');
    expect((await full.people()).map((person) => person.nip)).toContain(nip);
    expect(await ran.file('summary.md')).not.toContain(nip);
  });

  it('drafts what the law wants said, in files for nobody else', async () => {
    const ran = await report(...DAY, '--session', 'stolen', '--known-at', '2026-11-27T08:00+07:00');
    const summary = await ran.file('summary.md');
    for (const words of [
      'Orang terdampak: 2',
      '| Kabupaten OWN | OWN | 1 |',
      'desk.done',
      '28 November 2026 08.00 WIB',
    ]) {
      expect(summary).toContain(words);
    }
    // A search that names nobody cannot be counted, and is told.
    expect(summary).toMatch(/\| audit\.searched \| 1 \| 1 \|/);
    const notice = await ran.file('notice-people.md');
    for (const words of ['Badan Contoh', 'Pasal 46', '- kontak:', 'Batas waktu: 30 November 2026 08.00 WIB']) {
      expect(notice).toContain(words);
    }
    expect(notice).not.toContain('- peran:');
    expect(await ran.file('notice-authority.md')).toContain('| Orang terdampak | 2, di 2 instansi');
    expect(await ran.file('notice-bssn.md')).toContain('1 sesi, 1 masih terbuka');
    expect(await ran.file('sessions.csv')).toContain('"stolen"');
    for (const name of ['summary.md', 'notice-people.md', 'notice-authority.md', 'notice-bssn.md']) {
      expect(await ran.file(name)).not.toMatch(/\{\{|undefined/);
    }
    expect(ran.out.join('\n')).toContain('by 2026-11-28 08:00 WIB');
    expect((await auditOf(db, 'breach.reported')).at(-1)?.detail).toMatchObject({ cause: 'session', people: 2 });
  });

  it('is written where nobody else reads', async () => {
    const ran = await report(...DAY, '--session', 'stolen');
    const words = ran.out.at(-1) ?? '';
    const made = words.slice('written to '.length, words.indexOf(':'));
    expect((await stat(made)).mode & 0o777).toBe(0o700);
    for (const name of ['people.csv', 'sessions.csv', 'summary.md']) {
      expect((await stat(join(made, name))).mode & 0o777).toBe(0o600);
    }
  });
});

describe('a second report in the same folder', () => {
  const bssnBy = ({ out }: Ran) => out.find((line) => line.includes('BSSN'));

  it('keeps the moment of the first, and with it the deadlines of the law', async () => {
    const target = join(folder, 'again');
    await reportInto(target, ...DAY, '--known-at', '2026-11-27T08:00+07:00');
    const again = await reportInto(target, ...DAY);
    expect(again.code).toBe(0);
    expect(bssnBy(again)).toContain('by 2026-11-28 08:00 WIB');
    expect(again.err.join('\n')).toMatch(/is replaced[^]*known since 2026-11-27 08:00 WIB/);
    const corrected = await reportInto(target, ...DAY, '--known-at', '2026-11-27T07:00+07:00');
    expect(bssnBy(corrected)).toContain('by 2026-11-28 07:00 WIB');
    expect(corrected.err.join('\n')).toContain('it counted the deadlines from 2026-11-27 08:00 WIB');
    expect(bssnBy(await reportInto(target, ...DAY))).toContain('by 2026-11-28 07:00 WIB');
  });

  it('is refused where the first does not say its moment any more', async () => {
    const target = join(folder, 'edited');
    await reportInto(target, ...DAY);
    await writeFile(join(target, 'summary.md'), '# Ringkasan');
    const again = await reportInto(target, ...DAY);
    expect(again.code).toBe(1);
    expect(again.err.join('\n')).toContain('give --known-at');
    expect(await again.file('summary.md')).toBe('# Ringkasan');
    expect((await reportInto(target, ...DAY, '--known-at', '2026-11-27T08:00Z')).code).toBe(0);
  });
});

it.each([
  [['--known-at', 'yesterday'], 2, '--known-at takes a time, e.g. 2026-11-28T13:34+07:00'],
  [['--session', 'gone'], 1, 'no such session'],
  [['--session', 'stolen', '--client', 'myasn'], 2, 'give one of'],
  [['--address', '10.0.0.0/99'], 2, 'no address or CIDR'],
  [['--officer-nip', '199001012023219999'], 1, 'no account has this NIP'],
])('refuses %j', async (options, code, words) => {
  const ran = await report(...DAY, ...options);
  expect(ran.code).toBe(code);
  expect(ran.err.join('\n')).toContain(words);
});

it('every kind of event has its classes of data, and one that nobody knows has all', () => {
  for (const type of Object.keys(DETAILS)) expect(classesOf([type]).length).toBeLessThanOrEqual(7);
  expect(classesOf(['sign_in.completed'])).toEqual(['identity', 'contact', 'employment', 'activity']);
  expect(classesOf(['toString'])).toHaveLength(7);
  expect(classesOf(['device.enrolled', 'of another version'])).toHaveLength(7);
});

it('is made within five minutes, from a trail as long as a drill has it', async () => {
  const ROWS = Number(process.env.DRILL_ROWS ?? 50_000);
  await db.query(
    `INSERT INTO accounts (nip, name, email, employment, agency_code, status, created_at, updated_at)
     SELECT (n + 300000000000000000)::text, 'Pegawai ' || n, 'p' || n || '@contoh.test', 'PNS', 'OWN-1', 'active', now(), now()
       FROM generate_series(1, 5000) n`,
  );
  for (let begin = 0; begin < ROWS; begin += 25_000) {
    await db.query(
      `INSERT INTO audit_events (at, type, account_id, actor_id, detail)
       SELECT '2026-11-20T02:00:00Z'::timestamptz + n * interval '2 milliseconds',
              (ARRAY['sign_in.completed', 'sign_in.otp_accepted', 'desk.done'])[1 + n % 3], p.id,
              CASE WHEN n % 3 = 2 AND n % 10 = 0 THEN $1::uuid END, '{"browser": "Chrome"}'
         FROM generate_series($2::integer, $3::integer) n
         JOIN (SELECT id, row_number() OVER () AS k FROM accounts WHERE agency_code = 'OWN-1') p ON p.k = 1 + n % 5000`,
      [officer, begin, Math.min(begin + 25_000, ROWS) - 1],
    );
  }
  const began = performance.now();
  const ran = await report(...DAY, '--session', 'stolen');
  const seconds = (performance.now() - began) / 1000;
  figures('breach report of a session', { rows: ROWS, seconds, people: (await ran.people()).length });
  expect(ran.code).toBe(0);
  expect((await ran.people()).length).toBeGreaterThan(500);
  const everything = performance.now();
  await report(...DAY);
  figures('breach report of everything', { rows: ROWS, seconds: (performance.now() - everything) / 1000 });
  expect(seconds).toBeLessThan(30 + ROWS / 5_000);
}, 600_000);
