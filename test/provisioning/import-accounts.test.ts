import { findByName, getById, recordPasswordFailure, setPassword, type Account } from '#src/accounts/accounts.js';
import type { Nip } from '#src/accounts/nip.js';
import { changeEmail } from '#src/accounts/accounts.js';
import type { AccountId } from '#src/kernel/ids.js';
import { importAccounts, type AccountImport } from '#src/provisioning/import-accounts.js';
import { openImportFile, writeErrorFile } from '#src/provisioning/import-file.js';
import { withBulkSession } from '#src/storage/copy.js';
import type { Queryable } from '#src/storage/database.js';
import { addAgencies, NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';
import { flat } from './feed.js';
import { Files } from './files.js';

const COLUMNS = ['nip', 'name', 'email', 'employment', 'agency_code', 'status'];
const counts = (created: number, updated: number, unchanged: number, skipped: number) => ({
  created,
  updated,
  unchanged,
  skipped,
});
const nip = (sequence: number): string => `198609262015051${String(sequence).padStart(3, '0')}`;

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;
let inactive: AccountId[];
/** Got another address. */
let moved: { id: string; oldEmail: string | undefined }[];

beforeAll(async () => {
  db = await openTestDatabase();
});

beforeEach(async () => {
  files = new Files();
  inactive = [];
  moved = [];
  for (const table of ['nip_history', 'credentials', 'accounts', 'agencies']) await db.query(`DELETE FROM ${table}`);
  await addAgencies(db);
});

afterEach(() => {
  files.remove();
});

afterAll(() => db.drop());

const DEFAULT_ORDER = {
  mode: 'delta',
  dryRun: false,
  limit: { percent: 1, atLeast: 20 },
  takesPasswords: true,
  agreed: {},
  clock: { now: () => NOW },
} as const;

const loadText = async (content: string | Buffer, more: Partial<AccountImport> = {}) =>
  flat(
    await importAccounts({
      databaseUrl: db.url,
      open: () => openImportFile(files.write('accounts.csv', content)),
      ...DEFAULT_ORDER,
      onProblems: (problems) => writeErrorFile(files.path('errors.csv'), problems),
      onApplied: (_tx, { left, emailMoved }) => {
        inactive.push(...left);
        moved.push(...emailMoved.map(({ id, oldEmail }) => ({ id, oldEmail })));
        return Promise.resolve();
      },
      ...more,
    }),
  );

const onLeft =
  (what: (tx: Queryable, ids: readonly AccountId[]) => Promise<void>): AccountImport['onApplied'] =>
  (tx, { left }) =>
    left.length === 0 ? Promise.resolve() : what(tx, left);

type Row = Readonly<Record<string, string>>;
const DEFAULTS: Row = {
  name: 'Nama',
  email: 'a@contoh.example',
  employment: 'PNS',
  agency_code: 'REGENCY',
  status: 'active',
};

/** Rows as objects; columns beyond the required ones are there when a row has them. */
function load(rows: readonly Row[], more: Partial<AccountImport> = {}) {
  const columns = [...new Set([...COLUMNS, ...rows.flatMap((row) => Object.keys(row))])];
  const quoted = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) => columns.map((column) => quoted(row[column] ?? DEFAULTS[column] ?? '')).join(','));
  return loadText(`${[columns.join(','), ...lines].join('\n')}\n`, more);
}

async function account(text: string): Promise<Account | undefined> {
  return findByName(db, { kind: 'nip', value: text as Nip });
}

async function idOf(text: string): Promise<AccountId> {
  const found = await account(text);
  if (found === undefined) throw new Error('no such account');
  return found.id;
}

const historyOf = async (id: AccountId): Promise<unknown[]> =>
  (await db.query('SELECT nip FROM nip_history WHERE account_id = $1 ORDER BY nip', [id])).map((row) => row.nip);

/** All that an import may touch, for comparing before and after. */
const everything = async (): Promise<unknown> =>
  Promise.all(
    ['accounts', 'credentials', 'nip_history'].map((table) =>
      db.query(`SELECT t::text FROM ${table} t ORDER BY t::text`),
    ),
  );

describe('a first import', () => {
  it('adds people of every kind, never activated', async () => {
    const outcome = await load([
      { nip: nip(1), name: 'Siti, S.Kom.', username: 'Siti.R', person_id: 'P-1' },
      { nip: '199001012023211001', employment: 'PPPK', email: '' },
      { nip: '199001012025242014', employment: 'PPPK_PARUH_WAKTU', agency_code: 'OFFICE' },
      { nip: '20000229 202506 1 002', employment: 'CPNS', status: 'inactive' },
    ]);
    expect(outcome).toMatchObject({ kind: 'done', ...counts(4, 0, 0, 0), unlikelyAges: [], unknownColumns: [] });
    expect(files.problems()).toBeUndefined();
    expect(await account(nip(1))).toMatchObject({
      name: 'Siti, S.Kom.',
      accountName: 'siti.r',
      email: 'a@contoh.example',
      employment: 'PNS',
      agency: { code: 'REGENCY' },
      status: 'active',
      activatedAt: undefined,
      passwordHash: undefined,
    });
    expect(await account('199001012023211001')).toMatchObject({ email: undefined, employment: 'PPPK' });
    expect(await account('200002292025061002')).toMatchObject({ status: 'inactive' });
    // Nobody was there before, so nothing is open that would have to end.
    expect(inactive).toEqual([]);
  });

  it('takes over a password and counts the person as activated', async () => {
    const hash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
    await load([{ nip: nip(1), password_hash: hash }]);
    expect(await account(nip(1))).toMatchObject({ passwordHash: hash, activatedAt: NOW, passwordFailures: 0 });
  });

  it('reads the example files of the project', async () => {
    const { importAgencies } = await import('#src/provisioning/import-agencies.js');
    const request = { databaseUrl: db.url, errorsPath: files.path('errors.csv'), clock: { now: () => NOW } };
    const agencies = await importAgencies({ ...request, path: 'config/agencies.example.csv' });
    expect(agencies).toMatchObject({ kind: 'done', skipped: 0 });
    const outcome = await loadText('', { open: () => openImportFile('config/accounts.example.csv') });
    expect(files.problems()).toBeUndefined();
    expect(outcome).toMatchObject({ kind: 'done', ...counts(5, 0, 0, 0) });
  });

  it('commits batch by batch, over all lines', async () => {
    const rows = Array.from({ length: 12_345 }, (_, at) => ({
      nip: `${1970 + Math.floor(at / 999)}0101201505${1 + (at % 2)}${String(1 + (at % 999)).padStart(3, '0')}`,
    }));
    const phases = new Set<string>();
    const outcome = await load(rows, { onProgress: ({ phase, done, total }) => done <= total && phases.add(phase) });
    expect(outcome).toMatchObject(counts(12_345, 0, 0, 0));
    expect((await db.query('SELECT count(*)::integer AS count FROM accounts'))[0]).toEqual({ count: 12_345 });
    expect([...phases]).toEqual(['reading', 'checking', 'writing']);
  });
});

describe('an import that breaks half-way', () => {
  it('leaves whole batches and is finished by running it again', async () => {
    const nips = Array.from(
      { length: 7_000 },
      (_, at) => `${1970 + Math.floor(at / 999)}0101201505${1 + (at % 2)}${String(1 + (at % 999)).padStart(3, '0')}`,
    );
    const rows = nips.map((it) => ({ nip: it }));
    const leaver = { nip: nips[6_500] ?? '' };
    await load([leaver]);
    const file = rows.map((row) => (row.nip === leaver.nip ? { ...row, status: 'inactive' } : row));
    await expect(load(file, { onApplied: onLeft(() => Promise.reject(new Error('broken'))) })).rejects.toThrow(
      'broken',
    );
    const count = async () => (await db.query('SELECT count(*)::integer AS count FROM accounts'))[0]?.count;
    expect(await count()).toBe(5_000);
    expect(await load(file)).toMatchObject(counts(2_000, 1, 4_999, 0));
    expect(await count()).toBe(7_000);
    expect(inactive).toHaveLength(1);
  });
});

describe('a second import', () => {
  it('of the same file changes nothing', async () => {
    const rows = [
      { nip: nip(1), username: 'siti', person_id: 'P-1', previous_nip: nip(91), password_hash: '' },
      { nip: nip(2), username: '', person_id: '', previous_nip: '123456789', password_hash: '' },
      { nip: nip(3), username: '', person_id: 'P-3', previous_nip: '', password_hash: `$2b$10$${'N'.repeat(53)}` },
    ];
    expect(await load(rows)).toMatchObject(counts(3, 0, 0, 0));
    const before = await everything();
    expect(await load(rows)).toMatchObject(counts(0, 0, 3, 0));
    expect(await everything()).toEqual(before);
  });

  it('changes what differs and leaves what the file does not say', async () => {
    await load([{ nip: nip(1), username: 'siti', person_id: 'P-1' }, { nip: nip(2) }]);
    const id = await idOf(nip(1));
    const changed = { nip: nip(1), name: 'Baru', email: '', employment: 'CPNS', agency_code: 'OTHER', username: '' };
    expect(await load([changed, { nip: nip(2) }])).toMatchObject(counts(0, 1, 1, 0));
    expect(await account(nip(1))).toMatchObject({
      id,
      name: 'Baru',
      email: undefined,
      employment: 'CPNS',
      agency: { code: 'OTHER' },
      accountName: 'siti',
    });
  });

  it('never brings an old password back', async () => {
    const hash = `$2b$10$${'N'.repeat(53)}`;
    await load([{ nip: nip(1), password_hash: hash }]);
    const id = await idOf(nip(1));
    await setPassword(db, { accountId: id, passwordHash: 'chosen since', now: NOW });
    await recordPasswordFailure(db, id, NOW);
    expect(await load([{ nip: nip(1), password_hash: hash }])).toMatchObject(counts(0, 0, 1, 0));
    expect(await getById(db, id)).toMatchObject({ passwordHash: 'chosen since', passwordFailures: 1, credEpoch: 1 });
  });

  it('leaves people alone whom the file does not name', async () => {
    await load([{ nip: nip(1) }, { nip: nip(2) }]);
    expect(await load([{ nip: nip(2) }])).toMatchObject(counts(0, 0, 1, 0));
    expect(await account(nip(1))).toMatchObject({ status: 'active' });
  });
});

describe('a person who leaves', () => {
  it('is told once, in the transaction that makes the account inactive, with a new epoch', async () => {
    await load([{ nip: nip(1) }, { nip: nip(2) }]);
    const id = await idOf(nip(1));
    const seen: unknown[] = [];
    const rows = [{ nip: nip(1), status: 'inactive' }, { nip: nip(2) }];
    await load(rows, {
      onApplied: onLeft(async (tx, ids) => {
        seen.push(...(await tx.query('SELECT id, status FROM accounts WHERE id = ANY ($1)', [ids])));
      }),
    });
    expect(seen).toEqual([{ id, status: 'inactive' }]);
    expect(await getById(db, id)).toMatchObject({ status: 'inactive', credEpoch: 1 });
    expect(await load(rows)).toMatchObject(counts(0, 0, 2, 0));
    expect(inactive).toEqual([]);
  });

  it('stays active when what is open cannot be ended', async () => {
    await load([{ nip: nip(1) }]);
    const failing = load([{ nip: nip(1), status: 'inactive' }], {
      onApplied: onLeft(() => Promise.reject(new Error('no'))),
    });
    await expect(failing).rejects.toThrow('no');
    expect(await account(nip(1))).toMatchObject({ status: 'active', credEpoch: 0 });
  });
});

describe('a change of number', () => {
  it('by previous_nip keeps the id and remembers the old number', async () => {
    await load([{ nip: nip(1), name: 'Sebelum' }]);
    const id = await idOf(nip(1));
    expect(await load([{ nip: nip(2), name: 'Sesudah', previous_nip: nip(1) }])).toMatchObject(counts(0, 1, 0, 0));
    expect(await account(nip(2))).toMatchObject({ id, name: 'Sesudah' });
    expect(await account(nip(1))).toBeUndefined();
    expect(await historyOf(id)).toEqual([nip(1)]);
  });

  it('by person_id keeps the id, whatever else the row says', async () => {
    await load([
      { nip: nip(1), person_id: 'P-1' },
      { nip: nip(5), person_id: 'P-5' },
    ]);
    const id = await idOf(nip(1));
    expect(await load([{ nip: nip(2), person_id: 'P-1', previous_nip: nip(5) }])).toMatchObject(counts(0, 1, 0, 0));
    expect(await account(nip(2))).toMatchObject({ id });
    expect(await historyOf(id)).toEqual([nip(1), nip(5)]);
    expect(await account(nip(5))).toBeDefined();
  });

  it('frees the old number for somebody else, in a later file', async () => {
    await load([{ nip: nip(1), name: 'Pertama' }]);
    const first = await idOf(nip(1));
    await load([{ nip: nip(2), name: 'Pertama', previous_nip: nip(1) }]);
    expect(await load([{ nip: nip(1), name: 'Kedua' }])).toMatchObject(counts(1, 0, 0, 0));
    expect(await account(nip(2))).toMatchObject({ id: first, name: 'Pertama' });
    expect(await account(nip(1))).toMatchObject({ name: 'Kedua' });
    expect(await idOf(nip(1))).not.toBe(first);
  });

  const reuse: readonly Row[] = [
    { nip: nip(1), name: 'Kedua', previous_nip: '' },
    { nip: nip(2), name: 'Pertama', previous_nip: nip(1) },
  ];

  it.each([
    ['the newcomer first', reuse],
    ['the newcomer last', [...reuse].reverse()],
  ])('frees the old number for somebody else in the same file, %s, and again', async (_order, rows) => {
    await load([{ nip: nip(1), name: 'Pertama' }]);
    const first = await idOf(nip(1));
    expect(await load(rows)).toMatchObject(counts(1, 1, 0, 0));
    expect(await account(nip(2))).toMatchObject({ id: first, name: 'Pertama' });
    expect(await account(nip(1))).toMatchObject({ name: 'Kedua' });
    const before = await everything();
    expect(await load(rows)).toMatchObject(counts(0, 0, 2, 0));
    expect(await everything()).toEqual(before);
  });

  it('works for two who trade numbers and for a chain', async () => {
    await load([1, 2, 3].map((it) => ({ nip: nip(it), person_id: `P-${it}` })));
    const ids = await Promise.all([1, 2, 3].map((it) => idOf(nip(it))));
    const traded = [
      { nip: nip(2), person_id: 'P-1' },
      { nip: nip(3), person_id: 'P-2' },
      { nip: nip(1), person_id: 'P-3' },
    ];
    expect(await load(traded)).toMatchObject(counts(0, 3, 0, 0));
    expect(await Promise.all([2, 3, 1].map((it) => idOf(nip(it))))).toEqual(ids);
    expect(await load(traded)).toMatchObject(counts(0, 0, 3, 0));
  });

  it('works for a chain told by previous_nip alone, and again', async () => {
    await load([{ nip: nip(1) }, { nip: nip(2) }]);
    const ids = [await idOf(nip(1)), await idOf(nip(2))];
    const chain = [
      { nip: nip(2), previous_nip: nip(1) },
      { nip: nip(3), previous_nip: nip(2) },
    ];
    expect(await load(chain)).toMatchObject(counts(0, 2, 0, 0));
    expect([await idOf(nip(2)), await idOf(nip(3))]).toEqual(ids);
    expect(await load(chain)).toMatchObject(counts(0, 0, 2, 0));
  });

  it('never hands an account to another person', async () => {
    await load([{ nip: nip(1), person_id: 'P-1' }]);
    const id = await idOf(nip(1));
    expect(await load([{ nip: nip(1), name: 'Lain', person_id: 'P-2' }])).toMatchObject(counts(0, 0, 0, 1));
    expect(files.problems()).toEqual(['2,nip,belongs to another account']);
    expect(await load([{ nip: nip(2), name: 'Lain', person_id: 'P-2', previous_nip: nip(1) }])).toMatchObject(
      counts(1, 0, 0, 0),
    );
    expect(await account(nip(1))).toMatchObject({ id, name: 'Nama' });
  });

  it('learns the person_id of an account that had none', async () => {
    await load([{ nip: nip(1) }]);
    const id = await idOf(nip(1));
    expect(await load([{ nip: nip(1), person_id: 'P-1' }])).toMatchObject(counts(0, 1, 0, 0));
    expect(await load([{ nip: nip(2), person_id: 'P-1' }])).toMatchObject(counts(0, 1, 0, 0));
    expect(await idOf(nip(2))).toBe(id);
  });

  it('is told when old and new number have an account each', async () => {
    await load([{ nip: nip(1) }, { nip: nip(2) }]);
    expect(await load([{ nip: nip(2), previous_nip: nip(1) }])).toMatchObject(counts(0, 0, 0, 1));
    expect(files.problems()).toEqual(['2,previous_nip,has an account of its own']);
  });

  it('set aside because its number is taken sets aside who counted on it', async () => {
    await load([1, 2, 3].map((it) => ({ nip: nip(it), person_id: `P-${it}` })));
    // Three stays, so two cannot take its number, so one cannot take two's.
    const rows = [
      { nip: nip(2), person_id: 'P-1' },
      { nip: nip(3), person_id: 'P-2' },
    ];
    expect(await load(rows)).toMatchObject(counts(0, 0, 0, 2));
    expect(files.problems()).toEqual(['2,nip,belongs to another account', '3,nip,belongs to another account']);
  });
});

describe('an account name', () => {
  it('belongs to one person; two may trade theirs', async () => {
    await load([
      { nip: nip(1), username: 'satu' },
      { nip: nip(2), username: 'dua' },
    ]);
    expect(await load([{ nip: nip(3), username: 'satu' }])).toMatchObject(counts(0, 0, 0, 1));
    expect(files.problems()).toEqual(['2,username,belongs to another account']);
    const traded = [
      { nip: nip(1), username: 'dua' },
      { nip: nip(2), username: 'satu' },
    ];
    expect(await load(traded)).toMatchObject(counts(0, 2, 0, 0));
    expect(await findByName(db, { kind: 'account_name', value: 'dua' })).toMatchObject({ nip: nip(1) });
  });
});

describe('bad rows', () => {
  const bad: readonly (readonly [string, Row, readonly string[]])[] = [
    ['a short NIP', { nip: '1986' }, ['nip,is not 18 digits']],
    ['a NIP that a spreadsheet spoilt', { nip: '1.98609E+17' }, ['nip,is not 18 digits']],
    ['31 February', { nip: '199002312015051001' }, ['nip,begins with no calendar date']],
    ['a month of appointment of 13', { nip: '199002012015131001' }, ['nip,has no year and month of appointment']],
    ['no name', { name: '' }, ['name,is not 1 to 200 characters with a letter']],
    ['a name of digits', { name: '12345' }, ['name,is not 1 to 200 characters with a letter']],
    ['a long name', { name: 'x'.repeat(201) }, ['name,is not 1 to 200 characters with a letter']],
    ['no address', { email: 'siti' }, ['email,is not one e-mail address']],
    ['two addresses', { email: 'a@b.id,c@d.id' }, ['email,is not one e-mail address']],
    ['an address with a name', { email: 'Siti <a@b.id>' }, ['email,is not one e-mail address']],
    ['an unknown kind', { employment: 'HONORER' }, ['employment,is none of PNS PPPK CPNS PPPK_PARUH_WAKTU']],
    ['an unknown agency', { agency_code: 'regency' }, ['agency_code,is no known agency']],
    ['no agency', { agency_code: '' }, ['agency_code,is missing']],
    ['an unknown status', { status: 'aktif' }, ['status,is neither active nor inactive']],
    ['an account name of digits', { username: '12345' }, ['username,is not an account name']],
    ['an account name that is a NIP', { username: nip(77) }, ['username,is not an account name']],
    ['a person_id with a space', { person_id: 'P 1' }, ['person_id,is not 1 to 64 plain characters']],
    ['a previous NIP of 17 digits', { previous_nip: '19860926201505100' }, ['previous_nip,is not 18 or 9 digits']],
    [
      'a password in the clear',
      { password_hash: 'Rahasia123!' },
      ['password_hash,is no argon2 bcrypt or PBKDF2 string'],
    ],
    ['a control character', { name: 'Si\u0007ti' }, [',holds a control character']],
    [
      'several faults',
      { nip: '1', email: 'x', status: '' },
      ['nip,is not 18 digits', 'email,is not one e-mail address', 'status,is neither active nor inactive'],
    ],
  ];

  it.each(bad)('%s is told, without its value, and the rest is loaded', async (_what, row, problems) => {
    const outcome = await load([{ nip: nip(1) }, { nip: nip(2), ...row }, { nip: nip(3) }]);
    expect(outcome).toMatchObject(counts(2, 0, 0, 1));
    expect(files.problems()?.map((line) => line.replaceAll('"', '').replace('argon2,', 'argon2'))).toEqual(
      problems.map((problem) => `3,${problem}`),
    );
  });

  it('of the same key: the first stays', async () => {
    const rows = [
      { nip: nip(1), person_id: 'P-1', username: 'satu' },
      { nip: nip(1), person_id: 'P-2', username: 'dua' },
      { nip: nip(3), person_id: 'P-1', username: 'tiga' },
      { nip: nip(4), person_id: 'P-4', username: 'satu' },
    ];
    expect(await load(rows)).toMatchObject(counts(1, 0, 0, 3));
    expect(files.problems()).toEqual([
      '3,nip,is on line 2 too',
      '4,person_id,is on line 2 too',
      '5,username,is on line 2 too',
    ]);
  });

  it('with too few or too many values are told; empty lines are passed over', async () => {
    const good = `${nip(1)},Nama,,PNS,REGENCY,active`;
    const outcome = await loadText(`${COLUMNS.join(',')}\n\n${good}\n1,2\n${good},x\n,,,,,\n"broken\n`);
    expect(outcome).toMatchObject(counts(1, 0, 0, 3));
    expect(files.problems()).toEqual([
      '4,,has 2 values where the header has 6',
      '5,,has 7 values where the header has 6',
      '7,,a quoted value does not end',
    ]);
  });

  it('leave no trace of a person in the error file', async () => {
    await load([{ nip: '198609262015051x01', name: 'Siti Rahasia', email: 'siti@rahasia', status: 'x' }]);
    expect(files.problems()?.join('\n')).not.toMatch(/siti|1986/i);
  });

  it('that are fine by now are no longer told', async () => {
    await load([{ nip: 'x' }]);
    expect(files.problems()).toHaveLength(1);
    await load([{ nip: nip(1) }]);
    expect(files.problems()).toEqual([]);
  });
});

describe('a dry run', () => {
  it('changes nothing and reports what the import then does', async () => {
    await load([{ nip: nip(1), person_id: 'P-1' }, { nip: nip(2) }, { nip: nip(3) }]);
    const rows = [
      { nip: nip(1), person_id: 'P-9', status: 'active' },
      { nip: nip(2), status: 'inactive' },
      { nip: nip(3) },
      { nip: nip(4) },
      { nip: nip(5), previous_nip: nip(3) },
      { nip: 'x' },
    ];
    const before = await everything();
    const planned = await load(rows, { dryRun: true });
    const told = files.problems();
    expect(await everything()).toEqual(before);
    expect(inactive).toEqual([]);
    expect(await load(rows)).toEqual(planned);
    expect(files.problems()).toEqual(told);
    expect(inactive).toHaveLength(1);
  });
});

describe('the file', () => {
  it.each([
    ['', 'the file is empty'],
    ['nip,name\n', 'missing: email, employment, agency_code, status'],
    [`${nip(1)},Nama,,PNS,REGENCY,active\n`, 'the first line must name the columns'],
    [Buffer.from(`\ufeff${COLUMNS.join(',')}\n`, 'utf16le'), 'UTF-16'],
    [`${COLUMNS.join(';')}\n`, 'semicolons'],
    [`${COLUMNS.join(',')},nip\n`, 'the column nip is there twice'],
  ])('%j is refused as a whole', async (content, reason) => {
    const outcome = await loadText(content);
    expect(outcome.kind === 'unusable' ? outcome.reason : outcome.kind).toContain(reason);
  });

  it('may have columns nobody knows, a byte order mark, CRLF and no rows', async () => {
    expect(await loadText(`\ufeff${COLUMNS.join(',')},nilai\r\n`)).toMatchObject({
      ...counts(0, 0, 0, 0),
      unknownColumns: ['nilai'],
    });
  });

  it('tells of people too young or too old, and loads them', async () => {
    const outcome = await load([{ nip: '201509262026051001' }, { nip: nip(2) }, { nip: '194009261960051001' }]);
    expect(outcome).toMatchObject({ ...counts(3, 0, 0, 0), unlikelyAges: [2, 4] });
  });
});

it('refuses to run beside another import', async () => {
  const outcome = await withBulkSession(db.url, async (session) => {
    const { beginPlan } = await import('#src/provisioning/account-plan-store.js');
    await beginPlan(session);
    return load([{ nip: nip(1) }]);
  });
  expect(outcome).toEqual({ kind: 'busy' });
  expect(await load([{ nip: nip(1) }])).toMatchObject(counts(1, 0, 0, 0));
});

describe('an e-mail address (docs/adr/0014)', () => {
  const NUMBER = nip(7);
  const from = (email: string) => load([{ nip: NUMBER, email }]);
  const stored = async () => {
    const [row] = await db.query(
      'SELECT email, email_chosen, email_imported, email_unproved FROM accounts WHERE nip = $1',
      [NUMBER],
    );
    return row;
  };
  const counts = ({ created, updated, unchanged }: Partial<Record<string, unknown>>) => [created, updated, unchanged];
  /** The person activates the account and, if told so, chooses an address of their own. */
  async function used(chosen?: string): Promise<void> {
    await from('siasn@contoh.example');
    await db.query('UPDATE accounts SET activated_at = $2 WHERE nip = $1', [NUMBER, NOW]);
    const [row] = await db.query('SELECT id FROM accounts WHERE nip = $1', [NUMBER]);
    if (chosen === undefined) return;
    expect(await changeEmail(db, { accountId: row?.id as AccountId, email: chosen, now: NOW })).toBe(true);
  }

  it('that the person chose is not undone by a file that still has the old one', async () => {
    await used('sendiri@contoh.example');
    expect(counts((await from('siasn@contoh.example')) as never)).toEqual([0, 0, 1]);
    expect(counts((await load([{ nip: NUMBER, email: 'siasn@contoh.example', name: 'Nama Lain' }])) as never)).toEqual([
      0, 1, 0,
    ]);
    expect(counts((await from('')) as never)).toEqual([0, 1, 0]);
    expect(await stored()).toEqual({
      email: 'sendiri@contoh.example',
      email_chosen: true,
      email_imported: 'siasn@contoh.example',
      email_unproved: false,
    });
    expect(moved).toEqual([]);
  });

  it('gives way to what the personnel system newly says: told to the old one, and unproved', async () => {
    await used('sendiri@contoh.example');
    expect(counts((await from('lain@contoh.example')) as never)).toEqual([0, 1, 0]);
    expect(await stored()).toEqual({
      email: 'lain@contoh.example',
      email_chosen: false,
      email_imported: null,
      email_unproved: true,
    });
    expect(moved).toEqual([{ id: expect.any(String) as string, oldEmail: 'sendiri@contoh.example' }]);
    expect(counts((await from('lain@contoh.example')) as never)).toEqual([0, 0, 1]);
    expect(moved).toHaveLength(1);
  });

  it('that both agree on is simply that', async () => {
    await used('sendiri@contoh.example');
    expect(counts((await from('sendiri@contoh.example')) as never)).toEqual([0, 1, 0]);
    expect(await stored()).toMatchObject({
      email: 'sendiri@contoh.example',
      email_chosen: false,
      email_unproved: false,
    });
    expect(moved).toEqual([]);
  });

  it('of an account in use is told as moved; of one that never was, not', async () => {
    await from('siasn@contoh.example');
    await from('lain@contoh.example');
    expect([moved, await stored()]).toEqual([
      [],
      { email: 'lain@contoh.example', email_chosen: false, email_imported: null, email_unproved: false },
    ]);
    await db.query('UPDATE accounts SET activated_at = $2 WHERE nip = $1', [NUMBER, NOW]);
    await from('ketiga@contoh.example');
    expect(moved).toEqual([{ id: expect.any(String) as string, oldEmail: 'lain@contoh.example' }]);
    expect(await stored()).toMatchObject({ email: 'ketiga@contoh.example', email_unproved: true });
    await load([{ nip: NUMBER, email: 'ketiga@contoh.example', name: 'Nama Lain' }]);
    expect(await stored()).toMatchObject({ email_unproved: true });
  });
});
