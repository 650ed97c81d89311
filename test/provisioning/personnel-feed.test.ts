import { createHash } from 'node:crypto';
import { closeAccount, reopenAccount } from '#src/accounts/closing-store.js';
import { rolesOf } from '#src/accounts/roles.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import { beginPlan } from '#src/provisioning/account-plan-store.js';
import type { FeedOrder } from '#src/provisioning/personnel-feed.js';
import { withBulkSession } from '#src/storage/copy.js';
import { addAgencies, addPerson, NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';
import { csvOf, feedOver, grant, nip, take, type FeedRow } from './feed.js';
import { Files } from './files.js';

/** Joiners, movers and leavers (docs/adr/0020). */

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;

beforeAll(async () => {
  db = await openTestDatabase();
});

beforeEach(async () => {
  files = new Files();
  await db.query('TRUNCATE agencies, accounts, audit_events, feed_runs CASCADE');
  await addAgencies(db);
});

afterEach(() => {
  files.remove();
});

afterAll(() => db.drop());

const give = async (rows: readonly FeedRow[] | string, more: Partial<FeedOrder> = {}) =>
  (await take(feedOver(db), files, rows, more)).outcome;
const full = (rows: readonly FeedRow[] | string, more: Partial<FeedOrder> = {}) =>
  give(rows, { mode: 'full', ...more });

const statusOf = async (number: string): Promise<unknown> =>
  (await db.query('SELECT status FROM accounts WHERE nip = $1', [number]))[0]?.status;
async function idOf(number: string): Promise<AccountId> {
  const [row] = await db.query('SELECT id FROM accounts WHERE nip = $1', [number]);
  return row?.id as AccountId;
}
const eventsOf = async (type: string) =>
  db.query('SELECT account_id, agency_code, client_id, detail FROM audit_events WHERE type = $1 ORDER BY id', [type]);
const people = (count: number, more: FeedRow = {}): FeedRow[] =>
  Array.from({ length: count }, (_, at) => ({ nip: nip(at), ...more }));

describe('a full file', () => {
  it('makes inactive whom it does not name, and nobody else', async () => {
    await give(people(4));
    await addPerson(db, nip(500), { name: 'Bukan dari berkas' });
    const outcome = await full([{ nip: nip(0) }, { nip: nip(1), status: 'inactive' }, { nip: nip(9) }]);
    expect(outcome).toMatchObject({ kind: 'done', created: 1, updated: 1, unchanged: 1, left: 3, missing: 2, kept: 0 });
    const states = await Promise.all([0, 1, 2, 3, 9, 500].map((at) => statusOf(nip(at))));
    expect(states).toEqual(['active', 'inactive', 'inactive', 'inactive', 'active', 'active']);
    const left = await eventsOf('account.imported_inactive');
    expect(new Set(left.map((it) => it.account_id))).toEqual(
      new Set(await Promise.all([1, 2, 3].map((at) => idOf(nip(at))))),
    );
    const [row] = await db.query('SELECT cred_epoch FROM accounts WHERE nip = $1', [nip(2)]);
    expect(row).toEqual({ cred_epoch: 1 });
    expect(await full([{ nip: nip(0) }, { nip: nip(9) }])).toMatchObject({ left: 0, missing: 0, unchanged: 2 });
  });

  it('changes nobody it does not name when it is a delta', async () => {
    await give(people(3));
    expect(await give([{ nip: nip(0) }])).toMatchObject({ left: 0, missing: 0, unchanged: 1 });
    expect(await statusOf(nip(2))).toBe('active');
  });

  it('names people also in rows that cannot be loaded', async () => {
    await give([{ nip: nip(0), person_id: 'P-0' }, { nip: nip(1) }, { nip: nip(2) }, { nip: nip(3) }, { nip: nip(4) }]);
    const outcome = await full([
      { nip: '1970', person_id: 'P-0' },
      { nip: nip(1), agency_code: 'NOWHERE' },
      { nip: nip(2), email: 'x' },
      { nip: nip(2) },
      { nip: nip(77), previous_nip: nip(3), status: 'gone' },
    ]);
    expect(outcome).toMatchObject({ skipped: 4, left: 1, missing: 1, kept: 0, nameless: 0 });
    const states = await Promise.all([0, 1, 2, 3, 4].map((at) => statusOf(nip(at))));
    expect(states).toEqual(['active', 'active', 'active', 'active', 'inactive']);
  });

  it.each([
    ['a line that breaks off', `"${nip(0)},Nama,,PNS,REGENCY,active`],
    ['a NIP that a spreadsheet spoilt', '1.98609E+17,Nama,,PNS,REGENCY,active'],
  ])('with %s calls nobody missing, loads the rest and says so', async (_what, line) => {
    await give(people(3));
    const outcome = await full(`${csvOf([{ nip: nip(1), status: 'inactive' }, { nip: nip(9) }])}${line}\n`);
    expect(outcome).toMatchObject({ created: 1, left: 1, missing: 0, kept: 2, nameless: 1, skipped: 1 });
    expect([await statusOf(nip(0)), await statusOf(nip(1)), await statusOf(nip(2))]).toEqual([
      'active',
      'inactive',
      'active',
    ]);
  });

  it('lets who is missing leave in more than one transaction, and goes on where it was stopped', async () => {
    await give(people(1_200));
    const stop = new AbortController();
    const stopped = full(people(1), {
      agreed: { inactive: 1_199 },
      signal: stop.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'closing' && done === 500) stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    const active = async () =>
      (await db.query(`SELECT count(*)::integer AS n FROM accounts WHERE status = 'active'`))[0]?.n;
    expect(await active()).toBe(700);
    expect((await feedOver(db).list(9)).map(({ state }) => state).sort()).toEqual(['applied', 'interrupted']);
    expect(await full(people(1), { agreed: { inactive: 699 } })).toMatchObject({ left: 699, missing: 699 });
    expect(await active()).toBe(1);
    expect(await eventsOf('account.imported_inactive')).toHaveLength(1_199);
  });
});

describe('a file that would make too many people inactive', () => {
  it.each([
    ['by its rows', 'delta', people(21, { status: 'inactive' })],
    ['by not naming them', 'full', people(1, { nip: nip(50) })],
  ] as const)('%s is refused as a whole, in a dry run too', async (_how, mode, rows) => {
    await give(people(21));
    const before = await db.query('SELECT a::text FROM accounts a ORDER BY id');
    for (const dryRun of [true, false]) {
      expect(await give(rows, { mode, dryRun })).toMatchObject({
        kind: 'refused',
        refusal: { cause: 'too_many_inactive', inactive: 21, active: 21, allowed: 20 },
        report: { left: 21 },
      });
    }
    expect(await db.query('SELECT a::text FROM accounts a ORDER BY id')).toEqual(before);
    expect(await eventsOf('feed.refused')).toMatchObject([{ detail: { mode, cause: 'too_many_inactive' } }]);
    expect(await give(rows, { mode, agreed: { inactive: 20 } })).toMatchObject({ kind: 'refused' });
    expect(await give(rows, { mode, agreed: { inactive: 21 } })).toMatchObject({ kind: 'done', left: 21 });
  });

  it('is measured by a share of all, where that is more', async () => {
    const feed = feedOver(db, { limit: { percent: 10, atLeast: 0 } });
    await take(feed, files, people(100));
    const leaving = (count: number) => take(feed, files, people(count, { status: 'inactive' }), { dryRun: true });
    expect((await leaving(10)).outcome).toMatchObject({ kind: 'done' });
    expect((await leaving(11)).outcome).toMatchObject({ kind: 'refused', refusal: { allowed: 10 } });
  });

  it('is refused when it empties one sizeable agency, whatever the share of all', async () => {
    const feed = feedOver(db, { limit: { percent: 50, atLeast: 0 } });
    const small = people(60, { agency_code: 'OFFICE' });
    const rest = Array.from({ length: 100 }, (_, at) => ({ nip: nip(1_000 + at) }));
    await take(feed, files, [...small, ...rest]);
    const leaving = (count: number) => small.slice(0, count).map((row) => ({ ...row, status: 'inactive' }));
    expect((await take(feed, files, leaving(30), { dryRun: true })).outcome).toMatchObject({ kind: 'done' });
    expect((await take(feed, files, leaving(31))).outcome).toMatchObject({
      kind: 'refused',
      refusal: { cause: 'agency_emptied', agencyCode: 'OFFICE', inactive: 31, active: 60, allInactive: 31 },
    });
    expect((await take(feed, files, leaving(31), { agreed: { inactive: 31 } })).outcome).toMatchObject({ left: 31 });
  });
});

it('reports joiners, movers, leavers and whatever else has changed', async () => {
  await give([
    { nip: nip(0) },
    { nip: nip(1) },
    { nip: nip(2) },
    { nip: nip(3), status: 'inactive' },
    { nip: nip(4), person_id: 'P-4' },
    { nip: nip(5) },
    { nip: nip(6) },
  ]);
  const rows = [
    { nip: nip(0), agency_code: 'OTHER' },
    { nip: nip(1), agency_code: 'OTHER' },
    { nip: nip(2), agency_code: 'OFFICE', status: 'inactive' },
    { nip: nip(3) },
    { nip: nip(44), person_id: 'P-4' },
    { nip: nip(5), email: 'baru@contoh.example' },
    { nip: nip(6) },
    { nip: nip(7) },
    { nip: 'x' },
  ];
  const report = {
    ...{ kind: 'done', created: 1, updated: 6, unchanged: 1, skipped: 1 },
    ...{ left: 1, missing: 0, returned: 1, moved: 3, renumbered: 1, emailChanged: 1 },
    flows: [
      { from: 'REGENCY', to: 'OTHER', people: 2 },
      { from: 'REGENCY', to: 'OFFICE', people: 1 },
    ],
  };
  expect(await give(rows, { dryRun: true })).toMatchObject(report);
  expect(await eventsOf('account.moved')).toEqual([]);
  expect(await give(rows)).toMatchObject(report);
  expect(await eventsOf('account.imported_active')).toMatchObject([{ account_id: await idOf(nip(3)) }]);
  const moves = await eventsOf('account.moved');
  expect(moves).toHaveLength(3);
  expect(moves).toContainEqual({
    account_id: await idOf(nip(0)),
    agency_code: 'OTHER',
    client_id: null,
    detail: { from: 'REGENCY', to: 'OTHER' },
  });
});

describe('roles', () => {
  it('of who leaves end, and do not come back with them', async () => {
    await give(people(2));
    const officer = await idOf(nip(0));
    await grant(db, officer, 'agency_admin', 'REGENCY');
    await grant(db, officer, 'operator');
    await full([{ nip: nip(1) }]);
    expect(await rolesOf(db, officer)).toEqual([]);
    const revoked = await eventsOf('role.revoked');
    expect(revoked.map(({ detail }) => (detail as { role: string }).role).sort()).toEqual(['agency_admin', 'operator']);
    expect(revoked.map(({ account_id: id }) => id)).toEqual([officer, officer]);
    await full(people(2));
    expect(await statusOf(nip(0))).toBe('active');
    expect(await rolesOf(db, officer)).toEqual([]);
  });

  it.each([
    ['a unit below', 'OFFICE', ['agency_admin PROVINCE', 'auditor', 'helpdesk REGENCY']],
    ['the agency above', 'PROVINCE', ['agency_admin PROVINCE', 'auditor']],
    ['another agency', 'OTHER', ['auditor']],
  ])('of who moves to %s end where that agency is not theirs any more', async (_where, to, left) => {
    await give(people(2));
    const officer = await idOf(nip(0));
    await grant(db, officer, 'helpdesk', 'REGENCY');
    await grant(db, officer, 'agency_admin', 'PROVINCE');
    await grant(db, officer, 'auditor');
    const other = await idOf(nip(1));
    await grant(db, other, 'helpdesk', 'REGENCY');
    await give([{ nip: nip(0), agency_code: to }]);
    const held = (await rolesOf(db, officer)).map(({ role, agency }) => [role, agency?.code].filter(Boolean).join(' '));
    expect(held).toEqual(left);
    expect(await rolesOf(db, other)).toHaveLength(1);
    expect(await eventsOf('role.revoked')).toHaveLength(3 - left.length);
  });
});

it('ends whatever people who leave have under way, in the same transaction', async () => {
  await give(people(3));
  const ended: AccountId[] = [];
  const underWay = [
    async (tx: { query: typeof db.query }, id: AccountId) => {
      const [row] = await tx.query('SELECT status FROM accounts WHERE id = $1', [id]);
      if (row?.status === 'inactive') ended.push(id);
    },
  ];
  const feed = feedOver(db, { underWay });
  await take(feed, files, [{ nip: nip(0) }, { nip: nip(1), status: 'inactive' }], { mode: 'full' });
  expect(ended.sort()).toEqual([await idOf(nip(1)), await idOf(nip(2))].sort());
});

describe('an account that an officer closed', () => {
  const state = async () =>
    (await db.query('SELECT status, status_imported, disabled_at IS NOT NULL AS closed FROM accounts'))[0];
  const closed = (word: string) => ({ status: 'inactive', status_imported: word, closed: true });

  it('stays closed whatever the feed says, whose last word counts when it is opened', async () => {
    const row = { nip: nip(0) };
    await give([row]);
    const id = await idOf(nip(0));
    await db.transaction((tx) => closeAccount(tx, id, NOW));
    expect(await state()).toEqual(closed('active'));
    expect(await give([row])).toMatchObject({ unchanged: 1, returned: 0 });
    expect(await give([{ ...row, name: 'Baru' }])).toMatchObject({ updated: 1, returned: 0 });
    expect(await state()).toEqual(closed('active'));

    await grant(db, id, 'auditor');
    expect(await give([{ ...row, status: 'inactive' }])).toMatchObject({ updated: 1, left: 1 });
    expect(await state()).toEqual(closed('inactive'));
    expect(await rolesOf(db, id)).toEqual([]);
    expect(await give([row])).toMatchObject({ updated: 1, returned: 0 });
    expect(await state()).toEqual(closed('active'));
    expect(await eventsOf('account.imported_active')).toEqual([]);

    expect(await full([])).toMatchObject({ left: 1, missing: 1 });
    expect(await state()).toEqual(closed('inactive'));
    expect(await full([])).toMatchObject({ left: 0, missing: 0 });
    expect(await db.transaction((tx) => reopenAccount(tx, id, NOW))).toBe('inactive');
    expect(await give([row])).toMatchObject({ returned: 1 });
    expect(await state()).toEqual({ status: 'active', status_imported: null, closed: false });
  });
});

describe('a feed that is bound to an agency', () => {
  const source = (agency: string) =>
    ({ kind: 'service', clientId: 'kepegawaian-daerah', agency: agencyCode(agency) }) as const;

  it('reaches its people and those below, and nobody else', async () => {
    await give([
      { nip: nip(0) },
      { nip: nip(1), agency_code: 'OFFICE' },
      { nip: nip(2), agency_code: 'OTHER' },
      { nip: nip(3), agency_code: 'PROVINCE' },
      { nip: nip(4), agency_code: 'OFFICE' },
    ]);
    const rows = [
      { nip: nip(0), agency_code: 'OFFICE' },
      { nip: nip(1), agency_code: 'OTHER' },
      { nip: nip(2), agency_code: 'REGENCY' },
      { nip: nip(3), agency_code: 'REGENCY', status: 'inactive' },
      { nip: nip(9), agency_code: 'PROVINCE' },
      { nip: nip(8), agency_code: 'OFFICE' },
    ];
    const outcome = await full(rows, { source: source('REGENCY') });
    expect(files.problems()).toEqual([
      '3,agency_code,is not an agency of this feed',
      '4,nip,belongs to a person of another agency',
      '5,nip,belongs to a person of another agency',
      '6,agency_code,is not an agency of this feed',
    ]);
    // Of its own people only the one who is in no row left.
    expect(outcome).toMatchObject({ created: 1, updated: 1, moved: 1, left: 1, missing: 1, skipped: 4 });
    const where = await db.query('SELECT nip, agency_code, status FROM accounts ORDER BY nip');
    expect(where.map((row) => [row.nip, row.agency_code, row.status])).toEqual([
      [nip(0), 'OFFICE', 'active'],
      [nip(1), 'OFFICE', 'active'],
      [nip(2), 'OTHER', 'active'],
      [nip(3), 'PROVINCE', 'active'],
      [nip(4), 'OFFICE', 'inactive'],
      [nip(8), 'OFFICE', 'active'],
    ]);
    expect(await eventsOf('feed.applied')).toMatchObject([
      { client_id: null },
      { client_id: 'kepegawaian-daerah', agency_code: 'REGENCY' },
    ]);
  });

  it('reaches nobody when there is no such agency', async () => {
    await give(people(2));
    expect(await full(people(1), { source: source('NOWHERE') })).toMatchObject({ created: 0, updated: 0, left: 0 });
  });

  it('is held to the share of its own people', async () => {
    const feed = feedOver(db, { limit: { percent: 10, atLeast: 0 } });
    await take(feed, files, [...people(10, { agency_code: 'OTHER' }), { nip: nip(900) }, { nip: nip(901) }]);
    const { outcome } = await take(feed, files, [{ nip: nip(900) }], { mode: 'full', source: source('REGENCY') });
    expect(outcome).toMatchObject({ refusal: { inactive: 1, active: 2, allowed: 0 } });
  });

  it('brings no passwords along', async () => {
    const hash = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
    const outcome = await give([{ nip: nip(0), password_hash: hash }], { source: source('REGENCY') });
    expect(outcome).toMatchObject({ created: 1, unknownColumns: ['password_hash'] });
    expect(await db.query('SELECT FROM credentials')).toEqual([]);
  });
});

describe('a run', () => {
  it('is kept: by whom, which bytes, what it changed', async () => {
    const feed = feedOver(db);
    const { id } = await take(feed, files, [{ nip: nip(0) }, { nip: 'x' }]);
    const run = await feed.find(id);
    expect(run).toMatchObject({
      ...{ state: 'applied', mode: 'delta', dryRun: false, clientId: undefined, cause: undefined },
      digest: createHash('sha256')
        .update(csvOf([{ nip: nip(0) }, { nip: 'x' }]))
        .digest('hex'),
      report: { created: 1, skipped: 1 },
      problems: [{ line: 3, column: 'nip', reason: 'is not 18 digits' }],
    });
    expect(run?.endedAt).toBeDefined();
    expect(await eventsOf('feed.applied')).toMatchObject([{ detail: { run: id, created: 1, skipped: 1 } }]);
    const { id: dry } = await take(feed, files, [{ nip: nip(1) }], { dryRun: true });
    expect((await feed.list(9)).map((it) => [it.id, it.dryRun]).sort()).toEqual(
      [
        [id, false],
        [dry, true],
      ].sort(),
    );
    expect(await eventsOf('feed.applied')).toHaveLength(1);
  });

  it('that cannot be read is kept as refused', async () => {
    const feed = feedOver(db);
    const { id } = await take(feed, files, 'nip\n');
    expect(await feed.find(id)).toMatchObject({ state: 'refused', cause: 'unusable' });
  });

  it('beside another import is refused, and that one is seen as running', async () => {
    const feed = feedOver(db);
    expect(await feed.isBusy()).toBe(false);
    const { id: first } = await take(feed, files, people(1));
    const { id, outcome } = await withBulkSession(db.url, async (session) => {
      await beginPlan(session);
      await db.query(`UPDATE feed_runs SET state = 'running', ended_at = NULL WHERE id = $1`, [first]);
      expect(await feed.isBusy()).toBe(true);
      return take(feed, files, people(1));
    });
    expect(outcome).toEqual({ kind: 'busy' });
    expect(await feed.find(id)).toMatchObject({ state: 'refused', cause: 'busy' });
  });

  it('that follows another at once finds it over', async () => {
    const feed = feedOver(db);
    const seen: string[] = [];
    const rows = people(3);
    for (let at = 0; at < 5; at += 1) {
      const { id, outcome } = await take(feed, files, rows.slice(0, 1 + (at % 3)));
      seen.push(outcome.kind, (await feed.find(id))?.state ?? '');
    }
    expect(new Set(seen)).toEqual(new Set(['done', 'applied']));
    expect(await eventsOf('feed.failed')).toEqual([]);
  });

  it('whose process is gone is interrupted at once, and recorded by the next', async () => {
    const feed = feedOver(db);
    const { id } = await take(feed, files, people(1));
    await db.query(`UPDATE feed_runs SET state = 'running', ended_at = NULL WHERE id = $1`, [id]);
    await withBulkSession(db.url, async (session) => {
      await beginPlan(session);
      expect(await feed.find(id)).toMatchObject({ state: 'running' });
    });
    expect(await feed.find(id)).toMatchObject({ state: 'interrupted' });
    await take(feed, files, people(1));
    expect(await eventsOf('feed.failed')).toMatchObject([{ detail: { run: id, cause: 'interrupted' } }]);
    expect(await db.query('SELECT state FROM feed_runs WHERE id = $1', [id])).toEqual([{ state: 'interrupted' }]);
  });

  it('that breaks off is kept as failed', async () => {
    const feed = feedOver(db, { effects: () => Promise.reject(new Error('broken')) });
    await expect(take(feed, files, people(1))).rejects.toThrow('broken');
    expect(await feed.list(1)).toMatchObject([{ state: 'failed' }]);
    expect(await eventsOf('feed.failed')).toHaveLength(1);
    expect((await take(feedOver(db), files, people(1))).outcome).toMatchObject({ created: 1 });
  });
});
