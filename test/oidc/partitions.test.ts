import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { secondsAfter } from '#src/kernel/clock.js';
import { keepTokenPartitions } from '#src/oidc/storage/token-partitions-store.js';
import { purgeExpired } from '#src/oidc/storage/purge-store.js';
import { dropOn, tokenStore } from '#src/oidc/storage/token-store.js';
import { replayStore } from '#src/oidc/storage/replay-store.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

const NOON = new Date('2026-11-23T12:00:00Z');
const days = (count: number): Date => new Date(NOON.getTime() + count * 86_400_000);
const DAYS = ['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-26'];

const opened: TestDatabase[] = [];
let db: Database & TestDatabase;
beforeEach(async () => {
  db = await openTestDatabase();
  opened.push(db);
});
afterAll(() => Promise.all(opened.map((each) => each.drop())));

const partitions = async (): Promise<string[]> =>
  (
    await db.query(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'oidc_tokens'::regclass ORDER BY 1",
    )
  ).map((row) => row.name as string);
const insert = async (expiresInSeconds: number, now = NOON): Promise<string> => {
  const id = randomUUID();
  await tokenStore(db).insert({ kind: 'AccessToken', id, payload: {}, expiresInSeconds, now });
  return id;
};
const placeOf = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await db.query('SELECT tableoid::regclass::text AS place, count(*)::int AS n FROM oidc_tokens GROUP BY 1')).map(
      (row) => [row.place, row.n],
    ),
  ) as Record<string, number>;

describe('token partitions', () => {
  it.each([
    [60, '2026-11-23'],
    [9 * 3600, '2026-11-23'],
    [10 * 3600, '2026-11-24'],
    [48 * 3600, '2026-11-25'],
    [48 * 3600 + 1, 'infinity'],
    [30 * 86_400, 'infinity'],
  ])('a token of %i seconds may be dropped on %s', (seconds, day) => {
    expect(dropOn(NOON, seconds)).toBe(day);
  });

  it('are there for every token of 48 hours, begun at any time of the day', () => {
    for (const time of ['00:00:00', '12:00:00', '23:59:59']) {
      expect(dropOn(new Date(`2026-11-23T${time}Z`), 48 * 3600) <= '2026-11-26').toBe(true);
    }
  });

  it('work without ever having been made', async () => {
    const id = await insert(60);
    expect(await placeOf()).toEqual({ oidc_tokens_default: 1 });
    expect(await tokenStore(db).find(id, ['AccessToken'], NOON)).toBeDefined();
  });

  it('are made for today and three days, once', async () => {
    expect(await keepTokenPartitions(db, NOON)).toEqual({ created: DAYS, dropped: [] });
    expect(await keepTokenPartitions(db, NOON)).toEqual({ created: [], dropped: [] });
    expect(await partitions()).toEqual([
      'oidc_tokens_20261123',
      'oidc_tokens_20261124',
      'oidc_tokens_20261125',
      'oidc_tokens_20261126',
      'oidc_tokens_default',
      'oidc_tokens_long',
    ]);
  });

  it('are made once by several at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => keepTokenPartitions(db, NOON)));
    expect(all.flatMap(({ created }) => created).sort()).toEqual(DAYS);
  });

  it('take tokens while they are being made', async () => {
    const [ids] = await Promise.all([
      Promise.all(Array.from({ length: 60 }, () => insert(60))),
      keepTokenPartitions(db, NOON),
      keepTokenPartitions(db, NOON),
    ]);
    for (const id of ids) expect(await tokenStore(db).find(id, ['AccessToken'], NOON)).toBeDefined();
  });

  it('leave strays of a day where they are, make the other days, and are whole again three days later', async () => {
    const id = await insert(60);
    expect((await keepTokenPartitions(db, NOON)).created).toEqual(DAYS.slice(1));
    expect(await tokenStore(db).find(id, ['AccessToken'], NOON)).toBeDefined();
    expect(await tokenStore(db).consume({ kind: 'AccessToken', id, now: NOON })).toBe(true);
    await insert(60, days(1));
    expect(await placeOf()).toEqual({ oidc_tokens_default: 1, oidc_tokens_20261124: 1 });
    await purgeExpired(db, days(2));
    expect(await placeOf()).toEqual({ oidc_tokens_20261124: 1 });
  });

  it('are dropped a day after nobody can use their tokens, with all that is in them', async () => {
    await keepTokenPartitions(db, NOON);
    await insert(60);
    expect((await keepTokenPartitions(db, days(1))).dropped).toEqual([]);
    expect((await keepTokenPartitions(db, days(2))).dropped).toEqual(['2026-11-23']);
    expect(await placeOf()).toEqual({});
    expect((await keepTokenPartitions(db, days(9))).dropped).toHaveLength(5);
  });

  it('of days that have passed are not looked at', async () => {
    await keepTokenPartitions(db, NOON);
    const [row] = await db.query(
      `EXPLAIN (FORMAT JSON) SELECT 1 FROM oidc_tokens WHERE kind = 'AccessToken' AND id = '\\x00' AND drop_on >= '2026-11-25'`,
    );
    const plan = JSON.stringify(row);
    expect(plan).toContain('oidc_tokens_20261125');
    expect(plan).not.toContain('oidc_tokens_20261123');
  });

  it('have the indexes of the table they belong to', async () => {
    await keepTokenPartitions(db, NOON);
    const rows = await db.query("SELECT count(*)::int AS n FROM pg_indexes WHERE tablename = 'oidc_tokens_20261124'");
    expect(rows).toEqual([{ n: 2 }]);
  });
});

describe('the purge', () => {
  it('takes long-lived tokens, proofs, grants and sessions that nothing finds any more, and no others', async () => {
    await insert(30 * 86_400, days(-31));
    await insert(30 * 86_400);
    for (const at of [days(-1), days(1)]) await replayStore(db).claim(randomUUID(), at);
    for (const [uid, started] of [
      ['old', days(-1)],
      ['new', NOON],
    ] as const) {
      await db.query(
        `INSERT INTO sso_sessions (uid, id, payload, started_at, last_seen_at, expires_at) VALUES ($1, $2, '{}', $3, $3, $3)`,
        [uid, Buffer.from(uid), started],
      );
      await db.query(
        `INSERT INTO oidc_grants (id, account_id, cred_epoch, client_id, session_uid, payload, expires_at)
         VALUES ($1, gen_random_uuid(), 0, 'web', $2, '{}', $3::timestamptz + interval '1 second')`,
        [Buffer.from(uid), uid, started],
      );
    }
    // One that has just expired, and one of which a ticket of an hour ago is left.
    for (const at of [secondsAfter(NOON, -60), secondsAfter(NOON, -3600)]) {
      await tokenStore(db).insert({
        kind: 'PushedAuthorizationRequest',
        id: randomUUID(),
        payload: { request: 'x' },
        expiresInSeconds: 60,
        now: secondsAfter(at, -60),
      });
    }
    expect(await purgeExpired(db, NOON)).toBe(5);
    expect(await purgeExpired(db, NOON)).toBe(0);
  });
});
