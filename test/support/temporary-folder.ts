import { mkdtemp, realpath, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
const ENOUGH_BYTES = 2 ** 31;

/** Where databases of tests lie: in memory where there is plenty (containers often have 64 MB), else on disk. */
export async function temporaryParent(): Promise<string> {
  const memory = await statfs(MEMORY).catch(() => undefined);
  return memory !== undefined && memory.bavail * memory.bsize > ENOUGH_BYTES ? MEMORY : realpath(tmpdir());
}

/** A new, empty folder for its user alone. The caller removes it. */
export async function makeTemporaryFolder(prefix: string): Promise<string> {
  return mkdtemp(join(await temporaryParent(), prefix));
}
