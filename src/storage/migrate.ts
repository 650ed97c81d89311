import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Log } from '../kernel/log.js';
import { grantToApp } from './app-role-store.js';
import { withBulkSession } from './copy.js';
import type { Queryable } from './database.js';

export { isRoleName } from './app-role-store.js';

const DIRECTORY = fileURLToPath(new URL('../../migrations', import.meta.url));
const TABLE = 'schema_migrations';

const files = (): string[] =>
  readdirSync(DIRECTORY)
    .filter((file) => /^\d{4}_.*\.(sql|js)$/.test(file))
    .map((file) => file.replace(/\.[^.]+$/, ''))
    .sort();

/**
 * Applies what is pending, in order, under an advisory lock: two that start together do it once (F-16). Answers
 * the names applied. Needs a role that may change the schema.
 */
export async function migrate({ url, log }: { url: string; log: Log }): Promise<string[]> {
  const applied = await runner({
    databaseUrl: url,
    dir: DIRECTORY,
    direction: 'up',
    migrationsTable: TABLE,
    advisoryLockMode: 'wait',
    checkOrder: true,
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => {
        log.warn('migration warning', { detail: message });
      },
      error: (message) => {
        log.error('migration failed', { detail: message });
      },
    },
  });
  return applied.map(({ name }) => name);
}

/** Gives the program's own role its rights on every table there is now (docs/operations/database-roles.md). */
export const grantTo = (url: string, role: string): Promise<void> =>
  withBulkSession(url, (session) => session.transaction((tx) => grantToApp(tx, role)));

/** Names of the migrations in the program that the database lacks; `serve` refuses to start while there are any. */
export async function pendingMigrations(db: Queryable): Promise<string[]> {
  const [found] = await db.query('SELECT to_regclass($1) IS NOT NULL AS present', [`public.${TABLE}`]);
  if (found?.present !== true) return files();
  const rows = await db.query(`SELECT name FROM ${TABLE}`);
  const done = new Set(rows.map((row) => row.name));
  return files().filter((name) => !done.has(name));
}
