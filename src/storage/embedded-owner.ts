import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from './embedded-error.js';

/**
 * Who PostgreSQL runs as. It refuses to run as root, which small servers and containers are, so root becomes
 * somebody else: an unprivileged id in a user namespace, which still owns root's files, or the user `nobody`.
 */
export interface Owner {
  /** Where the data lies: DATA_DIR, or a place that `user` can reach. */
  readonly home: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** The words in front of every command. */
  readonly wrapper: readonly string[];
}

const UNSHARE = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];
const ELSEWHERE = '/var/lib/sso-asn';

/** What a program printed, or nothing when it is missing or failed. */
const answerOf = (program: string, ...args: string[]): Promise<string | undefined> =>
  promisify(execFile)(program, args).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

async function findNobody(): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([answerOf('id', '-u', 'nobody'), answerOf('id', '-g', 'nobody')]);
  if (uid === undefined || gid === undefined) {
    throw new EmbeddedPostgresError('PostgreSQL does not run as root: be another user, or set DATABASE_URL');
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** DATA_DIR may lie below a folder that only root may enter: `nobody` gets a place of its own, noted in DATA_DIR. */
async function moveElsewhere(dataDir: string): Promise<string> {
  const home = join(ELSEWHERE, createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
  await mkdir(home, { recursive: true });
  for (const folder of [ELSEWHERE, home]) await chmod(folder, 0o711);
  await writeFile(join(dataDir, 'postgres.location'), `${home}\n`);
  return home;
}

/**
 * Decides how to run PostgreSQL for a data directory. Data that exists decides by its owner, so the way chosen
 * at first stays the way. Refuses data of another user.
 */
export async function findOwner(dataDir: string): Promise<Owner> {
  const noted = await readFile(join(dataDir, 'postgres.location'), 'utf8').catch(() => dataDir);
  const home = noted.trim();
  const data = await stat(join(home, 'postgres')).catch(() => undefined);
  const me = process.getuid?.();
  if (me !== 0) {
    if (me === undefined || data === undefined || data.uid === me) return { home, wrapper: [] };
    throw new EmbeddedPostgresError(`the database in ${home} belongs to another user: be that user, or set DATA_DIR`);
  }
  if (data !== undefined && data.uid !== 0) return { home, wrapper: [], user: { uid: data.uid, gid: data.gid } };
  const [unshare = '', ...args] = UNSHARE;
  if ((await answerOf(unshare, ...args, 'true')) !== undefined) return { home, wrapper: UNSHARE };
  if (data === undefined) return { home: await moveElsewhere(dataDir), wrapper: [], user: await findNobody() };
  throw new EmbeddedPostgresError(`the database in ${home} belongs to root, and this machine does not let root run it`);
}

/** Whether a process with this id exists, be it ours or not. */
export function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Runs a program as the owner to its end; what it says is appended to `logFile`. Answers the exit code. */
export async function runAs(owner: Owner, command: readonly string[], logFile: string): Promise<number> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const [program = '', ...args] = [...owner.wrapper, ...command];
    const child = spawn(program, args, {
      cwd: owner.home,
      stdio: ['ignore', log.fd, log.fd],
      windowsHide: true,
      ...owner.user,
    });
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => {
        reject(new EmbeddedPostgresError(`cannot run ${program}`, error));
      });
      child.once('exit', (code) => {
        resolve(code ?? 1);
      });
    });
  } finally {
    await log.close();
  }
}
