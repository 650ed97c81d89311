import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { addAgencies } from '../accounts/people.js';
import { csvOf, feedOver, nip, take, type FeedRow } from '../provisioning/feed.js';
import { Files } from '../provisioning/files.js';
import { builtProgram } from '../support/built-program.js';
import { openTestDatabase } from '../support/test-database.js';

/** `sso-asn accounts import` killed while it writes: whole rows, no effect without its change, and the next run finishes. */

// A build, four processes, and 30,000 people.
jest.setTimeout(300_000);

const PEOPLE = 30_000;
/** By whom it is: every third leaves, every third moves, the others get another name. */
const kindOf = (at: number): 'leaver' | 'mover' | 'other' => (['leaver', 'mover', 'other'] as const)[at % 3] ?? 'other';

let db: Awaited<ReturnType<typeof openTestDatabase>>;
let files: Files;
beforeAll(async () => {
  db = await openTestDatabase();
  files = new Files();
  await addAgencies(db);
});
afterAll(async () => {
  files.remove();
  await db.drop();
});

const before = (at: number): FeedRow => ({ nip: nip(at), person_id: `P-${at}`, name: 'Lama' });
const after = (at: number): FeedRow => ({
  ...before(at),
  name: 'Baru',
  ...(kindOf(at) === 'leaver' ? { status: 'inactive' } : {}),
  ...(kindOf(at) === 'mover' ? { agency_code: 'OTHER' } : {}),
});
const all = (row: (at: number) => FeedRow): FeedRow[] => Array.from({ length: PEOPLE }, (_, at) => row(at));

interface Import {
  /** Ends it; false when it was faster. */
  kill(): Promise<boolean>;
  readonly ended: Promise<unknown>;
}
async function start(file: string): Promise<Import> {
  const args = [
    await builtProgram(),
    'accounts',
    'import',
    file,
    '--agree-inactive',
    String(PEOPLE),
    '--agree-moved',
    String(PEOPLE),
  ];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, DATABASE_URL: db.url, DATA_DIR: files.path('data'), DEMO: 'false' },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  return {
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
      return child.signalCode === 'SIGKILL';
    },
  };
}

const count = async (where: string): Promise<number> =>
  (await db.query(`SELECT count(*)::integer AS n FROM accounts a WHERE ${where}`))[0]?.n as number;
const NEW = `name = 'Baru'`;
const event = (type: string) =>
  `(SELECT count(*) FROM audit_events e WHERE e.account_id = a.id AND e.type = '${type}')`;
const HOLDS = 'EXISTS (SELECT FROM role_grants r WHERE r.account_id = a.id AND r.revoked_at IS NULL)';

/** Old or new as a whole, and everything that follows from the change is there exactly where the change is. */
async function expectWhole(): Promise<void> {
  const leaver = `person_id LIKE 'P-%' AND substr(person_id, 3)::integer % 3 = 0`;
  const mover = `substr(person_id, 3)::integer % 3 = 1`;
  expect({
    halfLeavers: await count(`${leaver} AND (${NEW}) <> (status = 'inactive')`),
    silentLeavers: await count(`${leaver} AND (${NEW})::integer <> ${event('account.imported_inactive')}`),
    holdingLeavers: await count(`${leaver} AND (${NEW}) = ${HOLDS}`),
    halfMovers: await count(`${mover} AND (${NEW}) <> (agency_code = 'OTHER')`),
    silentMovers: await count(`${mover} AND (${NEW})::integer <> ${event('account.moved')}`),
    holdingMovers: await count(`${mover} AND (${NEW}) = ${HOLDS}`),
  }).toEqual({
    ...{ halfLeavers: 0, silentLeavers: 0, holdingLeavers: 0 },
    ...{ halfMovers: 0, silentMovers: 0, holdingMovers: 0 },
  });
}

it('leaves whole rows and an interrupted run, and is finished by the next', async () => {
  await take(feedOver(db), files, all(before));
  await db.query(`INSERT INTO role_grants (account_id, role, agency_code, granted_at)
                  SELECT id, 'helpdesk', 'REGENCY', now() FROM accounts`);
  await db.query('TRUNCATE feed_runs CASCADE');
  const file = files.write('people.csv', csvOf(all(after)));

  let kills = 0;
  for (const share of [0.1, 0.4, 0.8]) {
    const running = await start(file);
    const isOver = { yes: false };
    void running.ended.then(() => (isOver.yes = true));
    while (!isOver.yes && (await count(NEW)) < share * PEOPLE) await pause(20);
    if (await running.kill()) kills += 1;
    await expectWhole();
    const done = await count(NEW);
    expect(done).toBeGreaterThan(0);
    // The server notices the broken connection, and with it the lock goes.
    for (let states: unknown[] = ['running']; states.includes('running');) {
      states = (await feedOver(db).list(9)).map(({ state }) => state);
      if (states.includes('running')) await pause(50);
    }
  }
  expect(kills).toBeGreaterThanOrEqual(2);
  const last = await start(file);
  await last.ended;
  expect(await count(NEW)).toBe(PEOPLE);
  await expectWhole();
  const states = (await db.query('SELECT state FROM feed_runs ORDER BY started_at')).map(({ state }) => state);
  expect(states).toEqual([...Array.from({ length: kills }, () => 'interrupted'), ...states.slice(kills)]);
  expect(new Set(states.slice(kills))).toEqual(new Set(['applied']));
  const told = await db.query(`SELECT detail->>'cause' AS cause FROM audit_events WHERE type = 'feed.failed'`);
  expect(told).toEqual(Array.from({ length: kills }, () => ({ cause: 'interrupted' })));
});
