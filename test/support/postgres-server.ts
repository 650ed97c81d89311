import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { openCluster, USER } from '#src/storage/embedded-cluster.js';
import { runAs } from '#src/storage/embedded-owner.js';
import { migrate } from '#src/storage/migrate.js';
import { unusedPort } from './unused-port.js';
import { quietLog } from './quiet-log.js';
import { makeTemporaryFolder } from './temporary-folder.js';

/** A PostgreSQL of one's own, to be crashed, stopped and frozen. It comes back at the same address. */
export interface PostgresServer {
  /** Of its one, migrated database. */
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  /** `immediate` is a crash: nothing is written any more. `fast` disconnects everybody and writes what there is. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** Every connection that is open now keeps silent until the answer is called. */
  freezeBackends(): Promise<() => void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'shared_buffers=32MB',
];

export async function startPostgresServer(): Promise<PostgresServer> {
  // Named as the run's own server: if this run is interrupted, the next one ends it (global-setup.ts).
  const folder = await makeTemporaryFolder(`sso-asn-test-${process.pid}-`);
  const { owner, bin, data, password, logFile } = await openCluster(folder);
  const port = await unusedPort();
  const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;

  async function control(...words: string[]): Promise<void> {
    const code = await runAs(owner, [join(bin, 'pg_ctl'), ...words, '--wait', `--pgdata=${data}`], logFile);
    if (code !== 0) throw new Error(`pg_ctl ${words[0] ?? ''} failed: see ${logFile}`);
  }
  // A crash of the program is tested here, not one of the machine: what was handed to the kernel is kept.
  const options = [`-p ${port}`, ...[...SETTINGS, 'fsync=off'].map((setting) => `-c ${setting}`)].join(' ');
  const start = (): Promise<void> => control('start', `--options=${options}`);
  const stop = (mode: 'fast' | 'immediate'): Promise<void> => control('stop', `--mode=${mode}`);

  async function backends(): Promise<number[]> {
    const client = new pg.Client(url);
    await client.connect();
    try {
      const { rows } = await client.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
      );
      return rows.map(({ pid }) => pid);
    } finally {
      await client.end();
    }
  }

  await start();
  await migrate({ url, log: quietLog() });
  return {
    url,
    port,
    start,
    stop,
    async freezeBackends() {
      const pids = await backends();
      const tell = (signal: NodeJS.Signals): void => {
        for (const pid of pids) {
          try {
            process.kill(pid, signal);
          } catch {
            // It has ended.
          }
        }
      };
      tell('SIGSTOP');
      return () => {
        tell('SIGCONT');
      };
    },
    async remove() {
      await stop('immediate').catch(() => undefined);
      for (const place of [owner.home, folder]) await rm(place, { recursive: true, force: true });
    },
  };
}
