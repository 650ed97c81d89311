import './typescript-hooks.js';
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Log } from '../../src/kernel/log.js';
import { openCluster } from '../../src/storage/embedded-cluster.js';
import { lives } from '../../src/storage/embedded-owner.js';
import { startEmbeddedPostgres } from '../../src/storage/embedded-postgres.js';
import { findServer, stopServer } from '../../src/storage/embedded-server.js';
import { migrate } from '../../src/storage/migrate.js';
import { makeTemporaryFolder, temporaryParent } from './temporary-folder.js';

const FOLDER = /^sso-asn-test-(\d+)-/;

const silent = (): undefined => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await work(client).finally(() => client.end());
}

/** A run that was interrupted leaves its server behind: the next run ends it. */
async function sweep(): Promise<void> {
  const parent = await temporaryParent();
  for (const name of await readdir(parent)) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid === undefined || lives(Number(pid))) continue;
    const folder = join(parent, name);
    try {
      const cluster = await openCluster(folder);
      if ((await findServer(cluster)) !== undefined) await stopServer(cluster);
      await removeData(folder);
    } catch {
      // Another user's, or another run sweeps it at this moment.
    }
  }
}

/** Also what lies outside of it, where root must run PostgreSQL as somebody else. */
async function removeData(dataDir: string): Promise<void> {
  const { owner } = await openCluster(dataDir);
  for (const folder of [owner.home, dataDir]) await rm(folder, { recursive: true, force: true });
}

interface Server {
  readonly url: string;
  end(): Promise<void>;
}

async function findServerForTests(): Promise<Server> {
  const given = process.env.TEST_DATABASE_URL ?? process.env.DATABASE_URL;
  if (given !== undefined && given !== '') return { url: given, end: () => Promise.resolve() };
  await sweep();
  const dataDir = await makeTemporaryFolder(`sso-asn-test-${process.pid}-`);
  const embedded = await startEmbeddedPostgres({ dataDir, log });
  // Nothing here must survive a power cut, and a database per test file is mostly fsync.
  await onServer(embedded.url, async (client) => {
    await client.query('ALTER SYSTEM SET fsync = off');
    await client.query("ALTER SYSTEM SET max_wal_size = '128MB'"); // The folder may lie in memory.
    await client.query('SELECT pg_reload_conf()');
  });
  return {
    url: embedded.url,
    end: async () => {
      await embedded.stop();
      await removeData(dataDir);
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
