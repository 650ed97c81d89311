import { randomBytes } from 'node:crypto';
import { DatabaseUnavailable, openPostgres, translate } from '#src/storage/postgres.js';
import type { Database, Queryable } from '#src/storage/database.js';
import { unusedPort } from '../support/unused-port.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

let own: TestDatabase;
let db: Database;
let admin: Database;
const idleErrors: Error[] = [];
const statements: string[] = [];

const open = (url: string, options: { maxConnections?: number } = {}): Database =>
  openPostgres({
    url,
    maxConnections: options.maxConnections ?? 4,
    onIdleError: (error) => {
      idleErrors.push(error);
    },
    onStatement: (text) => {
      statements.push(text);
    },
  });

beforeAll(async () => {
  own = await createTestDatabase();
  db = open(own.url);
  admin = open(own.url, { maxConnections: 1 });
  await db.query('CREATE TABLE notes (id int PRIMARY KEY, text text)');
});
beforeEach(async () => {
  await db.query('DELETE FROM notes');
  statements.length = 0;
  idleErrors.length = 0;
});
afterAll(async () => {
  await Promise.all([db.close(), admin.close()]);
  await own.drop();
});

const write = (to: Queryable, id: number) =>
  to.query('INSERT INTO notes (id, text) VALUES ($1, $2)', [id, `note ${id}`]);
const ids = async (): Promise<unknown[]> => (await db.query('SELECT id FROM notes ORDER BY id')).map(({ id }) => id);
const causeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await work.catch((failure: unknown) => failure);
  return error instanceof DatabaseUnavailable ? 'unavailable' : (error as { code?: string }).code;
};
/** The connections that were killed while idle are met and given up. */
const meetTheDead = async (): Promise<void> => {
  for (let round = 0; round < 20; round += 1) await db.query('SELECT 1').catch(() => undefined);
};
/** Ends every connection to this database but the asking one. */
const killBackends = () =>
  admin.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );

describe('values', () => {
  it('come back as they went in, whatever they hold (R-50)', async () => {
    const evil = "'; DROP TABLE notes; -- \\ $1 ✓";
    const [row] = await db.query(
      'SELECT $1::text AS text, $2::bytea AS bytes, $3::timestamptz AS at, $4::text AS nothing',
      [evil, Buffer.from([0, 255, 92]), new Date('2026-11-23T01:15:42.123Z'), null],
    );
    expect(row).toEqual({
      text: evil,
      bytes: Buffer.from([0, 255, 92]),
      at: new Date('2026-11-23T01:15:42.123Z'),
      nothing: null,
    });
    expect(await ids()).toEqual([]);
  });

  it('of eight bytes arrive as text, exactly', async () => {
    expect(await db.query('SELECT 9007199254740993::bigint AS n')).toEqual([{ n: '9007199254740993' }]);
  });
});

it('statements are prepared once per connection, by their text, and told to whoever counts them', async () => {
  await db.transaction(async (tx) => {
    for (let round = 0; round < 3; round += 1) await tx.query('SELECT $1::int AS round', [round]);
    const prepared = await tx.query("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%AS round'");
    expect(prepared).toHaveLength(1);
  });
  expect(statements.filter((text) => text === 'SELECT $1::int AS round')).toHaveLength(3);
  expect(statements).toHaveLength(4);
});

describe('transactions', () => {
  it('commit when the work is done, and answer what it answered', async () => {
    const answer = await db.transaction(async (tx) => {
      await write(tx, 1);
      await write(tx, 2);
      expect(await ids()).toEqual([]);
      return 'done';
    });
    expect(answer).toBe('done');
    expect(await ids()).toEqual([1, 2]);
  });

  it('take everything back when the work throws, and pass on what it threw', async () => {
    const reason = new Error('the timeout of something else: connection terminated');
    const attempt = db.transaction(async (tx) => {
      await write(tx, 1);
      throw reason;
    });
    await expect(attempt).rejects.toBe(reason);
    expect(await ids()).toEqual([]);
  });

  it('take everything back when a statement fails', async () => {
    const attempt = db.transaction(async (tx) => {
      await write(tx, 1);
      await write(tx, 1);
    });
    expect(await causeOf(attempt)).toBe('23505');
    expect(await ids()).toEqual([]);
  });

  it('never claim to have committed when a failed statement was passed over', async () => {
    const attempt = db.transaction(async (tx) => {
      await write(tx, 1);
      await write(tx, 1).catch(() => undefined);
    });
    await expect(attempt).rejects.toThrow('rolled back');
    expect(await ids()).toEqual([]);
  });

  it('leave their connection as good as new, a hundred times', async () => {
    const narrow = open(own.url, { maxConnections: 2 });
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        narrow
          .transaction(async (tx) => {
            await write(tx, index);
            if (index % 2 === 0) throw new Error('odd ones only');
          })
          .catch(() => 'taken back'),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'taken back')).toHaveLength(50);
    expect(await ids()).toEqual(Array.from({ length: 50 }, (_, index) => 2 * index + 1));
    await narrow.close();
  });
});

describe('errors', () => {
  const raise = (code: string): Promise<unknown> =>
    db.query(`DO $$ BEGIN RAISE EXCEPTION 'timeout: connection terminated' USING ERRCODE = '${code}'; END $$`);

  it.each(['08006', '25006', '25P03', '40001', '40P01', '53100', '53300', '55P03', '57014', '57P01', '57P03', '58030'])(
    'SQLSTATE %s speaks of the server: the work was not done, try again',
    async (code) => {
      expect(await causeOf(raise(code))).toBe('unavailable');
      expect(
        await causeOf(db.transaction(async (tx) => tx.query(`DO $$ BEGIN RAISE SQLSTATE '${code}'; END $$`))),
      ).toBe('unavailable');
    },
  );

  it.each(['22P02', '23505', '23503', '23514', '42601', '42P01', '25001', '0A000', 'P0001', 'XX000'])(
    'SQLSTATE %s speaks of the statement: a bug, whatever its words are',
    async (code) => {
      expect(await causeOf(raise(code))).toBe(code);
    },
  );

  it.each([
    ['EPIPE', 'write EPIPE'],
    ['ECONNRESET', 'read ECONNRESET'],
    ['ETIMEDOUT', 'connect ETIMEDOUT 192.0.2.1:5432'],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db'],
    ['EHOSTUNREACH', ''],
    [undefined, 'Query read timeout'],
    [undefined, 'Connection terminated unexpectedly'],
    [undefined, 'timeout exceeded when trying to connect'],
    [undefined, 'Client has encountered a connection error and is not queryable'],
  ])('of the driver, %s %j: the server is away', (code, message) => {
    expect(translate(Object.assign(new Error(message), { code }))).toBeInstanceOf(DatabaseUnavailable);
  });

  it('of anything else stay what they are', () => {
    for (const other of [
      new Error('x'),
      Object.assign(new Error('no'), { code: 'ENOENT' }),
      'timeout',
      undefined,
      null,
    ]) {
      expect(translate(other)).toBe(other);
    }
  });

  it('keep what happened as their cause, for the log', async () => {
    await expect(raise('57P01')).rejects.toMatchObject({
      name: 'DatabaseUnavailable',
      message: 'the database is not available',
      cause: { code: '57P01' },
    });
  });

  it('a write to a standby is unavailable, not a bug (F-06)', async () => {
    const attempt = db.transaction(async (tx) => {
      await tx.query('SET TRANSACTION READ ONLY');
      await write(tx, 1);
    });
    expect(await causeOf(attempt)).toBe('unavailable');
  });
});

describe('a server that is away', () => {
  it.each([
    ['nobody listens', async () => `postgres://x@127.0.0.1:${await unusedPort()}/x`],
    ['nobody listens, under a name', async () => `postgres://x@localhost:${await unusedPort()}/x`],
    ['there is no such host', () => Promise.resolve('postgres://x@nowhere.invalid/x')],
  ])('is told when %s', async (_, address) => {
    const away = open(await address());
    expect(await causeOf(away.query('SELECT 1'))).toBe('unavailable');
    expect(await causeOf(away.transaction((tx) => tx.query('SELECT 1')))).toBe('unavailable');
    await away.close();
  });

  it('is told after closing: a straggler is sent away, nothing is a bug', async () => {
    const closed = open(own.url);
    await closed.close();
    expect(await causeOf(closed.query('SELECT 1'))).toBe('unavailable');
  });

  it('comes back by itself after every idle connection was killed (R-62, R-66)', async () => {
    await Promise.all(Array.from({ length: 8 }, () => db.query('SELECT pg_sleep(0.02)')));
    await killBackends();
    await meetTheDead();
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(idleErrors.length).toBeGreaterThan(0);
  });

  it('takes back what was in a transaction, and says so', async () => {
    const attempt = db.transaction(async (tx) => {
      await write(tx, 1);
      await killBackends();
      await write(tx, 2);
    });
    expect(await causeOf(attempt)).toBe('unavailable');
    await meetTheDead();
    expect(await ids()).toEqual([]);
  });

  it('is told to whoever commits after the connection died', async () => {
    const attempt = db.transaction(async (tx) => {
      await write(tx, 1);
      await killBackends();
    });
    expect(await causeOf(attempt)).toBe('unavailable');
    await meetTheDead();
    expect(await ids()).toEqual([]);
  });

  it('breaks a statement under way', async () => {
    const attempt = causeOf(db.query('SELECT pg_sleep(2)'));
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(2)%' AND state = 'active'";
    while ((await admin.query(waiting)).length === 0);
    await killBackends();
    expect(await attempt).toBe('unavailable');
    await meetTheDead();
  });
});

/** Deadlines are seconds long: these wait for theirs at the same time. */
describe('deadlines (R-64, R-66)', () => {
  interface Outcome {
    readonly told: unknown;
    readonly seconds: number;
  }
  async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
    const began = performance.now();
    const told = await causeOf(work);
    return { told, seconds: (performance.now() - began) / 1000 };
  }

  async function longStatement(): Promise<Outcome[]> {
    return [await outcomeOf(db.query('SELECT pg_sleep(10)'))];
  }

  async function heldLock(): Promise<Outcome[]> {
    return db.transaction(async (holder) => {
      await write(holder, 1);
      return [await outcomeOf(write(db, 1))];
    });
  }

  /** The network swallows everything (F-23): nobody may wait for the answer to a ROLLBACK either. */
  async function deadNetwork(): Promise<Outcome[]> {
    const proxy = await startTcpProxy(() => [Number(new URL(own.url).port)]);
    const url = new URL(own.url);
    url.port = String(proxy.port);
    const behind = open(url.href, { maxConnections: 1 });
    const outcome = await outcomeOf(
      behind.transaction(async (tx) => {
        await write(tx, 2);
        proxy.blackhole();
        await write(tx, 3);
      }),
    );
    proxy.heal();
    const found = await behind.query('SELECT id FROM notes WHERE id IN (2, 3)');
    await behind.close();
    await proxy.stop();
    return found.length === 0 ? [outcome] : [];
  }

  /** One connection, taken; 520 callers at once. */
  async function fullPool(): Promise<Outcome[]> {
    const narrow = open(own.url, { maxConnections: 1 });
    const outcomes = await narrow.transaction(async (tx) => {
      await tx.query('SELECT 1');
      return Promise.all(Array.from({ length: 520 }, () => outcomeOf(narrow.query('SELECT 1'))));
    });
    await narrow.query('SELECT 1');
    await narrow.close();
    return outcomes;
  }

  const scenarios = { longStatement, heldLock, deadNetwork, fullPool };
  const results: Partial<Record<keyof typeof scenarios, readonly Outcome[]>> = {};
  beforeEach(async () => {
    if (results.fullPool !== undefined) return;
    const names = Object.keys(scenarios) as (keyof typeof scenarios)[];
    await Promise.all(
      names.map(async (name) => {
        results[name] = await scenarios[name]();
      }),
    );
  });

  it.each([
    ['a statement', 'longStatement', 2.5],
    ['the wait for a lock', 'heldLock', 1],
    ['a transaction over a dead network', 'deadNetwork', 3],
  ] as const)('end %s', (_, name, seconds) => {
    const [outcome] = results[name] ?? [];
    expect(outcome?.told).toBe('unavailable');
    expect(outcome?.seconds).toBeGreaterThan(seconds - 0.2);
    expect(outcome?.seconds).toBeLessThan(seconds + 1);
  });

  it('send callers away from a full pool: after two seconds, and those beyond 500 at once', () => {
    const all = results.fullPool ?? [];
    expect(new Set(all.map(({ told }) => told))).toEqual(new Set(['unavailable']));
    expect(all.filter(({ seconds }) => seconds < 1)).toHaveLength(20);
    expect(Math.max(...all.map(({ seconds }) => seconds))).toBeLessThan(3.4);
  });
});

it('answers random bytes of any length alike', async () => {
  for (const length of [0, 1, 1_000, 100_000]) {
    const bytes = randomBytes(length);
    expect(await db.query('SELECT $1::bytea AS bytes', [bytes])).toEqual([{ bytes }]);
  }
});
