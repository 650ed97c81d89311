import { createAudit } from '#src/audit/audit.js';
import { openTestDatabase } from '../support/test-database.js';

type TestDatabase = Awaited<ReturnType<typeof openTestDatabase>>;

let db: TestDatabase;
beforeEach(async () => {
  db = await openTestDatabase();
});
afterEach(() => db.drop());

const NOW = new Date('2026-11-30T23:59:00Z');
const audit = createAudit({ now: () => NOW });
const placesOf = async (): Promise<readonly unknown[]> =>
  (await db.query('SELECT tableoid::regclass::text AS place FROM audit_events ORDER BY id')).map(({ place }) => place);

describe('the months of the audit trail', () => {
  it('take in what a command wrote before the first start', async () => {
    await audit.record(db, { type: 'account.activated', detail: {} }, { type: 'reset.started', detail: {} });
    const before = await db.query('SELECT id, at, type FROM audit_events ORDER BY id');
    await audit.prepare(db);
    await audit.record(db, { type: 'reset.code_sent', detail: {} });
    expect(await placesOf()).toEqual(Array.from({ length: 3 }, () => 'audit_events_2026_11'));
    expect((await db.query('SELECT id, at, type FROM audit_events ORDER BY id')).slice(0, 2)).toEqual(before);
  });

  it('are made once by several processes, while others write', async () => {
    const writing = Array.from({ length: 20 }, () => audit.record(db, { type: 'reset.started', detail: {} }));
    await Promise.all([audit.prepare(db), audit.prepare(db), ...writing, audit.prepare(db)]);
    await audit.prepare(db);
    expect(await placesOf()).toEqual(Array.from({ length: 20 }, () => 'audit_events_2026_11'));
  });
});
