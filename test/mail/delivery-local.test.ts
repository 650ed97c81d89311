import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalOutbox, type LocalOutbox } from '#src/mail/local-outbox.js';

let folder: string;
let outbox: LocalOutbox;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'sso-asn-mail-')), 'mail');
  outbox = createLocalOutbox({ folder });
});
afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

const idOf = (n: number): string => `0f8fad5b-d9cb-469f-a165-${String(n).padStart(12, '0')}`;
const send = (n: number, subject = `mail ${n}`) =>
  outbox.send(
    {
      id: idOf(n),
      to: { address: 'siti@contoh.test', name: 'Siti' },
      subject,
      text: 'Kode: 7K3PQ-9XWMA',
      html: '<p>Kode</p>',
      date: new Date(Date.UTC(2026, 10, 23, 0, 30, n)),
    },
    new AbortController().signal,
  );

test('is empty before the first mail', async () => {
  expect(await outbox.list()).toEqual([]);
  expect(await outbox.find(idOf(1))).toBeUndefined();
});

test('shows mails newest first and finds each by its id', async () => {
  for (const n of [2, 1, 3]) expect(await send(n)).toEqual({ kind: 'delivered' });
  expect((await outbox.list()).map(({ subject }) => subject)).toEqual(['mail 3', 'mail 2', 'mail 1']);
  expect(await outbox.find(idOf(2))).toEqual({
    id: idOf(2),
    to: 'siti@contoh.test',
    subject: 'mail 2',
    text: 'Kode: 7K3PQ-9XWMA',
    html: '<p>Kode</p>',
    at: new Date('2026-11-23T00:30:02Z'),
  });
});

test('a mail delivered twice is there once', async () => {
  await send(1);
  await send(1);
  expect(await outbox.list()).toHaveLength(1);
});

test.each(['../../secrets', '..', '', idOf(9), `${idOf(1)}/..`])('finds nothing under %j', async (id) => {
  await send(1);
  expect(await outbox.find(id)).toBeUndefined();
});

test('keeps the newest 200', async () => {
  await Promise.all(Array.from({ length: 205 }, (_, n) => send(n)));
  await send(205);
  const mails = await outbox.list();
  expect(mails).toHaveLength(200);
  expect(mails.at(-1)?.subject).toBe('mail 6');
});

test('nobody else on the machine may read them', async () => {
  await send(1);
  const [file = ''] = await readdir(folder);
  expect((await stat(folder)).mode & 0o077).toBe(0);
  expect((await stat(join(folder, file))).mode & 0o077).toBe(0);
});
