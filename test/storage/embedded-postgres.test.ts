import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { findBinaries, linkLibraries } from '#src/storage/embedded-binaries.js';
import { openCluster } from '#src/storage/embedded-cluster.js';
import { EmbeddedPostgresError } from '#src/storage/embedded-error.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#src/storage/embedded-postgres.js';
import { findServer, stopServer } from '#src/storage/embedded-server.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';

const silent = (): undefined => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const asRoot = process.getuid?.() === 0;

let folder: string;
/** A data directory that was started and stopped once, with one row in it. */
let dataDir: string;
let handles: EmbeddedPostgres[] = [];
let children: ChildProcess[] = [];

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const embedded = await startEmbeddedPostgres({ dataDir, log });
  handles.push(embedded);
  return embedded;
}

interface Program {
  readonly url: string;
  readonly startedHere: boolean;
  end(how: 'in order' | 'SIGKILL'): Promise<void>;
}

async function startProgram(dataDir: string, path = ''): Promise<Program> {
  const here = dirname(fileURLToPath(import.meta.url));
  const child = spawn(
    process.execPath,
    ['--import', join(here, '../support/typescript-hooks.js'), join(here, 'embedded-child.ts'), dataDir],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, PATH: [path, process.env.PATH].join(delimiter) },
    },
  );
  children.push(child);
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => {
      throw new Error('the program ended before it had a database');
    }),
  ])) as [string];
  return {
    ...(JSON.parse(line) as { url: string; startedHere: boolean }),
    end: async (how) => {
      if (how === 'SIGKILL') child.kill('SIGKILL');
      else child.stdin.end();
      await ended;
    },
  };
}

async function ask(url: string, ...statements: string[]): Promise<Record<string, unknown>> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    let answer: Record<string, unknown> = {};
    for (const statement of statements) answer = (await client.query(statement)).rows[0] as typeof answer;
    return answer;
  } finally {
    await client.end();
  }
}

/** PostgreSQL's own folder: as root it is outside DATA_DIR where user namespaces are refused. */
const dataOf = async (dir: string): Promise<string> => (await openCluster(dir)).data;

const pidFileOf = async (dir: string): Promise<string> => join(await dataOf(dir), 'postmaster.pid');

const pidOf = async (dir: string): Promise<number> =>
  Number((await readFile(await pidFileOf(dir), 'utf8')).split('\n', 1)[0]);

async function postmastersOn(dir: string): Promise<number> {
  const start = `/postgres -D ${await dataOf(dir)} `;
  return execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(start)).length;
}

/** Whatever a test left running. */
async function endServer(dir: string): Promise<void> {
  const cluster = await openCluster(dir);
  if ((await findServer(cluster)) !== undefined) await stopServer(cluster);
}

beforeAll(async () => {
  folder = await makeTemporaryFolder('sso-asn-embedded-');
  dataDir = join(folder, 'data');
  const first = await start(dataDir);
  await ask(first.url, 'CREATE TABLE kept (value text)', "INSERT INTO kept VALUES ('yes')");
  await first.stop();
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const handle of handles) await handle.stop();
  handles = [];
  children = [];
  await endServer(dataDir);
});

afterAll(async () => {
  for (const name of await readdir(folder)) {
    const elsewhere = await readFile(join(folder, name, 'postgres.location'), 'utf8').catch(() => undefined);
    if (elsewhere !== undefined) await rm(elsewhere.trim(), { recursive: true, force: true });
  }
  await rm(folder, { recursive: true, force: true });
});

describe('an embedded PostgreSQL', () => {
  it('keeps data and password for its user alone, listens on loopback only, and is durable', async () => {
    const { url, startedHere } = await start(dataDir);
    expect(startedHere).toBe(true);
    const settings = `SELECT current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS socket,
      current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
      current_setting('password_encryption') AS password, lower('É') AS lower, 'B' < 'a' AS bytewise`;
    expect(await ask(url, settings)).toEqual({
      address: '127.0.0.1',
      socket: '',
      encoding: 'UTF8',
      fsync: 'on',
      password: 'scram-sha-256',
      lower: 'é',
      bytewise: true,
    });
    expect((await stat(join(dataDir, 'postgres.password'))).mode & 0o777).toBe(0o600);
    expect((await stat(await dataOf(dataDir))).mode & 0o777).toBe(0o700);
    const stranger = new URL(url);
    stranger.password = 'guessed';
    await expect(ask(stranger.href, 'SELECT 1')).rejects.toThrow('password authentication failed');
  });

  it('has a process group of its own, so that Ctrl-C does not end it before the program', async () => {
    await start(dataDir);
    const pid = await pidOf(dataDir);
    expect(Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' }))).toBe(pid);
  });

  it('ends with the program and keeps what was committed', async () => {
    const first = await start(dataDir);
    await ask(first.url, "CREATE TABLE restarted AS SELECT 'yes' AS value");
    await first.stop();
    await first.stop();
    expect(await postmastersOn(dataDir)).toBe(0);
    const second = await start(dataDir);
    expect(await ask(second.url, 'SELECT value FROM restarted')).toEqual({ value: 'yes' });
  });

  it('is adopted while it runs, and only who started it ends it', async () => {
    const first = await start(dataDir);
    const second = await start(dataDir);
    expect(second).toMatchObject({ url: first.url, startedHere: false });
    await second.stop();
    expect(await ask(first.url, 'SELECT value FROM kept')).toEqual({ value: 'yes' });
    await first.stop();
    expect(await postmastersOn(dataDir)).toBe(0);
  });

  it('is left running while another program uses it', async () => {
    const first = await start(dataDir);
    const other = await startProgram(dataDir);
    await first.stop();
    expect(await ask(other.url, 'SELECT value FROM kept')).toEqual({ value: 'yes' });
  });

  it('is left running while a plain client uses it', async () => {
    const program = await startProgram(dataDir);
    const client = new pg.Client(program.url);
    await client.connect();
    await program.end('in order');
    expect((await client.query('SELECT value FROM kept')).rows).toEqual([{ value: 'yes' }]);
    await client.end();
  });

  it.each([0, 1, 2, 4, 8, 16, 32, 64])('serves who enters %i ms after another began to leave', async (delay) => {
    const first = await start(dataDir);
    const leaving = first.stop();
    await pause(delay);
    const second = await start(dataDir);
    await leaving;
    expect(await ask(second.url, 'SELECT value FROM kept')).toEqual({ value: 'yes' });
  });

  it('outlives a killed program, and the next one adopts it instead of starting a second', async () => {
    const killed = await startProgram(dataDir);
    expect(killed.startedHere).toBe(true);
    await killed.end('SIGKILL');
    expect(await postmastersOn(dataDir)).toBe(1);
    expect(await start(dataDir)).toMatchObject({ url: killed.url, startedHere: false });
    expect(await postmastersOn(dataDir)).toBe(1);
  });

  it('is started again after it was killed itself, with everything committed', async () => {
    const first = await start(dataDir);
    await ask(first.url, "CREATE TABLE crashed AS SELECT 'yes' AS value");
    process.kill(await pidOf(dataDir), 'SIGKILL');
    const second = await start(dataDir);
    expect(second.startedHere).toBe(true);
    expect(await ask(second.url, 'SELECT value FROM crashed')).toEqual({ value: 'yes' });
  });

  it('is started once when several programs start at once for the first time, and nothing half made stays', async () => {
    const empty = join(folder, 'empty');
    const gone = spawn('true');
    await once(gone, 'exit');
    await mkdir(join(empty, `postgres.new-${gone.pid ?? 0}-left`), { recursive: true });
    const programs = await Promise.all([startProgram(empty), startProgram(empty), start(empty)]);
    expect(programs.filter(({ startedHere }) => startedHere)).toHaveLength(1);
    expect(new Set(programs.map(({ url }) => url)).size).toBe(1);
    expect(await postmastersOn(empty)).toBe(1);
    expect((await readdir(dirname(await dataOf(empty)))).filter((name) => name.includes('.new-'))).toEqual([]);
    await endServer(empty);
  });
});

describe('a pid file that does not speak of this server', () => {
  const leave = async (pid: number): Promise<void> =>
    writeFile(
      await pidFileOf(dataDir),
      [pid, await dataOf(dataDir), 1, 1, '', '127.0.0.1', '', 'ready', ''].join('\n'),
    );

  it('is seen through when the pid is another process by now', async () => {
    await leave(process.pid);
    expect((await start(dataDir)).startedHere).toBe(true);
  });

  it('is seen through when the process has ended but is not reaped, as in a container without init', async () => {
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(parent);
    const [zombie] = (await once(createInterface(parent.stdout), 'line')) as [string];
    await leave(Number(zombie));
    expect((await start(dataDir)).startedHere).toBe(true);
  });

  it('is seen through when it was copied with the folder', async () => {
    const { url } = await start(dataDir);
    const copy = join(folder, 'copy');
    await (await start(copy)).stop();
    await cp(await pidFileOf(dataDir), await pidFileOf(copy));
    const started = await start(copy);
    expect(started.startedHere).toBe(true);
    expect(started.url).not.toBe(url);
  });
});

describe('refuses with one line that says what to do', () => {
  it('data of another major version, and leaves it alone', async () => {
    const versionFile = join(await dataOf(dataDir), 'PG_VERSION');
    const version = await readFile(versionFile, 'utf8');
    await writeFile(versionFile, '15\n');
    await expect(start(dataDir)).rejects.toThrow(/written by PostgreSQL 15 and this is \d+: dump and restore it/);
    await writeFile(versionFile, version);
    expect(await ask((await start(dataDir)).url, 'SELECT value FROM kept')).toEqual({ value: 'yes' });
  });

  it('data whose password is gone', async () => {
    const passwordFile = join(dataDir, 'postgres.password');
    await rename(passwordFile, `${passwordFile}.gone`);
    await expect(start(dataDir)).rejects.toThrow(/postgres\.password is missing/);
    await rename(`${passwordFile}.gone`, passwordFile);
  });

  it('data that PostgreSQL cannot start on, in its own words', async () => {
    const spoilt = join(folder, 'spoilt');
    await (await start(spoilt)).stop();
    await appendFile(join(await dataOf(spoilt), 'postgresql.conf'), 'no_such_setting = 1\n');
    await expect(start(spoilt)).rejects.toThrow(
      /^the embedded PostgreSQL does not start: configuration file .* contains errors \(see .*postgres\.log\)$/,
    );
  });

  it('a platform without binaries', async () => {
    await expect(findBinaries('linux-riscv64')).rejects.toThrow(EmbeddedPostgresError);
    await expect(findBinaries('linux-riscv64')).rejects.toThrow(/linux-riscv64: set DATABASE_URL/);
  });
});

it('makes the library links that npm leaves out when install scripts are off', async () => {
  const { native } = await findBinaries();
  const bare = await mkdtemp(join(tmpdir(), 'sso-asn-links-')); // Memory may be mounted without execution.
  await cp(native, join(bare, 'native'), { recursive: true, filter: (path) => !path.includes('/share') });
  const links = JSON.parse(await readFile(join(bare, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
  for (const { target } of links) await rm(join(bare, target), { force: true });
  const version = (): string =>
    execFileSync(join(bare, 'native/bin/postgres'), ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  expect(version).toThrow(/shared librar|Library not loaded/);
  await Promise.all([linkLibraries(bare), linkLibraries(bare)]);
  expect(version()).toMatch(/PostgreSQL/);
  await rm(bare, { recursive: true });
});

(asRoot ? describe : describe.skip)('started by root', () => {
  it("runs without root's power", async () => {
    await start(dataDir);
    const status = await readFile(`/proc/${await pidOf(dataDir)}/status`, 'utf8');
    expect(/^CapEff:\s+(\w+)$/m.exec(status)?.[1]).toMatch(/^0+$/);
  });

  it('falls back to nobody, with binaries and data outside DATA_DIR, where user namespaces are refused', async () => {
    const refused = join(folder, 'refused');
    const path = join(folder, 'path');
    await mkdir(path);
    await symlink('/bin/false', join(path, 'unshare'));

    const first = await startProgram(refused, path);
    const data = join((await readFile(join(refused, 'postgres.location'), 'utf8')).trim(), 'postgres');
    await ask(first.url, "CREATE TABLE kept AS SELECT 'yes' AS value");
    expect((await stat(data)).uid).toBe(Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })));
    await first.end('in order');
    expect(await postmastersOn(refused)).toBe(0);
    // Namespaces are allowed again: the data stays where it is and whose it is.
    const second = await start(refused);
    expect(second.startedHere).toBe(true);
    expect(await ask(second.url, 'SELECT value FROM kept')).toEqual({ value: 'yes' });
    expect(await dataOf(refused)).toBe(data);
  });
});
