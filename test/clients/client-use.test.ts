import { createClientErrors } from '#src/clients/client-errors.js';
import { createClientUse, type ClientUse } from '#src/clients/client-use.js';
import { secondsAfter } from '#src/kernel/clock.js';
import type { Database } from '#src/storage/database.js';
import { quietLog } from '../support/quiet-log.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

/** When clients were used, and what they were refused: in the table, in few statements, and never without end. */
let db: Database & TestDatabase;
let time = new Date('2026-11-28T03:00:00Z');
const clock = { now: () => time };
const KNOWN = new Set(['satu', 'dua', 'helpdesk']);
let statements = 0;
let isAway = false;

const processOf = (): ClientUse =>
  createClientUse({
    db: {
      ...db,
      query: (text, values) => {
        statements += 1;
        return isAway ? Promise.reject(new Error('away')) : db.query(text, values);
      },
    },
    clock,
    log: quietLog(),
    isKnown: (id) => KNOWN.has(id),
  });
const refusal = (change: object = {}) => ({
  clientId: 'satu',
  endpoint: 'token',
  error: 'invalid_grant',
  detail: 'authorization code not found',
  requestId: 'r-1',
  ...change,
});
const errorsOf = (id: string) => createClientErrors({ db, clock }).ofClient(id);
const lastUsed = async (id: string) =>
  (await db.query('SELECT last_used_at, last_claims FROM clients WHERE client_id = $1', [id]))[0];

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  [statements, isAway] = [0, false];
  time = secondsAfter(time, 3600);
  await db.query('TRUNCATE clients CASCADE');
  await db.query(
    `INSERT INTO clients (client_id, source, position, metadata, created_at, changed_at)
     SELECT id, 'command', 0, '{}', $1, $1 FROM unnest('{satu,dua}'::text[]) AS id`,
    [time],
  );
});

it('a use is written once a minute, with the names that the last tokens carried', async () => {
  const use = processOf();
  let read = 0;
  const carried = () => {
    read += 1;
    return { id_token: ['sub', 'nip'] };
  };
  for (let count = 0; count < 1000; count += 1) use.used('satu', carried);
  await use.flush();
  await use.flush();
  expect([statements, read]).toEqual([1, 1]);
  expect(await lastUsed('satu')).toEqual({ last_used_at: time, last_claims: { id_token: ['sub', 'nip'] } });
  const first = time;
  time = secondsAfter(time, 59);
  use.used('satu');
  await use.flush();
  expect((await lastUsed('satu'))?.last_used_at).toEqual(first);
  time = secondsAfter(time, 1);
  use.used('satu');
  await use.flush();
  expect(await lastUsed('satu')).toEqual({ last_used_at: time, last_claims: { id_token: ['sub', 'nip'] } });
  expect((await lastUsed('dua'))?.last_used_at).toBeNull();
});

it('the same error is one row with how often, first, last and the last twenty requests', async () => {
  const [one, other] = [processOf(), processOf()];
  for (let count = 1; count <= 30; count += 1) one.failed(refusal({ requestId: `r-${count}` }));
  await one.flush();
  const first = time;
  time = secondsAfter(time, 30);
  other.failed(refusal({ requestId: 'last' }));
  await other.flush();
  const [row, ...rest] = await errorsOf('satu');
  expect(rest).toEqual([]);
  expect(row).toMatchObject({
    endpoint: 'token',
    error: 'invalid_grant',
    detail: 'authorization code not found',
    firstAt: first,
    lastAt: time,
    times: 31,
  });
  expect(row?.requestIds.slice(0, 3)).toEqual(['last', 'r-30', 'r-29']);
  expect(row?.requestIds).toHaveLength(20);
});

it('rubbish at one endpoint hides nothing of another, and no more than fifty are kept', async () => {
  const use = processOf();
  use.failed(refusal({ detail: 'the real one' }));
  await use.flush();
  for (let round = 0; round < 10; round += 1) {
    time = secondsAfter(time, 60);
    for (let count = 0; count < 100; count += 1) {
      use.failed(refusal({ endpoint: 'authorization', detail: `rubbish ${round} ${count}` }));
    }
    await use.flush();
  }
  const errors = await errorsOf('satu');
  expect(errors.filter(({ endpoint }) => endpoint === 'authorization')).toHaveLength(10);
  expect(errors.some(({ detail }) => detail === 'the real one')).toBe(true);
  for (let endpoint = 0; endpoint < 12; endpoint += 1) {
    time = secondsAfter(time, 60);
    for (let count = 0; count < 10; count += 1) use.failed(refusal({ endpoint: `e${endpoint}`, detail: `d${count}` }));
    await use.flush();
  }
  expect(await errorsOf('satu')).toHaveLength(50);
});

it('whatever is sent, a process writes little', async () => {
  const use = processOf();
  use.start();
  for (let count = 0; count < 10_000; count += 1) use.failed(refusal({ detail: `d${count}` }));
  await use.stop();
  expect(statements).toBeLessThanOrEqual(2);
  expect((await errorsOf('satu')).length).toBeLessThanOrEqual(20);
});

it('a long detail and control characters are cut, unknown clients and our own pages leave nothing', async () => {
  const use = processOf();
  use.failed(refusal({ detail: `a\u0000b\n${'x'.repeat(1000)}` }));
  use.failed(refusal({ clientId: 'siapa' }));
  use.failed(refusal({ clientId: 'helpdesk' }));
  use.used('siapa');
  use.used('helpdesk');
  await use.flush();
  const rows = await db.query('SELECT client_id, detail FROM client_errors');
  expect(rows).toEqual([{ client_id: 'satu', detail: `a b ${'x'.repeat(296)}` }]);
});

it('what a silent login is answered is no error', async () => {
  const use = processOf();
  for (const error of ['login_required', 'interaction_required']) use.failed(refusal({ error }));
  await use.flush();
  expect(await errorsOf('satu')).toEqual([]);
});

it('a database that is away breaks nothing, and is written to when it is back', async () => {
  const use = processOf();
  isAway = true;
  use.failed(refusal());
  await use.flush();
  isAway = false;
  use.failed(refusal({ detail: 'afterwards' }));
  await use.flush();
  expect(await errorsOf('satu')).toMatchObject([{ detail: 'afterwards' }]);
});

it('two processes write the same clients at once', async () => {
  const all = [processOf(), processOf(), processOf(), processOf()];
  for (let round = 0; round < 20; round += 1) {
    time = secondsAfter(time, 61);
    for (const [index, use] of all.entries()) {
      const ids = index % 2 === 0 ? ['satu', 'dua'] : ['dua', 'satu'];
      for (const clientId of ids) {
        use.used(clientId);
        use.failed(refusal({ clientId }));
        use.failed(refusal({ clientId, endpoint: 'userinfo' }));
      }
    }
    await Promise.all(all.map((use) => use.flush()));
  }
  expect(await errorsOf('satu')).toMatchObject([{ times: 80 }, { times: 80 }]);
  expect((await lastUsed('dua'))?.last_used_at).toEqual(time);
});

it('counts what was refused within the hour', async () => {
  const use = processOf();
  use.failed(refusal());
  use.failed(refusal({ endpoint: 'userinfo' }));
  await use.flush();
  const errors = createClientErrors({ db, clock });
  expect([...(await errors.lastHour())]).toEqual([['satu', 2]]);
  time = secondsAfter(time, 3601);
  expect([...(await errors.lastHour())]).toEqual([]);
});

it.each([
  ['authorization_pending', 'authorization request is still pending'],
  ['slow_down', ''],
  ['access_denied', 'the person refused the device'],
  ['access_denied', 'the person went back'],
])('%s (%s) is no fault of the application', async (error, detail) => {
  const use = processOf();
  use.failed(refusal({ error, detail }));
  use.failed(refusal({ error: 'access_denied', detail: 'the person may not use this client' }));
  await use.flush();
  expect((await errorsOf('satu')).map((each) => each.detail)).toEqual(['the person may not use this client']);
});
