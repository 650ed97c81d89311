/** PostgreSQL and Redis for one run: those of `DATABASE_URL` and `REDIS_URL`, else private ones, else none. */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { unusedPort } from '../test/support/unused-port.js';
import { cpuMeter, type CpuMeter } from './measure.js';

const run = promisify(execFile);

/** Something that was started and has to be stopped; later ones are stopped first. */
export type Closers = (() => Promise<unknown>)[];

export interface Store {
  /** Undefined: what the server brings itself. */
  readonly url: string | undefined;
  /** As the report names it. */
  readonly name: string;
  readonly cpu: CpuMeter;
}

export interface Place {
  /** A folder of this run alone. */
  readonly folder: string;
  readonly closers: Closers;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '']);

async function ask<Row extends object>(url: string, statement: string): Promise<Row | undefined> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows[0];
  } finally {
    await client.end();
  }
}

const parentOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
};

/** The postmaster behind a server of this machine, by asking a backend who it is while it lives. */
async function findPostmaster(url: string): Promise<number | undefined> {
  if (!LOOPBACK.has(new URL(url).hostname)) return undefined;
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const pid = rows[0]?.pid ?? 0;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return name.trim() === 'postgres' ? await parentOf(pid) : undefined;
  } finally {
    await client.end();
  }
}

/** A database of its own on a server, dropped afterwards: nothing that is there is touched. */
async function scratchDatabase(server: string, closers: Closers): Promise<string> {
  const name = `sso_asn_bench_${randomBytes(4).toString('hex')}`;
  await ask(server, `CREATE DATABASE ${name}`);
  closers.push(() => ask(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function startPostgres(bin: string, { folder, closers }: Place): Promise<string> {
  const isRoot = process.getuid?.() === 0;
  const as = (program: string, ...args: string[]): Promise<unknown> =>
    isRoot
      ? run('runuser', ['-u', 'postgres', '--', join(bin, program), ...args], { cwd: '/' })
      : run(join(bin, program), args);
  const data = join(folder, 'postgres');
  await mkdir(data, { mode: 0o700 });
  if (isRoot) await run('chown', ['postgres', data]);
  await as('initdb', '-D', data, '-U', 'sso', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8');
  const port = await unusedPort();
  // Nothing of durability is given up: what is measured must be what production does.
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c shared_buffers=256MB`;
  closers.push(() => as('pg_ctl', '-D', data, '-m', 'immediate', 'stop'));
  await as('pg_ctl', '-D', data, '-l', join(data, 'log'), '-w', '-o', settings, 'start');
  return `postgres://sso@127.0.0.1:${port}/postgres`;
}

/** The embedded database of the server's own: its process by the file that PostgreSQL keeps beside its data. */
const embedded = (dataDir: string): Store => ({
  url: undefined,
  name: 'embedded PostgreSQL',
  cpu: cpuMeter(async () => {
    const home = await readFile(join(dataDir, 'postgres.location'), 'utf8').catch(() => dataDir);
    const pid = await readFile(join(home.trim(), 'postgres', 'postmaster.pid'), 'utf8').catch(() => undefined);
    return pid === undefined ? undefined : Number(pid.split('\n', 1)[0]);
  }),
});

export async function openPostgres(place: Place & { readonly dataDir: string }): Promise<Store> {
  const given = process.env.DATABASE_URL;
  const bin = globSync('/usr/lib/postgresql/*/bin')
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
  if (given === undefined && bin === undefined) return embedded(place.dataDir);
  const server = given ?? (await startPostgres(bin ?? '', place));
  const url = await scratchDatabase(server, place.closers);
  const version = await ask<{ server_version: string }>(url, 'SHOW server_version');
  const postmaster = await findPostmaster(url);
  return {
    url,
    name: `PostgreSQL ${version?.server_version.split(' ')[0] ?? ''}${given === undefined ? '' : ' (given)'}`,
    cpu: cpuMeter(() => Promise.resolve(postmaster)),
  };
}

async function startRedis({ folder, closers }: Place): Promise<string | undefined> {
  const port = await unusedPort();
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawn('redis-server', options, { stdio: 'ignore' });
  const ended = once(server, 'exit').catch(() => undefined);
  if (server.pid === undefined) return undefined;
  closers.push(async () => {
    server.kill('SIGKILL');
    await ended;
  });
  return `redis://127.0.0.1:${port}`;
}

async function aboutRedis(url: string): Promise<{ version: string; pid: number }> {
  const client = new Redis(url, { retryStrategy: (attempt) => (attempt > 50 ? null : 100) });
  client.on('error', () => undefined);
  try {
    const info = await client.info('server');
    const field = (name: string): string => new RegExp(`^${name}:(.*)\r?$`, 'm').exec(info)?.[1]?.trim() ?? '';
    return { version: field('redis_version'), pid: Number(field('process_id')) };
  } finally {
    client.disconnect();
  }
}

export async function openRedis(place: Place): Promise<Store> {
  const given = process.env.REDIS_URL;
  const url = given ?? (await startRedis(place));
  if (url === undefined) {
    return { url, name: 'no Redis', cpu: () => Promise.resolve(0) };
  }
  await pause(50);
  const { version, pid } = await aboutRedis(url);
  const isHere = LOOPBACK.has(new URL(url).hostname) && existsSync(`/proc/${pid}`);
  return {
    url,
    name: `Redis ${version}${given === undefined ? '' : ' (given)'}`,
    cpu: cpuMeter(() => Promise.resolve(isHere ? pid : undefined)),
  };
}
