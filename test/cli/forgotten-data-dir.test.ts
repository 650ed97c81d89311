import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgram } from '#src/cli/program.js';
import { makeTemporaryFolder } from '../support/temporary-folder.js';

it('a command that asks about what is there says that its database is new', async () => {
  const folder = await makeTemporaryFolder('sso-asn-forgotten-');
  const said: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  const before = { ...process.env };
  const dataDir = join(folder, 'data');
  delete process.env.DATABASE_URL;
  process.env.DATA_DIR = dataDir;
  Object.assign(process.stderr, { write: (text: string) => said.push(text) > 0 });
  try {
    await createProgram().parseAsync(['roles', 'list', '--nip', '198609262015051001'], { from: 'user' });
    expect(process.exitCode).toBe(1);
  } finally {
    Object.assign(process.stderr, { write });
    delete process.env.DATA_DIR;
    Object.assign(process.env, before);
    process.exitCode = undefined;
  }
  expect(said.join('')).toContain(`a new, empty database begins in ${dataDir}; is DATA_DIR or DATABASE_URL set?`);
  expect(await readdir(dataDir)).not.toEqual([]);
  await rm(folder, { recursive: true });
});
