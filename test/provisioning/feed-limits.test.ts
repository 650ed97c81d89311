import { agencyCode } from '#src/kernel/ids.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { FeedOrder } from '#src/provisioning/personnel-feed.js';
import { addAgencies, NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';
import { feedOver, nip, take, type FeedRow } from './feed.js';
import { Files } from './files.js';

/** What the files of a day may change without anybody having named the number (docs/adr/0020). */

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;
let now: Date;

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  files = new Files();
  now = NOW;
  await db.query('TRUNCATE agencies, accounts, audit_events, feed_runs CASCADE');
  await addAgencies(db);
});
afterEach(() => {
  files.remove();
});
afterAll(() => db.drop());

const LIMIT = { percent: 1, atLeast: 4 };
const clock = { now: () => now };
const give = async (rows: readonly FeedRow[], more: Partial<FeedOrder> = {}) =>
  (await take(feedOver(db, { limit: LIMIT, clock }), files, rows, more)).outcome;
const regency = { source: { kind: 'service', clientId: 'daerah', agency: agencyCode('REGENCY') } } as const;
const people = (count: number, more: FeedRow = {}, from = 0): FeedRow[] =>
  Array.from({ length: count }, (_, at) => ({ nip: nip(from + at), ...more }));
const leaving = (count: number, from: number): FeedRow[] => people(count, { status: 'inactive' }, from);
const active = async () => (await db.query(`SELECT FROM accounts WHERE status = 'active'`)).length;

describe('leavers', () => {
  it('in slices below the limit are counted together, for a day', async () => {
    await give(people(40));
    expect(await give(leaving(3, 0))).toMatchObject({ kind: 'done', left: 3 });
    expect(await give(leaving(2, 3))).toMatchObject({
      kind: 'refused',
      refusal: { cause: 'too_many_inactive', inactive: 2, before: 3, active: 37, allowed: 4 },
    });
    expect(await give(leaving(1, 3))).toMatchObject({ kind: 'done', left: 1 });
    expect(await give(people(36, {}, 4), { mode: 'full' })).toMatchObject({ kind: 'done', left: 0 });
    expect(await give(people(35, {}, 5), { mode: 'full' })).toMatchObject({ kind: 'refused' });
    now = secondsAfter(NOW, 24 * 3600 - 1);
    expect(await give(leaving(1, 4))).toMatchObject({ kind: 'refused' });
    now = secondsAfter(NOW, 24 * 3600 + 1);
    expect(await give(leaving(4, 4))).toMatchObject({ kind: 'done', left: 4 });
    expect(await active()).toBe(32);
  });

  it('that were agreed to stand in the way of nobody who leaves afterwards', async () => {
    await give(people(40));
    expect(await give(leaving(20, 0), { agreed: { inactive: 20 } })).toMatchObject({ left: 20 });
    expect(await give(leaving(4, 20))).toMatchObject({ kind: 'done', left: 4 });
    expect(await give(leaving(1, 24))).toMatchObject({ kind: 'refused' });
    expect(await give(leaving(1, 24), { agreed: { inactive: 1 } })).toMatchObject({ kind: 'done' });
  });

  it('of dry runs and refused files are not counted', async () => {
    await give(people(40));
    await give(leaving(4, 0), { dryRun: true });
    await give(leaving(9, 0));
    expect(await give(leaving(4, 0))).toMatchObject({ kind: 'done', left: 4 });
  });

  it('are counted as far as a file came that was broken off', async () => {
    await give(people(1_200));
    const stop = new AbortController();
    const stopped = take(feedOver(db, { limit: { percent: 90, atLeast: 0 }, clock }), files, people(601), {
      mode: 'full',
      signal: stop.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'closing' && done === 500) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    expect(await db.query(`SELECT change, people FROM feed_run_counts`)).toEqual([{ change: 'inactive', people: 500 }]);
  });

  it('are counted by reach: all agencies, or those below one', async () => {
    await give([...people(20), ...people(20, { agency_code: 'OTHER' }, 100)]);
    expect(await give(leaving(4, 0), regency)).toMatchObject({ kind: 'done' });
    expect(await give(leaving(1, 4), regency)).toMatchObject({ kind: 'refused', refusal: { before: 4, active: 16 } });
    const others = people(4, { agency_code: 'OTHER', status: 'inactive' }, 100);
    expect(await give(others)).toMatchObject({ kind: 'done', left: 4 });
  });

  it('of one sizeable agency are counted together, too, whoever sent the files', async () => {
    const feed = feedOver(db, { limit: { percent: 90, atLeast: 0 }, clock });
    const slice = async (count: number, from: number, more: Partial<FeedOrder> = {}) =>
      (await take(feed, files, people(count, { agency_code: 'OFFICE', status: 'inactive' }, from), more)).outcome;
    await take(feed, files, [...people(60, { agency_code: 'OFFICE' }), ...people(100, {}, 1_000)]);
    expect(await slice(20, 0, regency)).toMatchObject({ kind: 'done' });
    expect(await slice(11, 20)).toMatchObject({
      kind: 'refused',
      refusal: { cause: 'agency_emptied', agencyCode: 'OFFICE', inactive: 11, before: 20, active: 40, allInactive: 11 },
    });
    expect(await slice(10, 20)).toMatchObject({ kind: 'done' });
    expect(await slice(1, 30, { agreed: { inactive: 1 } })).toMatchObject({ kind: 'done' });
  });
});

describe.each([
  ['moves', 'too_many_moved', 'moved', { agency_code: 'OTHER' }],
  ['other addresses of accounts in use', 'too_many_readdressed', 'readdressed', { email: 'lain@contoh.example' }],
] as const)('%s', (_what, cause, agreement, change) => {
  const changed = (count: number, from: number): FeedRow[] => people(count, change, from);

  it('beyond five times the limit of leavers refuse the file as a whole, unless they are agreed to', async () => {
    await give(people(60));
    await db.query('UPDATE accounts SET activated_at = $1', [NOW]);
    const before = await db.query('SELECT a::text FROM accounts a ORDER BY id');
    for (const dryRun of [true, false]) {
      expect(await give(changed(21, 0), { dryRun })).toMatchObject({
        kind: 'refused',
        refusal: { cause, people: 21, before: 0, active: 60, allowed: 20 },
      });
    }
    expect(await db.query('SELECT a::text FROM accounts a ORDER BY id')).toEqual(before);
    expect(await give(changed(21, 0), { agreed: { [agreement]: 20, inactive: 60 } })).toMatchObject({
      kind: 'refused',
    });
    expect(await give(changed(21, 0), { agreed: { [agreement]: 21 } })).toMatchObject({ kind: 'done', updated: 21 });
    expect(await give(changed(20, 21))).toMatchObject({ kind: 'done', updated: 20 });
  });

  it('in slices are counted together, for a day', async () => {
    await give(people(60));
    await db.query('UPDATE accounts SET activated_at = $1', [NOW]);
    expect(await give(changed(15, 0))).toMatchObject({ kind: 'done' });
    expect(await give(changed(6, 15))).toMatchObject({ kind: 'refused', refusal: { cause, people: 6, before: 15 } });
    expect(await give(people(1, { name: 'Baru' }, 50))).toMatchObject({ kind: 'done' });
    now = secondsAfter(NOW, 24 * 3600 + 1);
    expect(await give(changed(20, 15))).toMatchObject({ kind: 'done' });
  });
});

it('other addresses of accounts that nobody uses yet have no limit', async () => {
  await give(people(60));
  expect(await give(people(60, { email: 'lain@contoh.example' }))).toMatchObject({ kind: 'done', updated: 60 });
});

it('accounts in use that become other people’s count as those with another address', async () => {
  await give(people(60).map((row, at) => ({ ...row, person_id: `P-${at}`, name: 'Siti' })));
  await db.query('UPDATE accounts SET activated_at = $1', [NOW]);
  const rows = people(60, {}, 100).map((row, at) => ({ ...row, person_id: `P-${at}`, name: 'Budi' }));
  expect(await give(rows)).toMatchObject({ kind: 'refused', refusal: { cause: 'too_many_readdressed', people: 60 } });
  expect(await give(rows.slice(0, 20))).toMatchObject({ kind: 'done', startedOver: 20 });
  expect(await give(rows.slice(20, 21))).toMatchObject({ kind: 'refused', refusal: { before: 20 } });
});
