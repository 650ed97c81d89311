import { readdirSync } from 'node:fs';
import type { Log } from '#src/kernel/log.js';
import type { Database } from '#src/storage/database.js';
import { migrate, pendingMigrations } from '#src/storage/migrate.js';
import { openPostgres } from '#src/storage/postgres.js';
import { eventually } from '../support/processes.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const names = readdirSync(new URL('../../migrations', import.meta.url))
  .map((file) => file.replace(/\.\w+$/, ''))
  .sort();

const errors: string[] = [];
const silent = (): undefined => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: (message) => void errors.push(message) };

let own: TestDatabase;
let db: Database;
/** A database with nothing in it. */
beforeEach(async () => {
  own = await createTestDatabase();
  db = openPostgres({ url: own.url, maxConnections: 2, onIdleError: silent });
  await db.query('DROP SCHEMA public CASCADE');
  await db.query('CREATE SCHEMA public');
  errors.length = 0;
});
afterEach(async () => {
  await db.close();
  // A migration is done when its connection was told to close, which may take that a moment more.
  const alone = openPostgres({ url: own.url, maxConnections: 1, onIdleError: silent });
  await eventually('every migration to hang up', async () => {
    const others = await alone.query(
      'SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    return others.length === 0;
  });
  await alone.close();
  await own.drop();
});

/** Tables, columns, keys and indexes, as PostgreSQL tells them. */
const schemaOf = (of: Database) =>
  of.query(`
    SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace
    ORDER BY line`);

describe('migrations', () => {
  it('bring an empty database up, in order, once', async () => {
    expect(await pendingMigrations(db)).toEqual(names);
    expect(await migrate({ url: own.url, log })).toEqual(names);
    expect(await pendingMigrations(db)).toEqual([]);
    expect(await migrate({ url: own.url, log })).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('are applied once by three that start together, and none of them fails (F-16)', async () => {
    const applied = await Promise.all(Array.from({ length: 3 }, () => migrate({ url: own.url, log })));
    expect(applied.flat()).toEqual(names);
    expect((await db.query('SELECT name FROM schema_migrations ORDER BY id')).map(({ name }) => name)).toEqual(names);
  });

  it('that are not yet in the database are named, so that serve can refuse to start', async () => {
    await migrate({ url: own.url, log });
    const last = names.at(-1);
    await db.query('DELETE FROM schema_migrations WHERE name = $1', [last]);
    expect(await pendingMigrations(db)).toEqual([last]);
  });

  it('of a newer program do not count as pending: both versions may run at once (R-70)', async () => {
    await migrate({ url: own.url, log });
    await db.query("INSERT INTO schema_migrations (name, run_on) VALUES ('9999_later', $1)", [new Date()]);
    expect(await pendingMigrations(db)).toEqual([]);
  });

  it('leave nothing of one that fails, keep what came before, and go on from there once it is mended', async () => {
    await db.query('CREATE TABLE accounts (nothing int)');
    await expect(migrate({ url: own.url, log })).rejects.toThrow('accounts');
    expect(errors.length).toBeGreaterThan(0);
    const pending = await pendingMigrations(db);
    expect(pending).toEqual(names.slice(1));
    // The tables that the failed file makes before it comes to the one in its way.
    expect(await db.query("SELECT 1 FROM pg_tables WHERE tablename = 'agencies'")).toEqual([]);
    await db.query('DROP TABLE accounts');
    expect(await migrate({ url: own.url, log })).toEqual(pending);
  });

  it('give every database the same schema', async () => {
    await migrate({ url: own.url, log });
    const copy = await createTestDatabase();
    const other = openPostgres({ url: copy.url, maxConnections: 1, onIdleError: silent });
    expect(await schemaOf(db)).toEqual(await schemaOf(other));
    await other.close();
    await copy.drop();
  });

  it('have names that sort as they are meant to run, none twice', () => {
    expect(names.filter((name) => !/^\d{4}_[a-z0-9_]+$/.test(name))).toEqual([]);
    expect(new Set(names.map((name) => name.slice(0, 4))).size).toBe(names.length);
  });
});
