import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../support/temporary-folder.js';

/** The registrations that ship, and one more. */
export async function writeClientsFile(client: object): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const shipped = JSON.parse(await readFile('config/clients.json', 'utf8')) as object[];
  const folder = await makeTemporaryFolder('sso-asn-clients-');
  const path = join(folder, 'clients.json');
  await writeFile(path, JSON.stringify([...shipped, client]));
  return { path, remove: () => rm(folder, { recursive: true }) };
}
