import { randomBytes } from 'node:crypto';
import type { Log } from '#src/kernel/log.js';
import { createMailDelivery, MAIL } from '#src/mail/delivery.js';
import { createMailer, type MailOrder } from '#src/mail/mailer.js';
import type { MailWriter } from '#src/mail/templates.js';
import type { MailTransport, OutgoingMail } from '#src/mail/transport.js';
import { createOutbox } from '#src/outbox/outbox.js';
import { createOutboxWorker } from '#src/outbox/worker.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

const now = new Date('2026-11-23T00:30:00Z');
const clock = { now: () => now };
const silent = (): void => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };
const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
const render: MailWriter = {
  letter: (kind, data, locale) => ({ subject: `${kind} ${locale}`, text: JSON.stringify(data), html: '<p></p>' }),
  notices: (events, locale, disavow) => ({
    subject: `${events.map(({ kind }) => kind).join()} ${locale}`,
    text: disavow?.href ?? '',
    html: '<p></p>',
  }),
};
const mailer = createMailer({ outbox: createOutbox({ box, clock }), render });

let db: Database & TestDatabase;
let sent: OutgoingMail[];
let outcomes: string[];

const transport: MailTransport = {
  send: (mail) => {
    sent.push(mail);
    return Promise.resolve({ kind: 'delivered' });
  },
  close: silent,
};
const SITI = '0c7e5a3e-7c1b-4a7e-8f21-6a4c1b9d2e10';
const order: MailOrder<'reset-code'> = {
  to: { address: 'siti@contoh.test', name: 'Siti' },
  accountId: undefined,
  mail: 'reset-code',
  data: { at: now, nipEnding: '003', code: '7K3PQ-9XWMA', expiresAt: new Date(now.getTime() + 900_000) },
  locale: 'id',
};
const queue = (more: Partial<MailOrder<'reset-code'>> = {}): Promise<void> =>
  db.transaction((tx) => mailer.queue(tx, { ...order, ...more }));
const deliver = async (): Promise<void> => {
  const onOutcome = (mail: string, outcome: string): void => {
    outcomes.push(`${mail} ${outcome}`);
  };
  const handlers = { [MAIL]: createMailDelivery({ transport, onOutcome }) };
  await createOutboxWorker({ db, box, clock, log, handlers }).deliverDue();
};

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  sent = [];
  outcomes = [];
  await db.query('TRUNCATE outbox');
});
afterAll(() => db.drop());

test('a queued mail is written then, waits sealed and is sent to its mailbox', async () => {
  await queue();
  const kept = JSON.stringify(await db.query('SELECT * FROM outbox'));
  for (const secret of ['siti', 'contoh', '7K3PQ']) expect(kept).not.toContain(secret);
  await deliver();
  expect(sent).toMatchObject([
    { to: { address: 'siti@contoh.test', name: 'Siti' }, subject: 'reset-code id', date: now },
  ]);
  expect(sent[0]?.text).toContain('7K3PQ-9XWMA');
  expect(outcomes).toEqual(['reset-code delivered']);
});

test('a decoy writes a row of nearly the same size and sends nothing', async () => {
  await queue();
  await queue({ to: undefined });
  const [real = 0, decoy = 0] = (await db.query('SELECT length(payload) AS length FROM outbox ORDER BY kind')).map(
    ({ length }) => length as number,
  );
  expect(Math.abs(real - decoy)).toBeLessThan(60);
  await deliver();
  expect(sent).toHaveLength(1);
  expect(await db.query('SELECT 1 FROM outbox')).toEqual([]);
});

test('of mails with the same key one is sent while it waits', async () => {
  await queue({ dedupKey: 'a' });
  await queue({ dedupKey: 'a' });
  await deliver();
  expect(sent).toHaveLength(1);
});

test('a mail whose code has expired is not sent', async () => {
  await queue({ expiresAt: now });
  await deliver();
  expect(sent).toEqual([]);
});

test('a notice is counted by its kind, several as such', async () => {
  const to = { address: 'siti@contoh.test' };
  const told = { kind: 'password-changed', data: { at: now, nipEnding: '003' } } as const;
  const disavow = { href: 'https://sso.contoh.test/bukan-saya/x', until: now };
  for (const events of [[told], [told, told]]) {
    await db.transaction((tx) => mailer.queueNotices(tx, { to, accountId: SITI, locale: 'en', events, disavow }));
  }
  await deliver();
  expect(sent.map(({ subject, text }) => [subject, text]).sort()).toEqual([
    ['password-changed en', disavow.href],
    ['password-changed,password-changed en', disavow.href],
  ]);
  expect(outcomes.sort()).toEqual(['password-changed delivered', 'several-notices delivered']);
});

test('an address that is none is given up and counted, not sent', async () => {
  await queue({ to: { address: 'a@x.test\r\nBcc: e@x.test' } });
  await deliver();
  expect(sent).toEqual([]);
  expect(outcomes).toEqual(['reset-code refused']);
  expect(await db.query('SELECT last_error, payload FROM outbox')).toEqual([{ last_error: 'address', payload: null }]);
});
