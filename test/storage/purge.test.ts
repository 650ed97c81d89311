import type { Log } from '#src/kernel/log.js';
import { createPurge, type PurgeOptions } from '#src/storage/purge-store.js';
import type { Expiry } from '#src/storage/expiry.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

const now = new Date('2026-11-23T00:30:00Z');
const things: Expiry = { table: 'things', where: 'expires_at <= $1' };

let db: Database & TestDatabase;
let lines: string[];
const write = (message: string, fields?: unknown): void => {
  lines.push(`${message} ${JSON.stringify(fields)}`);
};
const log: Log = { debug: write, info: write, warn: write, error: write };
const open = (options: Partial<PurgeOptions> = {}) =>
  createPurge({ db, clock: { now: () => now }, log, expiries: [things], ...options });
const fill = (expired: number, living: number) =>
  db.query(
    `INSERT INTO things SELECT n, $1::timestamptz + CASE WHEN n <= $2 THEN interval '0' ELSE interval '1 second' END
       FROM generate_series(1, $2::integer + $3::integer) AS n`,
    [now, expired, living],
  );
const left = async (): Promise<unknown> => (await db.query('SELECT count(*)::integer AS n FROM things'))[0]?.n;

beforeAll(async () => {
  db = await openTestDatabase();
  await db.query('CREATE TABLE things (id integer, expires_at timestamptz)');
});
beforeEach(async () => {
  lines = [];
  await db.query('TRUNCATE things');
});
afterAll(() => db.drop());

test('forgets what has expired by its clock, in batches, and nothing else', async () => {
  await fill(23, 5);
  const counted: unknown[] = [];
  const counts = await open({ batchRows: 10, onPurged: (...seen) => counted.push(seen) }).runOnce();
  expect(Object.fromEntries(counts)).toEqual({ things: 23 });
  expect(counted).toEqual([['things', 23]]);
  expect(await left()).toBe(5);
  expect(lines).toEqual(['purged {"things":23}']);
});

test('says nothing when there was nothing', async () => {
  await fill(0, 3);
  expect((await open().runOnce()).size).toBe(0);
  expect(lines).toEqual([]);
});

test('leaves it to the process that is at it', async () => {
  await fill(5, 0);
  await db.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock(7260002)');
    expect((await open().runOnce()).size).toBe(0);
  });
  expect((await open().runOnce()).get('things')).toBe(5);
});

test('passes over rows that someone holds, without waiting', async () => {
  await fill(5, 0);
  await db.transaction(async (tx) => {
    await tx.query('SELECT 1 FROM things WHERE id = 3 FOR UPDATE');
    expect((await open().runOnce()).get('things')).toBe(4);
  });
  expect(await left()).toBe(1);
});

test('several at once forget each row once', async () => {
  await fill(500, 0);
  const runs = await Promise.all([1, 2, 3, 4].map(() => open({ batchRows: 50 }).runOnce()));
  const total = runs.reduce((sum, counts) => sum + (counts.get('things') ?? 0), 0);
  expect(total + Number(await left())).toBe(500);
  await open().runOnce();
  expect(await left()).toBe(0);
});

test('a table in trouble does not keep the others, and its error is not repeated in the log', async () => {
  await fill(2, 0);
  const broken: Expiry = { table: 'no_such_secret_table', where: 'true' };
  const counts = await open({ expiries: [broken, things] }).runOnce();
  expect(counts.get('things')).toBe(2);
  expect(lines[0]).toMatch(/^purge failed .*no_such_secret_table/);
  expect(lines[0]).not.toContain('does not exist');
});

test('keeps the living rows of a partitioned table', async () => {
  await db.query('CREATE TABLE parted (id integer, expires_at timestamptz) PARTITION BY LIST (id)');
  await db.query('CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)');
  await db.query('CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2)');
  await db.query(`INSERT INTO parted VALUES (1, $1), (2, $1::timestamptz + interval '1 second')`, [now]);
  const counts = await open({ expiries: [{ table: 'parted', where: 'expires_at <= $1 OR id = 3' }] }).runOnce();
  expect(counts.get('parted')).toBe(1);
  expect(await db.query('SELECT id FROM parted')).toEqual([{ id: 2 }]);
});

test('runs what is not a matter of rows too', async () => {
  const at: Date[] = [];
  const task = {
    name: 'partitions',
    run: (_: Database, time: Date) => {
      at.push(time);
      return Promise.resolve(3);
    },
  };
  expect((await open({ tasks: [task] }).runOnce()).get('partitions')).toBe(3);
  expect(at).toEqual([now]);
});

test('stopping ends a long run after the batch in hand', async () => {
  await fill(100, 0);
  let stopped: Promise<void> | undefined;
  const purge = open({
    batchRows: 1,
    clock: {
      now: () => {
        stopped ??= purge.stop();
        return now;
      },
    },
  });
  await purge.runOnce();
  await stopped;
  expect(await left()).toBe(99);
});
