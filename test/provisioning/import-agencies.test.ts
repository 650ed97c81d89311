import type { Clock } from '#src/kernel/clock.js';
import { importAgencies } from '#src/provisioning/import-agencies.js';
import { NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';
import { Files } from './files.js';

const clock: Clock = { now: () => NOW };
const counts = (created: number, updated: number, unchanged: number, skipped: number) => ({
  created,
  updated,
  unchanged,
  skipped,
});

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;

beforeAll(async () => {
  db = await openTestDatabase();
});

beforeEach(async () => {
  files = new Files();
  await db.query('TRUNCATE agencies CASCADE');
});

afterEach(() => {
  files.remove();
});

afterAll(() => db.drop());

const load = (content: string) =>
  importAgencies({
    databaseUrl: db.url,
    path: files.write('agencies.csv', content),
    errorsPath: files.path('errors.csv'),
    clock,
  });

const tree = async (): Promise<unknown> =>
  Object.fromEntries(
    (await db.query('SELECT code, name, ancestors FROM agencies')).map((row) => [
      row.code,
      (row.ancestors as string[]).join('/'),
    ]),
  );

it('loads children that come before their parents', async () => {
  const outcome = await load('code,name,parent_code\nC,Unit,B\nB,Kabupaten,A\nA,Provinsi,\n');
  expect(outcome).toMatchObject({ kind: 'done', ...counts(3, 0, 0, 0) });
  expect(await tree()).toEqual({ A: 'A', B: 'A/B', C: 'A/B/C' });
  expect(files.problems()).toBeUndefined();
});

it('changes nothing the second time, and only what differs the third', async () => {
  const first = 'code,name,parent_code\nA,Provinsi,\nB,Kabupaten,A\nC,Unit,B\n';
  await load(first);
  expect(await load(first)).toMatchObject(counts(0, 0, 3, 0));
  expect(await load('code,name,parent_code\nB,Kabupaten Baru,A\nC,Unit,A\nD,Kota,A\n')).toMatchObject(
    counts(1, 2, 0, 0),
  );
  expect(await tree()).toEqual({ A: 'A', B: 'A/B', C: 'A/C', D: 'A/D' });
});

it('tells rows it cannot load and loads the rest', async () => {
  const rows = [
    'A,Provinsi,',
    ',Tanpa kode,',
    'B,,A',
    'A,Sekali lagi,',
    'C,Yatim,NOWHERE',
    'D,Anak yatim,C',
    `${'x'.repeat(65)},Panjang,`,
    'E,Kota,A',
    'F,"Kota',
  ];
  expect(await load(`code,name,parent_code\n${rows.join('\n')}\n`)).toMatchObject({
    kind: 'done',
    ...counts(2, 0, 0, 7),
  });
  expect(files.problems()).toEqual([
    '3,code,is not 1 to 64 characters',
    '4,name,is not 1 to 200 characters',
    '5,code,is on line 2 too',
    '6,parent_code,is no known agency',
    '7,parent_code,is no known agency',
    '8,code,is not 1 to 64 characters',
    '10,,a quoted value does not end',
  ]);
  expect(await tree()).toEqual({ A: 'A', E: 'A/E' });
});

it('closes no loop, neither within the file nor with what is known', async () => {
  expect(await load('code,name,parent_code\nA,a,B\nB,b,C\nC,c,A\nD,d,D\nE,e,\n')).toMatchObject(counts(1, 0, 0, 4));
  expect(files.problems()).toEqual([2, 3, 4, 5].map((line) => `${line},parent_code,would be above itself`));
  await load('code,name,parent_code\nF,f,E\n');
  expect(await load('code,name,parent_code\nE,e,F\n')).toMatchObject(counts(0, 0, 0, 1));
  expect(await tree()).toEqual({ E: 'E', F: 'E/F' });
});

it('takes columns in any order, in capitals, with a byte order mark and CRLF', async () => {
  expect(await load('\ufeffNAME,Parent_Code,CODE,note\r\n"Provinsi, Barat",,A,x\r\n')).toEqual({
    kind: 'done',
    ...counts(1, 0, 0, 0),
    unlikelyAges: [],
    unknownColumns: ['note'],
  });
});

it.each([
  ['', 'the file is empty'],
  ['A,Provinsi,\n', 'the first line must name the columns code,name,parent_code; missing: code, name, parent_code'],
  ['code,name\nA,Provinsi\n', 'missing: parent_code'],
  ['code;name;parent_code\nA;Provinsi;\n', 'separated by semicolons'],
  ['code,name,name,parent_code\n', 'the column name is there twice'],
])('refuses the file %j', async (content, reason) => {
  const outcome = await load(content);
  expect(outcome.kind === 'unusable' ? outcome.reason : outcome.kind).toContain(reason);
});

it('refuses a file that is not there, and a folder', async () => {
  const request = { databaseUrl: db.url, errorsPath: files.path('errors.csv'), clock };
  expect(await importAgencies({ ...request, path: files.path('none.csv') })).toMatchObject({ kind: 'unusable' });
  expect(await importAgencies({ ...request, path: files.path('.') })).toMatchObject({ kind: 'unusable' });
});
