import { createFeedIntake } from '#src/provisioning/feed-intake.js';
import { addAgencies } from '../accounts/people.js';
import { quietLog } from '../support/quiet-log.js';
import { eventually } from '../support/processes.js';
import { openTestDatabase } from '../support/test-database.js';
import { csvOf, feedOver, nip } from './feed.js';

/** Files that services send, between the wire and the feed. */

let db: Awaited<ReturnType<typeof openTestDatabase>>;
beforeAll(async () => {
  db = await openTestDatabase();
  await addAgencies(db);
});
afterAll(() => db.drop());

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from(text));
}
const people = csvOf(Array.from({ length: 12_000 }, (_, at) => ({ nip: nip(at) })));
const order = { mode: 'delta', dryRun: false, signature: undefined, clientId: 'siasn', agency: undefined } as const;

it('a process that stops breaks its run off, and the same file given again finishes it', async () => {
  // Entangled rows, lines 1 to 5000 (the header is the first), and then those that are under way when it is stopped.
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let batches = 0;
  const feed = feedOver(db, {
    effects: async () => {
      batches += 1;
      if (batches === 3) await released;
    },
  });
  const stopping = createFeedIntake({ feed, log: quietLog() });
  const file = await stopping.receive(chunksOf(people));
  if (typeof file === 'string') throw new Error(file);
  const run = await db.transaction((tx) => stopping.prepare(tx, { file, ...order }));
  run.begin();
  await eventually('the second batch to be under way', () => batches === 3);
  expect(await stopping.isBusy()).toBe(true);
  const stopped = stopping.stop();
  release();
  await stopped;
  expect(await stopping.find(run.id, 'siasn')).toMatchObject({ state: 'interrupted' });
  expect(await db.query('SELECT count(*)::integer AS n FROM accounts')).toEqual([{ n: 4_999 }]);
  expect(await db.query(`SELECT detail FROM audit_events WHERE type = 'feed.failed'`)).toEqual([
    { detail: { run: run.id, cause: 'interrupted' } },
  ]);

  const next = createFeedIntake({ feed: feedOver(db), log: quietLog() });
  const again = await next.receive(chunksOf(people));
  if (typeof again === 'string') throw new Error(again);
  const second = await db.transaction((tx) => next.prepare(tx, { file: again, ...order }));
  second.begin();
  await eventually('the rest to be taken in', async () => (await next.find(second.id, 'siasn'))?.state === 'applied');
  expect(await next.find(second.id, 'siasn')).toMatchObject({ report: { created: 7_001, unchanged: 4_999 } });
  await next.stop();
});

it('one file at a time is received', async () => {
  const intake = createFeedIntake({ feed: feedOver(db), log: quietLog() });
  const both = await Promise.all([intake.receive(chunksOf('nip\n')), intake.receive(chunksOf('nip\n'))]);
  expect(both.filter((received) => received === 'busy')).toHaveLength(1);
  for (const received of both) if (typeof received !== 'string') await received.discard();
});

it('a file that breaks off frees the place for the next', async () => {
  const intake = createFeedIntake({ feed: feedOver(db), log: quietLog(), maxBytes: 3 });
  async function* breaking(): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.from('ni'));
    throw new Error('broken off');
  }
  await expect(intake.receive(breaking())).rejects.toThrow('broken off');
  expect(await intake.receive(chunksOf('nip\n'))).toBe('too_large');
  const fits = await intake.receive(chunksOf('nip'));
  if (typeof fits === 'string') throw new Error(fits);
  expect(fits.bytes).toBe(3);
  await fits.discard();
});
