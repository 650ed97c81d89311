import './typescript-hooks.js';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Log } from '../../src/kernel/log.js';
import { openCluster } from '../../src/storage/embedded-cluster.js';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.js';
import { findServer, stopServer } from '../../src/storage/embedded-server.js';
import { migrate } from '../../src/storage/migrate.js';

const FOLDER = /^sso-asn-test-(\d+)-/;

const silent = (): undefined => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await work(client).finally(() => client.end());
}

const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** A run that was interrupted leaves its server behind: the next run ends it. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid === undefined || lives(Number(pid))) continue;
    const folder = join(tmpdir(), name);
    try {
      const cluster = await openCluster(folder);
      if ((await findServer(cluster)) !== undefined) await stopServer(cluster);
      await rm(folder, { recursive: true, force: true });
    } catch {
      // Another user's, or another run sweeps it at this moment.
    }
  }
}

interface Server {
  readonly url: string;
  end(): Promise<void>;
}

async function findServerForTests(): Promise<Server> {
  const given = process.env.TEST_DATABASE_URL ?? process.env.DATABASE_URL;
  if (given !== undefined && given !== '') return { url: given, end: () => Promise.resolve() };
  await sweep();
  const dataDir = await mkdtemp(join(tmpdir(), `sso-asn-test-${process.pid}-`));
  const embedded = await startEmbeddedPostgres({ dataDir, log });
  // Nothing here must survive a power cut, and a database per test file is mostly fsync.
  await onServer(embedded.url, async (client) => {
    await client.query('ALTER SYSTEM SET fsync = off');
    await client.query('SELECT pg_reload_conf()');
  });
  return {
    url: embedded.url,
    end: async () => {
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

let undo: () => Promise<void> = () => Promise.resolve();

/** Called by the global teardown, which Jest runs in this process. */
export const tearDown = (): Promise<void> => undo();

/** One PostgreSQL for the whole run and in it one migrated database, which `createTestDatabase` copies. */
export default async function setUp(): Promise<void> {
  const server = await findServerForTests();
  const template = `sso_asn_test_${randomBytes(5).toString('hex')}`;
  undo = async () => {
    await onServer(server.url, async (client) => {
      const ours = 'SELECT datname FROM pg_database WHERE starts_with(datname, $1)';
      const { rows } = await client.query<{ datname: string }>(ours, [template]);
      for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    });
    await server.end();
  };
  const url = new URL(server.url);
  url.pathname = `/${template}`;
  process.env.SSO_ASN_TEST_SERVER_URL = server.url;
  process.env.SSO_ASN_TEST_TEMPLATE = template;
  await onServer(server.url, (client) => client.query(`CREATE DATABASE ${template}`));
  await migrate({ url: url.href, log }).catch((error: unknown) => {
    // Tests that need no database still run; the others say why they cannot.
    process.env.SSO_ASN_TEST_PROBLEM = `the migrations do not apply: ${String(error)}`;
  });
}
