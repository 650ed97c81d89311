import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILDS = join(ROOT, 'node_modules', '.cache', 'sso-asn');
/** Nobody runs a build for so long. */
const OLD_MS = 3_600_000;

/** Changes with every change of a source file. */
async function stateOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const names = await readdir(join(ROOT, 'src'), { recursive: true });
  for (const name of names.filter((each) => each.endsWith('.ts')).sort()) {
    const { mtimeMs, size } = await stat(join(ROOT, 'src', name));
    hash.update(`${name} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(place: string): Promise<void> {
  const draft = await mkdtemp(join(BUILDS, 'draft-'));
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const settings = ['-p', join(ROOT, '.config', 'tsconfig.build.json'), '--outDir', join(draft, 'dist')];
  // Types are the business of another gate.
  await promisify(execFile)(process.execPath, [compiler, ...settings, '--noCheck']);
  await writeFile(join(draft, 'package.json'), '{ "type": "module" }\n');
  for (const folder of ['views', 'migrations']) await symlink(join(ROOT, folder), join(draft, folder));
  // Another test file was faster: its build is as good.
  await rename(draft, place).catch(() => rm(draft, { recursive: true }));
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(BUILDS)) {
    const folder = join(BUILDS, name);
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > OLD_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** The built program as `npm run build` would make it of the sources as they are: the path of its `main.js`. */
export async function builtProgram(): Promise<string> {
  await mkdir(BUILDS, { recursive: true });
  const place = join(BUILDS, await stateOfSources());
  const main = join(place, 'dist', 'main.js');
  if ((await stat(main).catch(() => undefined)) === undefined) {
    await removeOld();
    await build(place);
  }
  return main;
}
