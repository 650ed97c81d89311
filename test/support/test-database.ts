import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Database } from '#src/storage/database.js';
import { openPostgres } from '#src/storage/postgres.js';

export interface TestDatabase {
  readonly url: string;
  /** Also ends whatever is still connected to it. */
  drop(): Promise<void>;
}

/** What test/support/global-setup.ts prepared. */
function prepared(): { server: string; template: string } {
  const {
    SSO_ASN_TEST_SERVER_URL: server,
    SSO_ASN_TEST_TEMPLATE: template,
    SSO_ASN_TEST_PROBLEM: problem,
  } = process.env;
  if (problem !== undefined) throw new Error(problem);
  if (server === undefined || template === undefined) throw new Error('the global setup of the tests did not run');
  return { server, template };
}

async function execute(server: string, statement: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** An empty, migrated database of the caller's own, as a copy of the run's template: about 30 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { server, template } = prepared();
  const name = `${template}_${randomBytes(5).toString('hex')}`;
  await execute(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** The same with a pool on it; `drop` closes the pool first. */
export async function openTestDatabase(): Promise<Database & TestDatabase> {
  const empty = await createTestDatabase();
  const database = openPostgres({ url: empty.url, maxConnections: 10, onIdleError: () => undefined });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= database.close());
  return {
    ...database,
    url: empty.url,
    close,
    drop: async () => {
      await close();
      await empty.drop();
    },
  };
}
