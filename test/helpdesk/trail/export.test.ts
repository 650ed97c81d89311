import { parse } from 'csv-parse/sync';
import type { TrailFormat } from '#src/helpdesk/trail/export-format.js';
import type { AccountId } from '#src/kernel/ids.js';
import { openTestDatabase } from '../../support/test-database.js';
import { addOfficer, addPerson, plantAgencies, take } from '../people.js';
import { auditOf } from '../reset-parts.js';
import { trailHouse } from './house.js';

type TestDatabase = Awaited<ReturnType<typeof openTestDatabase>>;

let db: TestDatabase;
let house: ReturnType<typeof trailHouse>;
let person: AccountId;

beforeEach(async () => {
  db = await openTestDatabase();
  house = trailHouse(db, { maxRows: 2_500 });
  await house.audit.prepare(db);
  await plantAgencies(db);
  person = await addPerson(db, { place: 'child' });
});
afterEach(() => db.drop());

async function happened(count: number): Promise<void> {
  await db.query(
    `INSERT INTO audit_events (at, type, account_id, agency_code, detail)
     SELECT $2::timestamptz + n * interval '1 millisecond', 'device.renamed', $1, 'OWN-1', jsonb_build_object('n', n)
       FROM generate_series(1, $3::integer) n`,
    [person, house.clock.at, count],
  );
  house.later(3600);
}

async function begin(officer: AccountId | undefined, format: TrailFormat, types?: readonly string[]) {
  const scope = officer === undefined ? ({ kind: 'all' } as const) : ({ kind: 'officer', accountId: officer } as const);
  const begun = await house.exports.begin({ scope, format, types });
  if (begun.kind !== 'begun') throw new Error(begun.kind);
  return begun.pieces;
}

async function whole(pieces: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
const outcomes = async (): Promise<unknown[]> => (await auditOf(db, 'audit.exported')).map(({ detail }) => detail);

it('CSV opens in a spreadsheet, runs nothing, and holds every row once', async () => {
  await db.query('UPDATE accounts SET name = $2 WHERE id = $1', [person, '=HYPERLINK("x")']);
  await happened(2_100);
  const pieces = await whole(await begin(await addOfficer(db, 'agency_admin'), 'csv', ['device.renamed']));
  expect(pieces.length).toBeGreaterThan(3);
  const rows: Record<string, string>[] = parse(pieces.join(''), { bom: true, columns: true });
  expect(rows.map(({ detail }) => (JSON.parse(detail ?? '') as { n: number }).n)).toEqual(
    Array.from({ length: 2_100 }, (_, index) => 2_100 - index),
  );
  expect(rows[0]).toMatchObject({ event: 'device.renamed', account: person, account_name: `'=HYPERLINK("x")` });
  expect(await outcomes()).toEqual([{ format: 'csv', rows: 2_100, ended: 'whole' }]);
  expect((await auditOf(db, 'audit.export_begun')).map(({ detail }) => detail)).toMatchObject([
    { format: 'csv', types: ['device.renamed'] },
  ]);
});

it('JSON Lines says so where it is capped, and how to go on', async () => {
  await happened(2_600);
  const lines = (await whole(await begin(undefined, 'jsonl', ['device.renamed']))).join('').trimEnd().split('\n');
  expect(lines).toHaveLength(2_501);
  const last = JSON.parse(lines[2_500] ?? '') as { not_whole: string; rows: number; continue_to: string };
  expect(last).toMatchObject({ not_whole: 'capped', rows: 2_500 });
  const rest = await house.exports.begin({
    scope: { kind: 'all' },
    format: 'jsonl',
    types: ['device.renamed'],
    to: new Date(last.continue_to),
  });
  if (rest.kind !== 'begun') throw new Error(rest.kind);
  const numbers = [...lines.slice(0, -1), ...(await whole(rest.pieces)).join('').trimEnd().split('\n')].map(
    (line) => (JSON.parse(line) as { detail: { n: number } }).detail.n,
  );
  expect(new Set(numbers).size).toBe(2_600);
  expect(await outcomes()).toEqual([
    { format: 'jsonl', rows: 2_500, ended: 'capped' },
    { format: 'jsonl', rows: 101, ended: 'whole' },
  ]);
});

it('ends where rights end, and says so', async () => {
  await happened(2_100);
  const officer = await addOfficer(db, 'agency_admin');
  const pieces: string[] = [];
  for await (const piece of await begin(officer, 'csv')) {
    pieces.push(piece);
    if (pieces.length === 2) await take(db, officer, 'agency_admin');
  }
  expect(pieces.at(-1)).toContain('NOT WHOLE: refused');
  expect(await outcomes()).toEqual([{ format: 'csv', rows: 1_000, ended: 'refused' }]);
});

it('tells what had left when its reader went away', async () => {
  await happened(2_100);
  for await (const piece of await begin(undefined, 'jsonl')) if (piece !== '') break;
  expect(await outcomes()).toEqual([{ format: 'jsonl', rows: 1_000, ended: 'broken_off' }]);
});

it('is refused as a search is', async () => {
  const helpdesk = await addOfficer(db, 'helpdesk');
  const begun = await house.exports.begin({ scope: { kind: 'officer', accountId: helpdesk }, format: 'csv' });
  expect(begun).toEqual({ kind: 'forbidden' });
  expect(await auditOf(db, 'audit.refused')).toMatchObject([{ actor_id: helpdesk, detail: { cause: 'forbidden' } }]);
});
