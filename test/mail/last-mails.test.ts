import { randomBytes, randomUUID } from 'node:crypto';
import { createMailDelivery, MAIL } from '#src/mail/delivery.js';
import { lastMailTo, recordSent } from '#src/mail/last-mails.js';
import type { MailTransport } from '#src/mail/transport.js';
import { createOutbox } from '#src/outbox/outbox.js';
import { createOutboxWorker, type Delivery } from '#src/outbox/worker.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import { quietLog } from '../support/quiet-log.js';
import { openTestDatabase } from '../support/test-database.js';

const clock = { at: new Date('2026-11-20T03:00:00Z'), now: () => clock.at };
const pass = (seconds: number): void => {
  clock.at = new Date(clock.at.getTime() + seconds * 1000);
};
const db = await openTestDatabase();
afterAll(() => db.drop());

const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
const outbox = createOutbox({ box, clock });
let answer: Delivery;
const transport: MailTransport = { send: () => Promise.resolve(answer), close: () => undefined };
let keep: typeof recordSent;
const worker = () =>
  createOutboxWorker({
    db,
    box,
    clock,
    log: quietLog(),
    handlers: {
      [MAIL]: createMailDelivery({ transport, recordSent: (sent) => keep(db, { ...sent, now: clock.now() }) }),
    },
  });
const write = (accountId: string | undefined): Promise<void> =>
  outbox.add(db, {
    kind: MAIL,
    payload: { mail: 'reset-code', to: { address: 'siti@contoh.test' }, subject: 's', text: 't', html: 'h' },
    accountId,
  });

let siti: string;
beforeEach(async () => {
  await db.query('TRUNCATE outbox, last_mails');
  siti = randomUUID();
  keep = recordSent;
});

it('nothing is known before the first', async () => {
  expect(await lastMailTo(db, siti)).toBeUndefined();
});

it('one that waits, is tried again, leaves', async () => {
  const at = clock.at;
  await write(siti);
  expect(await lastMailTo(db, siti)).toEqual({ at, fate: 'waiting' });
  answer = { kind: 'retry', reason: 'greylisted' };
  await worker().deliverDue();
  expect(await lastMailTo(db, siti)).toEqual({ at, fate: 'waiting' });
  answer = { kind: 'delivered' };
  pass(3600);
  await worker().deliverDue();
  expect(await lastMailTo(db, siti)).toEqual({ at, fate: 'sent' });
  expect(await lastMailTo(db, randomUUID())).toBeUndefined();
});

it('one that no server takes', async () => {
  await write(siti);
  answer = { kind: 'refused', reason: 'smtp_550' };
  await worker().deliverDue();
  expect(await lastMailTo(db, siti)).toEqual({ at: clock.at, fate: 'failed' });
  pass(60);
  await write(siti);
  answer = { kind: 'delivered' };
  await worker().deliverDue();
  expect(await lastMailTo(db, siti)).toEqual({ at: clock.at, fate: 'sent' });
});

it('the later of two that overtake one another', async () => {
  const later = clock.at;
  await recordSent(db, { accountId: siti, queuedAt: later, now: later });
  await recordSent(db, { accountId: siti, queuedAt: new Date(later.getTime() - 5000), now: later });
  expect(await lastMailTo(db, siti)).toEqual({ at: later, fate: 'sent' });
});

it('a mail leaves once, also when that cannot be kept', async () => {
  await write(siti);
  answer = { kind: 'delivered' };
  keep = () => Promise.reject(new Error('away'));
  await worker().deliverDue();
  expect(await db.query('SELECT id FROM outbox')).toEqual([]);
});

it('keeps neither address nor words, and nothing of decoys', async () => {
  await write(undefined);
  await write(siti);
  answer = { kind: 'delivered' };
  await worker().deliverDue();
  const rows = await db.query('SELECT * FROM last_mails');
  expect(rows).toEqual([{ account_id: siti, queued_at: clock.at, sent_at: clock.at }]);
});
