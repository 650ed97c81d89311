import { randomBytes } from 'node:crypto';
import { createNoticeHandler, NOTICES, type AccountMail, type AccountNotice } from '#src/accounts/account-mail.js';
import type { Nip } from '#src/accounts/nip.js';
import { accountId } from '#src/kernel/ids.js';
import { createMailDelivery, MAIL } from '#src/mail/delivery.js';
import type { NoticeKind } from '#src/mail/mails.js';
import type { OutgoingMail } from '#src/mail/transport.js';
import { createOutboxWorker, type OutboxHandler, type OutboxWorker } from '#src/outbox/worker.js';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox } from '#src/security/sealed-box.js';
import type { Database } from '#src/storage/database.js';
import { accountMailWith } from '../support/account-mail.js';
import { quietLog } from '../support/quiet-log.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

/** Item 9: several events within five minutes are one mail; nothing is lost or told twice. */

const START = new Date('2026-11-23T01:15:00Z');
const MERGE_SECONDS = 300;

let db: Database & TestDatabase;
let now: Date;
let sent: OutgoingMail[];
let workers: OutboxWorker[];

const clock = { now: () => now };
const pass = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000);
};
const box = createSealedBox(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
const mailWith = (mergeSeconds: number): AccountMail => accountMailWith({ box, clock, mergeSeconds });
const accountMail = mailWith(MERGE_SECONDS);

const SITI = {
  id: accountId('0d9f6c1e-0c7e-4f53-9a39-5f0f5c2f6a11'),
  nip: '199001012023211001' as Nip,
  name: 'Siti Canary',
  email: 'siti@canary.test',
};

const queue = (mail: NoticeKind, more: Partial<AccountNotice<'password-changed'>> = {}, by = accountMail) =>
  db.transaction((tx) => by.queue(tx, { account: SITI, mail, data: { at: now }, ...more }));

const worker = (handlers: Record<string, OutboxHandler> = {}): OutboxWorker => {
  const made = createOutboxWorker({
    db,
    box,
    clock,
    log: quietLog(),
    handlers: {
      [MAIL]: createMailDelivery({
        transport: {
          send: (mail) => {
            sent.push(mail);
            return Promise.resolve({ kind: 'delivered' });
          },
          close: () => undefined,
        },
      }),
      [NOTICES]: createNoticeHandler({ db, accountMail }),
      ...handlers,
    },
  });
  workers.push(made);
  return made;
};
const deliver = () => worker().deliverDue();
const subjects = (): string[] => sent.map(({ subject }) => subject);
const left = async (): Promise<number[]> =>
  Promise.all(
    ['account_notices', 'outbox', 'disavowals'].map(async (table) => (await db.query(`SELECT 1 FROM ${table}`)).length),
  );

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(async () => {
  now = START;
  sent = [];
  workers = [];
  await db.query('TRUNCATE outbox, account_notices, disavowals');
});
afterEach(() => Promise.all(workers.map((each) => each.stop())));
afterAll(() => db.drop());

describe('notices of one account', () => {
  it('within five minutes are one mail, told by time; later ones another', async () => {
    await queue('password-changed');
    pass(100);
    await queue('authenticator-added', { data: { at: now, deviceName: '2026-11-23T01:15:00.000Z' } as never });
    pass(199);
    await deliver();
    expect(sent).toEqual([]);
    pass(1);
    await deliver();
    expect(subjects()).toEqual(['2 pemberitahuan tentang akun SSO ASN Anda']);
    const text = sent[0]?.text;
    expect(sent[0]?.to).toEqual({ address: SITI.email, name: SITI.name });
    expect(text).toMatch(
      /Password Anda sudah diganti\n.* 08\.15 WIB .*\n[^]*Autentikator sudah terpasang\n.* 08\.16 WIB .*\n/,
    );
    // What a person typed stays what it is, also when it reads as a date.
    expect(text).toContain('2026-11-23T01:15:00.000Z sudah terpasang');
    await queue('wrong-code-warning');
    pass(299);
    await deliver();
    expect(sent).toHaveLength(1);
    pass(1);
    await deliver();
    expect(subjects().slice(1)).toEqual(['Percobaan masuk ke SSO ASN dengan password Anda']);
    expect(await left()).toEqual([0, 0, 2]);
  });

  it('go to the address known when each of them happened', async () => {
    await queue('password-changed');
    pass(10);
    await queue('wrong-code-warning', { account: { ...SITI, email: 'siti.baru@canary.test' } });
    pass(300);
    await deliver();
    expect(sent.map(({ to, subject }) => [to.address, subject])).toEqual([
      [SITI.email, 'Password SSO ASN Anda sudah diganti'],
      ['siti.baru@canary.test', 'Percobaan masuk ke SSO ASN dengan password Anda'],
    ]);
  });

  it('do not wait for those of others', async () => {
    await queue('password-changed');
    await queue('password-changed', {
      account: { ...SITI, id: accountId('0d9f6c1e-0c7e-4f53-9a39-5f0f5c2f6a12'), email: 'b@canary.test' },
    });
    pass(300);
    await deliver();
    expect(sent.map(({ to }) => to.address).sort()).toEqual(['b@canary.test', SITI.email]);
  });

  it('leave at once with one that cannot wait', async () => {
    await queue('new-browser', { data: { at: now, browser: 'Chrome', system: 'Android', network: 'x' } as never });
    pass(20);
    await queue('contact-changed', { data: { at: now, by: 'person' } as never, locale: 'en' });
    await deliver();
    expect(subjects()).toEqual(['The e-mail address of your SSO ASN account has changed']);
    expect(sent[0]?.text).toContain('Your account was used in a new browser');
    pass(300);
    await deliver();
    expect(sent).toHaveLength(1);
    expect(await left()).toEqual([0, 0, 1]);
  });

  it('leave at once, each by itself, when the window is 0', async () => {
    const atOnce = mailWith(0);
    await queue('password-changed', {}, atOnce);
    await queue('wrong-code-warning', {}, atOnce);
    await deliver();
    expect(sent).toHaveLength(2);
  });

  it('are not told when what they tell of did not happen', async () => {
    const failing = db.transaction(async (tx) => {
      await accountMail.queue(tx, { account: SITI, mail: 'password-changed', data: { at: now } });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    pass(300);
    await deliver();
    expect([sent, await left()]).toEqual([[], [0, 0, 0]]);
  });

  it('wait and are kept without a name, an address or a link in clear (R-42)', async () => {
    await queue('password-changed');
    await queue('contact-changed', { data: { at: now, by: 'person' } as never });
    const kept = JSON.stringify(
      await Promise.all(['account_notices', 'outbox', 'disavowals'].map((table) => db.query(`SELECT * FROM ${table}`))),
    );
    await deliver();
    const token = /bukan-saya\/([\w-]{22})/.exec(sent[0]?.text ?? '')?.[1] ?? '';
    expect(token).toHaveLength(22);
    for (const secret of ['canary', 'Siti', token, Buffer.from(token).toString('hex')]) {
      expect(kept.toLowerCase()).not.toContain(secret.toLowerCase());
    }
  });
});

describe('a process that dies', () => {
  it('after it claimed and before it took them: another sends one mail when the lease is over', async () => {
    await queue('password-changed');
    await queue('wrong-code-warning');
    pass(300);
    // Takes the messages in hand and is never heard of again.
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const dying = worker({ [NOTICES]: () => held.then(() => ({ kind: 'retry', reason: 'dead' })) });
    const death = dying.deliverDue();
    while ((await db.query('SELECT 1 FROM outbox WHERE attempts = 1')).length < 2) await Promise.resolve();
    await deliver();
    expect(sent).toEqual([]);
    pass(31);
    await deliver();
    expect(subjects()).toEqual(['2 pemberitahuan tentang akun SSO ASN Anda']);
    release?.();
    await death;
    pass(3600);
    await deliver();
    expect([sent.length, await left()]).toEqual([1, [0, 0, 1]]);
  });

  it('after it took them and before it said so: nobody is told twice', async () => {
    await queue('password-changed');
    pass(300);
    const real = createNoticeHandler({ db, accountMail });
    // Committed, and then the process is gone: the message is not settled.
    await worker({
      [NOTICES]: async (message, signal) => {
        await real(message, signal);
        return { kind: 'retry', reason: 'killed' };
      },
    }).deliverDue();
    pass(60);
    await deliver();
    expect([sent.length, await left()]).toEqual([1, [0, 0, 1]]);
  });

  it('in the middle of it: the transaction is gone, the notices are not', async () => {
    await queue('password-changed');
    pass(300);
    const broken: Database = {
      ...db,
      transaction: (work) =>
        db.transaction(async (tx) => {
          await work(tx);
          throw new Error('killed before the commit');
        }),
    };
    await worker({ [NOTICES]: createNoticeHandler({ db: broken, accountMail }) }).deliverDue();
    expect([sent, (await left())[0]]).toEqual([[], 1]);
    pass(60);
    await deliver();
    expect([sent.length, await left()]).toEqual([1, [0, 0, 1]]);
  });

  it('leaves the rest to many: sixteen at once send one mail', async () => {
    for (const kind of ['password-changed', 'wrong-code-warning', 'password-disabled'] as const) await queue(kind);
    pass(300);
    await Promise.all(Array.from({ length: 16 }, () => db.transaction((tx) => accountMail.queueWaiting(tx, SITI.id))));
    await deliver();
    expect(subjects()).toEqual(['3 pemberitahuan tentang akun SSO ASN Anda']);
    expect(await left()).toEqual([0, 0, 1]);
  });
});
