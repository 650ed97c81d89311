import { randomBytes } from 'node:crypto';
import {
  chown,
  cp,
  link,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { findBinaries, type Binaries } from './embedded-binaries.js';
import { EmbeddedPostgresError } from './embedded-error.js';
import { findOwner, lives, runAs, type Owner } from './embedded-owner.js';

/** The superuser of the embedded database; the program, its migrations and its commands all connect as it. */
export const USER = 'sso_asn';

/** A data directory that PostgreSQL can be started on (PostgreSQL calls it a database cluster). */
export interface Cluster {
  readonly owner: Owner;
  /** Holds pg_ctl and its kin. */
  readonly bin: string;
  /** PostgreSQL's own data directory. */
  readonly data: string;
  readonly password: string;
  readonly logFile: string;
}

const DRAFT = /^postgres\.new-(\d+)-/;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Writes a file that several processes may want to write first; all of them get what the first one wrote. */
async function writeOnce(path: string, text: string): Promise<string> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
  await file.close();
  await link(draft, path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readFile(path, 'utf8');
}

/** A user who may not enter our folders gets a copy of the binaries. */
async function placeBinaries({ native, version }: Binaries, owner: Owner, dataDir: string): Promise<string> {
  if (owner.home === dataDir) return join(native, 'bin');
  const place = join(owner.home, `native-${version}`);
  if (!(await exists(place))) {
    const draft = await mkdtemp(join(owner.home, 'native.new-'));
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await promisify(execFile)('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, place).catch(() => rm(draft, { recursive: true })); // Another process was faster.
  }
  return join(place, 'bin');
}

/**
 * Makes the data directory in a draft folder and moves it into place in one step: a killed first start leaves
 * nothing half made, and of two racing ones both get the directory of the faster.
 */
async function initialise(cluster: Cluster): Promise<void> {
  const { owner, bin, data, password, logFile } = cluster;
  const draft = await mkdtemp(join(owner.home, `postgres.new-${process.pid}-`));
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner.user !== undefined) {
    for (const path of [draft, passwordFile]) await chown(path, owner.user.uid, owner.user.gid);
  }
  const code = await runAs(
    owner,
    [
      join(bin, 'initdb'),
      `--pgdata=${join(draft, 'data')}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ],
    logFile,
  );
  const moved =
    code === 0 &&
    (await rename(join(draft, 'data'), data).then(
      () => true,
      () => false,
    ));
  await rm(draft, { recursive: true, force: true });
  if (!moved && !(await exists(join(data, 'PG_VERSION')))) {
    throw new EmbeddedPostgresError(`cannot make the embedded database in ${data}: see ${logFile}`);
  }
}

/** A first start that was killed leaves its draft behind. */
async function removeDrafts(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = DRAFT.exec(name)?.[1];
    if (pid !== undefined && !lives(Number(pid))) await rm(join(home, name), { recursive: true, force: true });
  }
}

const PASSWORD_FILE = 'postgres.password';

/** Whether a database was ever begun in this folder. */
export const hasCluster = (dataDir: string): Promise<boolean> => exists(join(dataDir, PASSWORD_FILE));

/** Finds the data directory in `dataDir` or makes it. Refuses data of another major version of PostgreSQL. */
export async function openCluster(dataDir: string): Promise<Cluster> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const root = await realpath(dataDir);
  const binaries = await findBinaries();
  const owner = await findOwner(root);
  const data = join(owner.home, 'postgres');
  const versionFile = join(data, 'PG_VERSION');
  const found = await readFile(versionFile, 'utf8').catch(() => undefined);
  if (found !== undefined && found.trim() !== binaries.major) {
    throw new EmbeddedPostgresError(
      `${data} was written by PostgreSQL ${found.trim()} and this is ${binaries.major}: dump and restore it, or set another DATA_DIR`,
    );
  }
  const passwordFile = join(root, PASSWORD_FILE);
  if (found !== undefined && !(await exists(passwordFile))) {
    throw new EmbeddedPostgresError(`${passwordFile} is missing, and ${data} cannot be opened without it`);
  }
  const cluster: Cluster = {
    owner,
    bin: await placeBinaries(binaries, owner, root),
    data,
    password: await writeOnce(passwordFile, randomBytes(24).toString('base64url')),
    logFile: join(root, 'postgres.log'),
  };
  if (found === undefined) {
    await removeDrafts(owner.home);
    await initialise(cluster);
  }
  return cluster;
}
