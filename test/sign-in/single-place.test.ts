import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url));

/** Where in the sources something is called: files, once for each call. */
async function callsOf(pattern: RegExp): Promise<string[]> {
  const files = (await readdir(SOURCES, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  const found: string[] = [];
  for (const file of files) {
    const text = await readFile(`${SOURCES}/${file}`, 'utf8');
    for (const [line] of text.matchAll(/^.*$/gm)) {
      const isComment = /^\s*(\*|\/\/|\/\*)/.test(line);
      if (!isComment && pattern.test(line)) found.push(file);
    }
  }
  return found;
}

describe('our word for a person (R-02)', () => {
  it('is given to the provider in one place', async () => {
    expect(await callsOf(/\binteractionResult\(/)).toEqual([
      // The person's yes to a device, which says nothing of who it is.
      'oidc/device/device-requests.ts',
      'oidc/login/interactions.ts',
    ]);
    expect(await callsOf(/\{ login \}/)).toEqual(['oidc/login/interactions.ts']);
    expect(await callsOf(/\binteractionFinished\b/)).toEqual([]);
    expect(await callsOf(/\bloginAccount\(/)).toEqual([]);
  });

  it('is given by sign-in in one place', async () => {
    expect(await callsOf(/\binteractions\.finish\(/)).toEqual(['sign-in/sign-in.ts']);
  });
});
