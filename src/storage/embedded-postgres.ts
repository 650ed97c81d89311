import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../kernel/log.js';
import { openCluster, USER, type Cluster } from './embedded-cluster.js';
import { EmbeddedPostgresError } from './embedded-error.js';
import { findServer, startServer, stopServer } from './embedded-server.js';

export interface EmbeddedPostgres {
  /** For `pg` and `psql`; holds the password. */
  readonly url: string;
  /** False when the server already ran: somebody else's, or one that outlived a killed program. */
  readonly startedHere: boolean;
  /** Ends the server when it was started here and nobody else uses it. Close your own pool before. */
  stop(): Promise<void>;
}

/**
 * An advisory lock that every process using the server holds, shared, on a connection of its own for as long as it
 * uses it. Who wants to end the server takes it exclusively: no user can slip in between the look and the end,
 * and a killed process is gone from the count at once.
 */
const PRESENCE = 7_306_001;

/** A server that comes up, goes down or is full: SQLSTATE class 57P and 53300, or nobody at the port (yet). */
const PASSING = /^(57P0\d|53300|ECONN.*)$/;
const PATIENCE_SECONDS = 60;

interface Presence {
  readonly url: string;
  readonly client: pg.Client;
}

/** Takes part in the server at `port`; nothing when it does not serve at this moment. */
async function enter({ data, password }: Cluster, port: number): Promise<Presence | undefined> {
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, keepAlive: true });
  client.on('error', () => undefined); // A server that goes away says so here; unheard, it would end the process.
  try {
    await client.connect();
    await client.query('SELECT pg_advisory_lock_shared($1)', [PRESENCE]);
    return { url, client };
  } catch (error) {
    await client.end().catch(() => undefined);
    const code = (error as { code?: string }).code;
    if (code === undefined || PASSING.test(code)) return undefined; // Without a code: the driver lost the connection.
    throw new EmbeddedPostgresError(
      `the embedded PostgreSQL on ${data} refuses us: ${(error as Error).message}`,
      error,
    );
  }
}

/** Whether nobody but us is left; if so, nobody can enter any more. */
async function isLast({ client }: Presence): Promise<boolean> {
  await client.query('SELECT pg_advisory_unlock_shared($1)', [PRESENCE]);
  const lock = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [PRESENCE]);
  if (lock.rows[0]?.taken !== true) return false;
  // psql and the like do not hold the lock. The pool we just closed may be counted for a moment longer.
  for (let look = 0; look < 20; look += 1) {
    const others = await client.query(
      "SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1",
    );
    if (others.rowCount === 0) return true;
    await pause(25);
  }
  return false;
}

async function leave(cluster: Cluster, presence: Presence, startedHere: boolean): Promise<void> {
  // A connection that broke means that the server is gone already.
  const end = startedHere && (await isLast(presence).catch(() => false));
  if (end) await stopServer(cluster);
  await presence.client.end().catch(() => undefined);
}

/**
 * A real PostgreSQL with its data in `dataDir`, started or, when one runs on that data, adopted (ADR 0002).
 * Refuses with an {@link EmbeddedPostgresError} when the platform has none or the data cannot be used.
 */
export async function startEmbeddedPostgres(options: { dataDir: string; log: Log }): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(options.dataDir);
  const deadline = AbortSignal.timeout(PATIENCE_SECONDS * 1000);
  let startedHere = false;
  while (!deadline.aborted) {
    const port = await findServer(cluster);
    const presence = port === undefined ? undefined : await enter(cluster, port);
    if (presence !== undefined) {
      options.log.info('embedded PostgreSQL', { port, started: startedHere });
      let left: Promise<void> | undefined;
      return { url: presence.url, startedHere, stop: () => (left ??= leave(cluster, presence, startedHere)) };
    }
    if (port === undefined) startedHere = await startServer(cluster);
    if (!startedHere) await pause(50);
  }
  throw new EmbeddedPostgresError(
    `the embedded PostgreSQL does not answer within ${PATIENCE_SECONDS} s: see ${cluster.logFile}`,
  );
}
