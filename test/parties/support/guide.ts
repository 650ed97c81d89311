import { readFile } from 'node:fs/promises';

/** docs/relying-parties.md, whose examples the tests run as they stand there. */
export const guide = (): Promise<string> => readFile('docs/relying-parties.md', 'utf8');

/** The example that the page marks with this name of a file. */
export async function example(name: string): Promise<string> {
  const [, after] = (await guide()).split(`<!-- file: ${name} -->`);
  const block = /^\s*```\w+\n([\s\S]*?)\n```/.exec(after ?? '')?.[1];
  if (block === undefined) throw new Error(`docs/relying-parties.md has no example ${name}`);
  return block;
}

/** Every registration that the page shows whole. */
export async function registrations(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const blocks = (await guide()).matchAll(/<!-- registration -->\s*```json\n([\s\S]*?)\n\s*```/g);
  return [...blocks].map(([, text = '']) => JSON.parse(text) as Record<string, unknown>);
}

/** One of them, with the addresses that a test has in place of the page's. */
export async function registration(clientId: string, addresses: Readonly<Record<string, string>>): Promise<object> {
  const found = (await registrations()).find(({ client_id: id }) => id === clientId);
  if (found === undefined) throw new Error(`docs/relying-parties.md has no registration ${clientId}`);
  return JSON.parse(replaced(JSON.stringify(found), addresses)) as object;
}

export const replaced = (text: string, addresses: Readonly<Record<string, string>>): string =>
  Object.entries(addresses).reduce((done, [from, to]) => done.replaceAll(from, to), text);
