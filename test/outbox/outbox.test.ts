import { randomBytes } from 'node:crypto';
import type { Log } from '#src/kernel/log.js';
import { createMetrics } from '#src/metrics/metrics.js';
import { observeOutbox } from '#src/outbox/outbox-metrics.js';
import { createOutbox, NOTHING, OUTBOX_EXPIRY, type NewMessage } from '#src/outbox/outbox.js';
import {
  createOutboxWorker,
  type OutboxHandler,
  type OutboxOutcome,
  type OutboxWorker,
  type OutboxWorkerOptions,
} from '#src/outbox/worker.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { createPurge } from '#src/storage/purge-store.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';
import type { Database } from '#src/storage/database.js';

const CANARY = 'canary@rahasia.test';
const start = new Date('2026-11-23T00:30:00Z');

let db: Database & TestDatabase;
let now: Date;
let lines: string[];
let workers: OutboxWorker[];

const clock = { now: () => now };
const advance = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};
const write = (message: string, fields?: unknown): void => {
  lines.push(`${message} ${JSON.stringify(fields)}`);
};
const log: Log = { debug: write, info: write, warn: write, error: write };
const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
const outbox = createOutbox({ box, clock });
const add = (message: Partial<NewMessage> = {}): Promise<void> =>
  db.transaction((tx) => outbox.add(tx, { kind: 'mail', payload: 'hello', ...message }));

const open = (handlers: Record<string, OutboxHandler>, more: Partial<OutboxWorkerOptions> = {}): OutboxWorker => {
  const worker = createOutboxWorker({ db, box, clock, log, handlers, ...more });
  workers.push(worker);
  return worker;
};

/** A handler that answers in turn and remembers what it was given. */
const answering = (...answers: Awaited<ReturnType<OutboxHandler>>[]) => {
  const seen: { id: string; payload: unknown }[] = [];
  const handler: OutboxHandler = ({ id, payload }) => {
    seen.push({ id, payload });
    return Promise.resolve(answers.shift() ?? { kind: 'delivered' });
  };
  return { seen, handler };
};
const rows = () => db.query('SELECT * FROM outbox');

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  now = start;
  lines = [];
  workers = [];
  await db.query('TRUNCATE outbox');
});
afterEach(() => Promise.all(workers.map((worker) => worker.stop())));
afterAll(() => db.drop());

test('delivers what was committed, as it was given, and keeps nothing of it', async () => {
  const { seen, handler } = answering();
  await add({ payload: { to: 'siapa', code: 7 } });
  await open({ mail: handler }).deliverDue();
  expect(seen).toEqual([{ id: expect.any(String) as string, payload: { to: 'siapa', code: 7 } }]);
  expect(await rows()).toEqual([]);
});

test('never delivers what was rolled back', async () => {
  const { seen, handler } = answering();
  const failing = db.transaction(async (tx) => {
    await outbox.add(tx, { kind: 'mail', payload: 'x' });
    throw new Error('the change failed');
  });
  await expect(failing).rejects.toThrow('the change failed');
  await open({ mail: handler }).deliverDue();
  expect(seen).toEqual([]);
});

test('keeps payloads sealed, each tied to its row', async () => {
  await add({ payload: CANARY });
  await add({ payload: 'other' });
  const [one, other] = await rows();
  expect(JSON.stringify(await rows())).not.toContain(CANARY);
  await db.query('UPDATE outbox SET payload = $1 WHERE id = $2', [one?.payload, other?.id]);
  const { seen, handler } = answering();
  await open({ mail: handler }).deliverDue();
  expect(seen).toHaveLength(1);
  expect(seen[0]?.id).toBe(one?.id);
});

test('adds one of several messages with the same key while it waits', async () => {
  const { seen, handler } = answering();
  await Promise.all([1, 2, 3].map((payload) => add({ payload, dedupKey: 'reset|7' })));
  await open({ mail: handler }).deliverDue();
  expect(seen).toHaveLength(1);
  await add({ dedupKey: 'reset|7' });
  expect(await rows()).toHaveLength(1);
});

test('throws expired messages away instead of delivering them', async () => {
  const { seen, handler } = answering();
  const outcomes: OutboxOutcome[] = [];
  await add({ expiresAt: new Date(start.getTime() + 900_000) });
  advance(900);
  await open({ mail: handler }, { onOutcome: (_, outcome) => outcomes.push(outcome) }).deliverDue();
  expect({ seen, outcomes, left: await rows() }).toEqual({ seen: [], outcomes: ['expired'], left: [] });
});

test('ends an attempt when the message expires', async () => {
  await add({ expiresAt: new Date(start.getTime() + 50) });
  let aborted = false;
  const hanging: OutboxHandler = (_, signal) =>
    new Promise(() => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
    });
  const began = performance.now();
  await open({ mail: hanging }).deliverDue();
  expect(aborted).toBe(true);
  expect(performance.now() - began).toBeLessThan(5000);
});

test('throws decoys away', async () => {
  await add({ kind: NOTHING });
  await open({}).deliverDue();
  expect(await rows()).toEqual([]);
});

test('leaves kinds it cannot deliver to a process that can', async () => {
  await add({ kind: 'logout-token' });
  await open({}).deliverDue();
  expect(await rows()).toMatchObject([{ attempts: 0 }]);
  const { seen, handler } = answering();
  await open({ 'logout-token': handler }).deliverDue();
  expect(seen).toHaveLength(1);
});

test('tries again later, not sooner, and with the same id', async () => {
  const { seen, handler } = answering({ kind: 'retry', reason: 'smtp_451' });
  const worker = open({ mail: handler });
  await add();
  await worker.deliverDue();
  expect(await rows()).toMatchObject([{ last_error: 'smtp_451', dead_at: null }]);
  advance(0.9);
  await worker.deliverDue();
  expect(seen).toHaveLength(1);
  advance(1.1);
  await worker.deliverDue();
  expect(seen).toHaveLength(2);
  expect(seen[0]?.id).toBe(seen[1]?.id);
  expect(await rows()).toEqual([]);
});

test.each([
  ['a refusal', 0, { kind: 'refused', reason: 'smtp_550' }, 'refused'],
  ['a failure after a day', 86_400, { kind: 'retry', reason: 'smtp_550' }, 'gave_up'],
] as const)('gives up after %s, keeping the reason and nothing that was said', async (_, age, answer, outcome) => {
  const { seen, handler } = answering(answer);
  const outcomes: OutboxOutcome[] = [];
  const worker = open({ mail: handler }, { onOutcome: (_kind, told) => outcomes.push(told) });
  await add({ payload: CANARY, dedupKey: CANARY });
  advance(age);
  await worker.deliverDue();
  expect(outcomes).toEqual([outcome]);
  expect(await rows()).toMatchObject([{ last_error: 'smtp_550', payload: null, dedup_key: null, dead_at: now }]);
  expect(await worker.backlog()).toEqual([{ kind: 'mail', waiting: 0, dead: 1, oldestAt: undefined }]);
  advance(10_000);
  await worker.deliverDue();
  expect(seen).toHaveLength(1);

  const purge = createPurge({ db, clock, log, expiries: [OUTBOX_EXPIRY] });
  expect((await purge.runOnce()).size).toBe(0);
  advance(31 * 86_400);
  expect((await purge.runOnce()).get('outbox')).toBe(1);
});

test('tries again after a handler that throws, without telling what it said', async () => {
  let calls = 0;
  const throwing: OutboxHandler = () => {
    calls += 1;
    if (calls === 1) throw new TypeError(`no such mailbox ${CANARY}`);
    return Promise.resolve({ kind: 'delivered' });
  };
  const worker = open({ mail: throwing });
  await add();
  await worker.deliverDue();
  expect(await rows()).toMatchObject([{ last_error: 'TypeError' }]);
  expect(lines.join()).toContain('TypeError');
  expect(lines.join()).not.toContain(CANARY);
  advance(2);
  await worker.deliverDue();
  expect(await rows()).toEqual([]);
});

test('keeps a message sealed with a key it lacks for a process that has it', async () => {
  const newer = createSealedBox(parseKeyRing(`k2:${randomBytes(32).toString('base64')}`));
  await db.transaction((tx) => createOutbox({ box: newer, clock }).add(tx, { kind: 'mail', payload: 1 }));
  await open({ mail: answering().handler }).deliverDue();
  expect(await rows()).toMatchObject([{ last_error: 'SealBroken', dead_at: null }]);
  advance(2);
  const { seen, handler } = answering();
  await open({ mail: handler }, { box: newer }).deliverDue();
  expect(seen).toHaveLength(1);
});

test('a handler that hangs holds up one place until its deadline, not the others', async () => {
  const delivered: unknown[] = [];
  const handler: OutboxHandler = ({ payload }) => {
    if (payload === 'hangs') return new Promise(() => undefined);
    delivered.push(payload);
    return Promise.resolve({ kind: 'delivered' });
  };
  await add({ payload: 'hangs' });
  for (let i = 0; i < 20; i += 1) await add({ payload: i });
  await open({ mail: handler }, { concurrency: 2, deadlineMs: 200 }).deliverDue();
  expect(delivered).toHaveLength(20);
  expect(await rows()).toMatchObject([{ last_error: 'deadline', attempts: 1 }]);
});

test('several workers deliver each message once', async () => {
  const ids: string[] = [];
  const handler: OutboxHandler = async ({ id }) => {
    ids.push(id);
    await new Promise(setImmediate);
    return { kind: 'delivered' };
  };
  await db.transaction(async (tx) => {
    for (let i = 0; i < 300; i += 1) await outbox.add(tx, { kind: 'mail', payload: i });
  });
  await Promise.all([1, 2, 3, 4].map(() => open({ mail: handler }).deliverDue()));
  expect(ids).toHaveLength(300);
  expect(new Set(ids).size).toBe(300);
  expect(await rows()).toEqual([]);
});

test.each([
  { kind: 'refused', reason: 'smtp_550' },
  { kind: 'retry', reason: 'smtp_451' },
] as const)('another worker takes over from one that died, which settles nothing with a late $kind', async (answer) => {
  const late = Promise.withResolvers<Awaited<ReturnType<OutboxHandler>>>();
  await add();
  const dead = open({ mail: () => late.promise });
  const ended = dead.deliverDue();
  while ((await rows())[0]?.attempts !== 1) await new Promise(setImmediate);

  const second = answering({ kind: 'retry', reason: 'ECONNREFUSED' });
  const heir = open({ mail: second.handler });
  await heir.deliverDue();
  expect(second.seen).toEqual([]);
  advance(31);
  await heir.deliverDue();
  expect(second.seen).toHaveLength(1);
  late.resolve(answer);
  await ended;
  expect(await rows()).toMatchObject([{ last_error: 'ECONNREFUSED', dead_at: null }]);
});

test('looks by itself: mail leaves within two seconds of the commit', async () => {
  const delivered = Promise.withResolvers<undefined>();
  const worker = open({
    mail: () => {
      delivered.resolve(undefined);
      return Promise.resolve({ kind: 'delivered' });
    },
  });
  worker.start();
  const began = performance.now();
  await add();
  await delivered.promise;
  expect(performance.now() - began).toBeLessThan(2000);
});

test('a nudge from the one who added it makes it leave at once', async () => {
  const delivered = Promise.withResolvers<undefined>();
  const worker = open({
    mail: () => {
      delivered.resolve(undefined);
      return Promise.resolve({ kind: 'delivered' });
    },
  });
  const nudging = createOutbox({
    box,
    clock,
    onAdded: () => {
      worker.nudge();
    },
  });
  await db.transaction((tx) => nudging.add(tx, { kind: 'mail', payload: 1 }));
  await delivered.promise;
});

test('goes on after the database was away', async () => {
  let away = true;
  const flaky: Database = {
    ...db,
    query: (text, values) => (away ? Promise.reject(new Error(`away ${CANARY}`)) : db.query(text, values)),
  };
  const { seen, handler } = answering();
  const worker = open({ mail: handler }, { db: flaky });
  await add();
  await worker.deliverDue();
  away = false;
  await worker.deliverDue();
  expect(seen).toHaveLength(1);
  expect(lines.join()).not.toContain(CANARY);
});

test('stopping waits for what is in hand and takes nothing new', async () => {
  const began = Promise.withResolvers<undefined>();
  const release = Promise.withResolvers<undefined>();
  const worker = open(
    {
      mail: async () => {
        began.resolve(undefined);
        await release.promise;
        return { kind: 'delivered' };
      },
    },
    { concurrency: 1 },
  );
  await add();
  await add();
  worker.start();
  await began.promise;
  const stopped = worker.stop();
  release.resolve(undefined);
  await stopped;
  expect(await rows()).toMatchObject([{ attempts: 0 }]);
});

test('tells how much waits and since when', async () => {
  const worker = open({});
  await add();
  advance(5);
  await add();
  await add({ kind: NOTHING });
  expect(await worker.backlog()).toEqual(
    expect.arrayContaining([
      { kind: 'mail', waiting: 2, dead: 0, oldestAt: start },
      { kind: NOTHING, waiting: 1, dead: 0, oldestAt: now },
    ]),
  );

  const metrics = createMetrics();
  observeOutbox({ metrics, worker, clock });
  const { body } = await metrics.render();
  expect(body).toMatch(/^sso_outbox_messages\{kind="mail"\} 2$/m);
  expect(body).toMatch(/^sso_outbox_messages\{kind="nothing"\} 1$/m);
  expect(body).toMatch(/^sso_outbox_dead_messages\{kind="mail"\} 0$/m);
  expect(body).toMatch(/^sso_outbox_oldest_age_seconds 5$/m);
});
