import { randomBytes } from 'node:crypto';
import type { SMTPServerOptions } from 'smtp-server';
import type { Log } from '#src/kernel/log.js';
import { createMailDelivery, MAIL } from '#src/mail/delivery.js';
import { createSmtpTransport } from '#src/mail/smtp.js';
import { createOutbox } from '#src/outbox/outbox.js';
import { createOutboxWorker, type OutboxWorker } from '#src/outbox/worker.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { startMailbox, type Mailbox } from '../support/mailbox.js';
import { unusedPort } from '../support/unused-port.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

const start = new Date('2026-11-23T00:30:00Z');
const silent = (): void => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };
const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
const clock = { now: () => now };
const outbox = createOutbox({ box, clock });

let db: Database & TestDatabase;
let now: Date;
let closing: (() => unknown)[];

const advance = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};
const mailbox = async (behaviour?: SMTPServerOptions & { port?: number }): Promise<Mailbox> => {
  const started = await startMailbox(behaviour);
  closing.push(() => started.stop());
  return started;
};
const workerFor = (url: string): OutboxWorker => {
  const transport = createSmtpTransport({ url, from: 'no-reply@sso.test', requireTls: false, timeoutMs: 500 });
  const worker = createOutboxWorker({ db, box, clock, log, handlers: { [MAIL]: createMailDelivery({ transport }) } });
  closing.push(
    () => {
      transport.close();
    },
    () => worker.stop(),
  );
  return worker;
};
const queue = (subject: string, expiresAt?: Date): Promise<void> =>
  db.transaction((tx) =>
    outbox.add(tx, {
      kind: MAIL,
      payload: { mail: 'test', to: { address: 'siti@contoh.test' }, subject, text: 'x', html: '<p>x</p>' },
      expiresAt,
    }),
  );
const waiting = async (): Promise<number> => (await db.query('SELECT 1 FROM outbox WHERE dead_at IS NULL')).length;

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  now = start;
  closing = [];
  await db.query('TRUNCATE outbox');
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});
afterAll(() => db.drop());

test('greylisted mail arrives once, at the second attempt', async () => {
  let attempts = 0;
  const post = await mailbox({
    onRcptTo: (_address, _session, done) => {
      attempts += 1;
      done(attempts === 1 ? Object.assign(new Error('later'), { responseCode: 451 }) : null);
    },
  });
  const worker = workerFor(post.url);
  await queue('one');
  await worker.deliverDue();
  expect(post.mails).toHaveLength(0);
  advance(2);
  await worker.deliverDue();
  expect(post.mails.map(({ subject }) => subject)).toEqual(['one']);
  expect(await waiting()).toBe(0);
});

test('mail for a mailbox that does not exist is tried once', async () => {
  let attempts = 0;
  const post = await mailbox({
    onRcptTo: (_address, _session, done) => {
      attempts += 1;
      done(Object.assign(new Error('no such user'), { responseCode: 550 }));
    },
  });
  const worker = workerFor(post.url);
  await queue('one');
  for (let i = 0; i < 3; i += 1) {
    await worker.deliverDue();
    advance(3600);
  }
  expect(attempts).toBe(1);
  expect(await waiting()).toBe(0);
});

test('two workers send each mail once', async () => {
  const post = await mailbox();
  for (let i = 0; i < 100; i += 1) await queue(`mail ${i}`);
  await Promise.all([workerFor(post.url).deliverDue(), workerFor(post.url).deliverDue()]);
  expect(post.mails).toHaveLength(100);
  expect(new Set(post.mails.map(({ messageId }) => messageId)).size).toBe(100);
});

test('after ten minutes without a mail server everything arrives within a minute, except what has expired', async () => {
  const port = await unusedPort();
  const worker = workerFor(`smtp://127.0.0.1:${port}`);
  for (let second = 0; second < 600; second += 20) {
    await queue(`code ${second}`, new Date(now.getTime() + 300_000));
    await queue(`notice ${second}`);
    await worker.deliverDue();
    advance(20);
  }
  const recovered = now;
  const post = await mailbox({ port });
  while ((await waiting()) > 0) {
    await worker.deliverDue();
    advance(1);
  }
  expect(now.getTime() - recovered.getTime()).toBeLessThanOrEqual(60_000);
  const subjects = post.mails.map(({ subject }) => subject);
  expect(new Set(subjects).size).toBe(subjects.length);
  expect(subjects.filter((subject) => subject.startsWith('notice'))).toHaveLength(30);
  const codes = subjects.filter((subject) => subject.startsWith('code')).map((subject) => Number(subject.slice(5)));
  // Those of the last five minutes, less what expired while it waited for its turn.
  expect(Math.min(...codes)).toBeGreaterThan(300);
  expect(codes.length).toBeGreaterThanOrEqual(10);
});

test('mail arrives once more, and under the same id, only when the server died before it said yes', async () => {
  let deaths = 0;
  const post = await mailbox();
  const taken: string[] = [];
  const dying = await mailbox({
    onData: (stream, session) => {
      stream.resume().on('end', () => {
        taken.push(session.id);
        deaths += 1;
      });
    },
    socketTimeout: 300,
  });
  await queue('one');
  const [row] = await db.query('SELECT id FROM outbox');
  await workerFor(dying.url).deliverDue();
  expect(deaths).toBe(1);
  advance(2);
  await workerFor(post.url).deliverDue();
  expect(post.mails.map(({ messageId }) => messageId)).toEqual([`<${String(row?.id)}@sso.test>`]);
  expect(await waiting()).toBe(0);
});
