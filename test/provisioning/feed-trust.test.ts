import { createHash, randomUUID } from 'node:crypto';
import { setPassword } from '#src/accounts/accounts.js';
import { rolesOf } from '#src/accounts/roles.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import type { FeedOrder } from '#src/provisioning/personnel-feed.js';
import { addAgencies, NOW } from '../accounts/people.js';
import { openTestDatabase } from '../support/test-database.js';
import { feedOver, grant, nip, take, type FeedRow } from './feed.js';
import { Files } from './files.js';

/** What a feed that is bound to an agency is believed, and what becomes of an account that is another's (docs/adr/0020). */

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;
let ended: AccountId[];

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  files = new Files();
  ended = [];
  await db.query('TRUNCATE agencies, accounts, audit_events, feed_runs, outbox, sso_sessions, disavowals CASCADE');
  await addAgencies(db);
});
afterEach(() => {
  files.remove();
});
afterAll(() => db.drop());

const underWay = [
  (_tx: unknown, id: AccountId) => {
    ended.push(id);
    return Promise.resolve();
  },
];
const give = async (rows: readonly FeedRow[], more: Partial<FeedOrder> = {}) =>
  (await take(feedOver(db, { underWay }), files, rows, more)).outcome;
const bound = (rows: readonly FeedRow[], more: Partial<FeedOrder> = {}, agency = 'REGENCY') =>
  give(rows, { source: { kind: 'service', clientId: 'daerah', agency: agencyCode(agency) }, ...more });
const national = (rows: readonly FeedRow[], more: Partial<FeedOrder> = {}) =>
  give(rows, { source: { kind: 'service', clientId: 'siasn', agency: undefined }, ...more });

async function account(number: string) {
  const [row] = await db.query(
    `SELECT id, name, email, account_name, agency_code, person_id, cred_epoch, status, vouched_within,
            activated_at IS NOT NULL AS activated, (SELECT count(*)::integer FROM credentials c WHERE c.account_id = a.id) AS passwords
       FROM accounts a WHERE nip = $1`,
    [number],
  );
  return row;
}
const idOf = async (number: string): Promise<AccountId> => (await account(number))?.id as AccountId;
const startedOver = () =>
  db.query(`SELECT account_id, detail FROM audit_events WHERE type = 'account.started_over' ORDER BY id`);
const rowOf = async (number: string): Promise<unknown> =>
  (await db.query('SELECT a::text AS row FROM accounts a WHERE nip = $1', [number]))[0];
const formerNips = async (id: AccountId): Promise<unknown[]> =>
  (await db.query('SELECT nip FROM nip_history WHERE account_id = $1', [id])).map((row) => row.nip);

/** With a password, an authenticator, a session and the link of a notice mail. */
async function putToUse(number: string): Promise<AccountId> {
  const id = await idOf(number);
  await setPassword(db, { accountId: id, passwordHash: '$secret', now: NOW });
  await db.query(
    `INSERT INTO devices (account_id, kind, status, name, secret, created_at, activated_at)
     VALUES ($1, 'totp', 'active', 'HP', 'sealed', $2, $2)`,
    [id, NOW],
  );
  await db.query(
    `INSERT INTO sso_sessions (uid, id, account_id, cred_epoch, payload, started_at, last_seen_at, expires_at)
     SELECT $2, $3, id, cred_epoch, '{}', $4, $4, $4::timestamptz + interval '1 hour' FROM accounts WHERE id = $1`,
    [id, randomUUID(), createHash('sha256').update(randomUUID()).digest(), NOW],
  );
  await db.query(
    `INSERT INTO disavowals (token, account_id, events, address, expires_at)
     VALUES ($2, $1, '[]', 'sealed', $3::timestamptz + interval '9 days')`,
    [id, createHash('sha256').update(id).digest(), NOW],
  );
  return id;
}
const left = async (table: string, id: AccountId, where = 'true'): Promise<number> =>
  (await db.query(`SELECT FROM ${table} WHERE account_id = $1 AND ${where}`, [id])).length;

async function expectNothingLeft(id: AccountId, number: string, epoch: number): Promise<void> {
  expect(await account(number)).toMatchObject({ id, activated: false, passwords: 0, cred_epoch: epoch + 1 });
  expect(await left('devices', id, `status <> 'ended'`)).toBe(0);
  expect(await left('devices', id, `ended_reason = 'started_over' AND secret IS NULL`)).toBe(1);
  expect([await left('sso_sessions', id), await left('disavowals', id)]).toEqual([0, 0]);
  expect(ended).toEqual([id]);
  expect(await db.query(`SELECT FROM outbox WHERE kind LIKE '%mail%'`)).toEqual([]);
}
const epochOf = async (number: string): Promise<number> => (await account(number))?.cred_epoch as number;

describe('an account that becomes another person’s', () => {
  it('by a person_id that a bound feed gave to somebody else has nothing of that one', async () => {
    await bound([{ nip: nip(1), name: 'Penyerang', person_id: 'P-9', email: 'jahat@luar.example', username: 'jahat' }]);
    const id = await putToUse(nip(1));
    const epoch = await epochOf(nip(1));
    await db.query(`UPDATE accounts SET email_chosen = true, email_imported = NULL`);
    const row = { nip: nip(500), name: 'Korban', person_id: 'P-9', agency_code: 'OTHER', email: 'korban@o.example' };
    expect(await national([row], { dryRun: true })).toMatchObject({ startedOver: 1 });
    expect(await national([row])).toMatchObject({ updated: 1, startedOver: 1 });
    await expectNothingLeft(id, nip(500), epoch);
    expect(await account(nip(500))).toMatchObject({ email: 'korban@o.example', account_name: null });
    expect(await formerNips(id)).toEqual([]);
    expect(await startedOver()).toEqual([{ account_id: id, detail: { cause: 'out_of_reach', devices: 1 } }]);
    expect(await national([row])).toMatchObject({ unchanged: 1, startedOver: 0 });
  });

  it.each([
    ['another name', 'Pejabat Asli'],
    ['the very name', 'Boneka'],
  ])('by a NIP that a bound feed was first to name, with %s, has nothing of who had it', async (_what, name) => {
    await bound([{ nip: nip(2), name: 'Boneka', email: 'jahat@luar.example' }]);
    const id = await putToUse(nip(2));
    const epoch = await epochOf(nip(2));
    await national([{ nip: nip(2), name, agency_code: 'OTHER', email: 'asli@other.example' }]);
    await expectNothingLeft(id, nip(2), epoch);
    expect(await account(nip(2))).toMatchObject({ email: 'asli@other.example', vouched_within: null });
  });

  it('in two steps of a bound feed, each of them ordinary, is found out when it leaves the reach', async () => {
    await national([{ nip: nip(1), name: 'Penyerang' }]);
    await bound([{ nip: nip(1), name: 'Korban' }]);
    await bound([{ nip: nip(500), name: 'Korban', previous_nip: nip(1) }]);
    expect(await account(nip(500))).toMatchObject({ vouched_within: 'REGENCY' });
    const id = await putToUse(nip(500));
    const epoch = await epochOf(nip(500));
    await national([{ nip: nip(500), name: 'Korban', agency_code: 'OTHER' }]);
    await expectNothingLeft(id, nip(500), epoch);
  });

  it('by name and NIP at once loses its roles, too, whoever says so', async () => {
    await national([{ nip: nip(1), name: 'Siti Aminah', person_id: 'P-1' }]);
    const id = await putToUse(nip(1));
    await grant(db, id, 'auditor');
    const epoch = await epochOf(nip(1));
    await national([{ nip: nip(2), name: 'Budi Santoso', person_id: 'P-1' }]);
    await expectNothingLeft(id, nip(2), epoch);
    expect(await rolesOf(db, id)).toEqual([]);
    expect(await startedOver()).toMatchObject([{ detail: { cause: 'name_and_nip' } }]);
  });

  it('is not what a password in the file is for', async () => {
    await give([{ nip: nip(1), name: 'Siti Aminah', person_id: 'P-1' }]);
    const id = await putToUse(nip(1));
    const hash = `$2b$10$${'N'.repeat(53)}`;
    await give([{ nip: nip(2), name: 'Budi Santoso', person_id: 'P-1', password_hash: hash }]);
    expect(await account(nip(2))).toMatchObject({ id, activated: false, passwords: 0 });
  });
});

describe('an account stays its person’s', () => {
  it.each([
    ['a corrected name', { nip: nip(1), name: 'Siti Aminah' }],
    ['another NIP', { nip: nip(2), name: 'Siti Amina' }],
    ['another NIP and a degree', { nip: nip(2), name: '"Dr. SITI AMINA, S.E., M.M."' }],
    ['a move', { nip: nip(1), name: 'Siti Amina', agency_code: 'OTHER' }],
  ])('with %s', async (_what, row) => {
    await national([{ nip: nip(1), name: 'Siti Amina', person_id: 'P-1' }]);
    const id = await putToUse(nip(1));
    const epoch = await epochOf(nip(1));
    expect(await national([{ ...row, person_id: 'P-1' }])).toMatchObject({ updated: 1, startedOver: 0 });
    expect(await account(row.nip)).toMatchObject({ id, activated: true, passwords: 1, cred_epoch: epoch });
    expect([await left('devices', id, `status = 'active'`), await left('sso_sessions', id)]).toEqual([1, 1]);
  });

  it('when a bound feed made it and moves it within its agency', async () => {
    await bound([{ nip: nip(1) }]);
    const id = await putToUse(nip(1));
    await bound([{ nip: nip(1), agency_code: 'OFFICE' }]);
    await national([{ nip: nip(1), agency_code: 'OFFICE', name: 'Nama Lengkap' }]);
    expect(await account(nip(1))).toMatchObject({ id, activated: true, vouched_within: null });
  });

  it('when a feed of all agencies confirmed it before it moved', async () => {
    await bound([{ nip: nip(1) }]);
    const id = await putToUse(nip(1));
    expect(await account(nip(1))).toMatchObject({ vouched_within: 'REGENCY' });
    expect(await national([{ nip: nip(1) }])).toMatchObject({ updated: 1 });
    expect(await national([{ nip: nip(1) }])).toMatchObject({ unchanged: 1 });
    await national([{ nip: nip(1), agency_code: 'OTHER' }]);
    expect(await account(nip(1))).toMatchObject({ id, activated: true });
    expect(await startedOver()).toEqual([]);
  });
});

describe('a former NIP', () => {
  beforeEach(async () => {
    await national([
      { nip: nip(10), agency_code: 'OTHER', person_id: 'P-10' },
      { nip: nip(12), person_id: 'P-12' },
      { nip: nip(14), person_id: 'P-14' },
    ]);
    await national([{ nip: nip(15), person_id: 'P-14', previous_nip: nip(14), agency_code: 'OTHER' }]);
  });

  it.each([
    ['is', nip(12), 'P-12', nip(10)],
    ['was', nip(12), 'P-12', nip(14)],
    ['is, for a new person,', nip(20), 'P-20', nip(10)],
    ['was, for a new person,', nip(20), 'P-20', nip(14)],
  ])('that %s another account’s is not taken from a bound feed', async (_when, number, person, previous) => {
    const before = await db.query('SELECT account_id, nip FROM nip_history');
    const row = { nip: number, person_id: person, previous_nip: previous, name: 'Baru' };
    expect(await bound([row])).toMatchObject({ created: 0, updated: 0, skipped: 1 });
    expect(files.problems()).toEqual(['2,previous_nip,belongs to another account']);
    expect(await db.query('SELECT account_id, nip FROM nip_history')).toEqual(before);
  });

  it('of nobody else is taken from it', async () => {
    expect(await bound([{ nip: nip(13), person_id: 'P-12', previous_nip: nip(12) }])).toMatchObject({ updated: 1 });
    expect(await bound([{ nip: nip(13), person_id: 'P-12', previous_nip: '123456789' }])).toMatchObject({ updated: 1 });
    expect((await formerNips(await idOf(nip(13)))).sort()).toEqual(['123456789', nip(12)].sort());
  });
});

describe('somebody who holds a role', () => {
  const REASON = 'is of a person with a role: only a feed of all agencies may change them';
  let officer: AccountId;
  beforeEach(async () => {
    await national([{ nip: nip(30), name: 'Operator' }, { nip: nip(31) }, { nip: nip(32) }]);
    officer = await idOf(nip(30));
    await grant(db, officer, 'operator');
  });

  it.each<[string, FeedRow]>([
    ['mailbox', { nip: nip(30), email: 'jahat@luar.example' }],
    ['name', { nip: nip(30), name: 'Orang Lain' }],
    ['NIP', { nip: nip(33), previous_nip: nip(30) }],
    ['status', { nip: nip(30), status: 'inactive' }],
    ['agency', { nip: nip(30), agency_code: 'OFFICE' }],
    ['person', { nip: nip(30), person_id: 'P-9' }],
    ['account name', { nip: nip(30), username: 'lain' }],
  ])('gets no other %s from a bound feed, which goes on with the rest', async (_what, change) => {
    const before = await rowOf(nip(30));
    const outcome = await bound([
      { name: 'Operator', ...change },
      { nip: nip(31), name: 'Baru' },
    ]);
    expect(outcome).toMatchObject({ updated: 1, skipped: 1 });
    expect(files.problems()).toEqual([`2,nip,${REASON}`]);
    expect(await rowOf(nip(30))).toEqual(before);
    expect(await rolesOf(db, officer)).toHaveLength(1);
    expect(await account(nip(31))).toMatchObject({ name: 'Baru' });
  });

  it('stays also when a full file of a bound feed does not name them', async () => {
    const outcome = await bound([{ nip: nip(31) }], { mode: 'full' });
    expect(outcome).toMatchObject({ left: 1, missing: 1, officers: 1 });
    expect(await account(nip(30))).toMatchObject({ status: 'active' });
    expect(await account(nip(32))).toMatchObject({ status: 'inactive' });
    expect(await rolesOf(db, officer)).toHaveLength(1);
  });

  it('is no problem in a row that says what is known', async () => {
    expect(await bound([{ nip: nip(30), name: 'Operator' }])).toMatchObject({ unchanged: 1, skipped: 0 });
  });

  it('is changed by a feed of all agencies, and by a bound one when the role has ended', async () => {
    await national([{ nip: nip(30), name: 'Operator', email: 'baru@contoh.example' }]);
    expect(await account(nip(30))).toMatchObject({ email: 'baru@contoh.example' });
    await db.query('UPDATE role_grants SET revoked_at = $1', [NOW]);
    await bound([{ nip: nip(30), name: 'Operator', status: 'inactive' }]);
    expect(await account(nip(30))).toMatchObject({ status: 'inactive' });
  });
});
