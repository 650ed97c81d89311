import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Database } from '#src/storage/database.js';
import { openPostgres } from '#src/storage/postgres.js';
import { bumpRevision, createRevisionWatch } from '#src/storage/revisions.js';
import { quietLog } from '../support/quiet-log.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !condition(); i += 1) await pause(20);
};

let empty: TestDatabase;
let db: Database;

beforeAll(async () => {
  empty = await createTestDatabase();
  db = openPostgres({ url: empty.url, maxConnections: 4, onIdleError: () => undefined });
});
afterAll(async () => {
  await db.close();
  await empty.drop();
});

const counting = (fail: () => boolean = () => false) => {
  const counts = { clients: 0, signing_keys: 0 };
  const follow = (name: keyof typeof counts) => (): Promise<void> => {
    counts[name] += 1;
    return fail() ? Promise.reject(new Error('cannot be read')) : Promise.resolve();
  };
  const followers = { clients: follow('clients'), signing_keys: follow('signing_keys') };
  return { counts, followers };
};

describe('what processes keep in memory', () => {
  it('is read once, and again only when it has changed', async () => {
    const { counts, followers } = counting();
    const watch = createRevisionWatch({ db, log: quietLog(), followers });
    await watch.check();
    await watch.check();
    expect(counts).toEqual({ clients: 1, signing_keys: 1 });
    await db.transaction((tx) => bumpRevision(tx, 'clients'));
    await watch.check();
    expect(counts).toEqual({ clients: 2, signing_keys: 1 });
  });

  it('is not read for a change that was rolled back', async () => {
    const { counts, followers } = counting();
    const watch = createRevisionWatch({ db, log: quietLog(), followers });
    await watch.check();
    await db
      .transaction(async (tx) => {
        await bumpRevision(tx, 'clients');
        throw new Error('undone');
      })
      .catch(() => undefined);
    await watch.check();
    expect(counts.clients).toBe(1);
  });

  it('is read again when reading it failed', async () => {
    let broken = true;
    const { counts, followers } = counting(() => broken);
    const watch = createRevisionWatch({ db, log: quietLog(), followers });
    await expect(watch.check()).rejects.toThrow('cannot be read');
    broken = false;
    await watch.check();
    expect(counts).toEqual({ clients: 2, signing_keys: 1 });
  });

  it('is followed by itself once the watch was started, and not after it was stopped', async () => {
    const { counts, followers } = counting();
    const watch = createRevisionWatch({ db, log: quietLog(), everyMs: 20, followers });
    watch.start();
    await until(() => counts.clients === 1);
    expect(counts.clients).toBe(1);
    await db.transaction((tx) => bumpRevision(tx, 'signing_keys'));
    await until(() => counts.signing_keys === 2);
    expect(counts.signing_keys).toBe(2);
    await watch.stop();
    await db.transaction((tx) => bumpRevision(tx, 'signing_keys'));
    await pause(80);
    expect(counts.signing_keys).toBe(2);
  });
});
