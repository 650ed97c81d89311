import { execFile } from 'node:child_process';
import { readFile, realpath, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster } from './embedded-cluster.js';
import { EmbeddedPostgresError } from './embedded-error.js';
import { runAs } from './embedded-owner.js';

/** What a pid stands for. An ended process that its parent has not looked after (a zombie) is not alive. */
async function processAt(pid: number): Promise<'postgres' | 'other' | 'none'> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'none' : 'other';
  }
  if (process.platform === 'win32') return 'postgres';
  try {
    if (process.platform === 'linux') {
      const status = await readFile(`/proc/${pid}/stat`, 'utf8');
      return /\(postgres\) [^Z]/.test(status) ? 'postgres' : 'other';
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'comm=', '-p', String(pid)]);
    return basename(stdout.trim()) === 'postgres' ? 'postgres' : 'other';
  } catch {
    return 'none';
  }
}

/** Process id, data directory, start time and port, each in a line of its own; nothing when there is no such file. */
async function readPidFile(data: string): Promise<string[]> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  return text.split('\n', 4).filter((line) => line !== '');
}

/**
 * The port of the server that runs on this data, or nothing. After a crash its pid file outlives it: the pid may be
 * nobody's, or a zombie's, or after a reboot any process's, or the whole folder may be a copy of another one.
 * PostgreSQL sees through the first case only and would refuse to start in the others, so the file is removed there.
 */
export async function findServer({ data }: Cluster): Promise<number | undefined> {
  const [pid, folder, started, port] = await readPidFile(data);
  if (port === undefined || folder === undefined) return undefined;
  const found = await processAt(Number(pid));
  if (found === 'none') return undefined;
  const itsData = await realpath(folder).catch(() => undefined);
  if (found === 'postgres' && itsData === (await realpath(data))) return Number(port);
  const [samePid, , sameStart] = await readPidFile(data);
  if (samePid === pid && sameStart === started) await rm(join(data, 'postmaster.pid'), { force: true });
  return undefined;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });

const TIMEOUT_SECONDS = 60;

/** Small enough for a laptop. No durability is traded away: fsync and synchronous_commit stay on. */
const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=', // A socket's path may not exceed 107 bytes; DATA_DIR may.
  'shared_buffers=64MB',
  'max_connections=100',
  'timezone=UTC',
  'log_timezone=UTC',
  // A constraint violation's detail and statement would put a NIP into the log.
  'log_error_verbosity=terse',
  'log_min_error_statement=panic',
];

/** Another process was faster, a killed server's children still linger, or the port was taken meanwhile. */
const PASSING = /lock file "[^"]*" (?:already exists|is empty)|shared memory block|could not bind/;

/**
 * Starts the server in a session of its own, so that Ctrl-C ends the program first and the program the server.
 * Answers false when something that passes was in the way; refuses with the server's own words otherwise.
 */
export async function startServer({ owner, bin, data, logFile }: Cluster): Promise<boolean> {
  const before = (await readFile(logFile).catch(() => Buffer.alloc(0))).length;
  const options = [`-p ${String(await freePort())}`, ...SETTINGS.map((setting) => `-c ${setting}`)].join(' ');
  const code = await runAs(
    owner,
    [
      join(bin, 'pg_ctl'),
      'start',
      '--wait',
      `--timeout=${TIMEOUT_SECONDS}`,
      `--pgdata=${data}`,
      `--options=${options}`,
    ],
    logFile,
  );
  if (code === 0) return true;
  const said = (await readFile(logFile)).subarray(before).toString();
  if (PASSING.test(said)) return false;
  const reason = /(?:FATAL|PANIC|ERROR|pg_ctl|postgres): +(.*)/.exec(said)?.[1] ?? 'no reason given';
  throw new EmbeddedPostgresError(`the embedded PostgreSQL does not start: ${reason} (see ${logFile})`);
}

/**
 * Ends the server: clients are disconnected, everything committed is kept. pg_ctl's own waiting is not used: it would
 * also wait for a server that another process starts in the same moment.
 */
export async function stopServer({ owner, bin, data, logFile }: Cluster): Promise<void> {
  const [running] = await readPidFile(data);
  await runAs(owner, [join(bin, 'pg_ctl'), 'stop', '--no-wait', '--mode=fast', `--pgdata=${data}`], logFile);
  const deadline = AbortSignal.timeout(TIMEOUT_SECONDS * 1000);
  while (!deadline.aborted && running !== undefined && (await readPidFile(data))[0] === running) await pause(20);
}
