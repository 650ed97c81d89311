import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { loadConfig, type Environment } from '#src/config/load.js';
import { configuration } from './support/suite.js';

// docs/conformance.md is what somebody runs the suite by: it names every module that test/conformance drives, and
// test/conformance drives every module that the page says it does.

interface Plan {
  readonly name: string;
  readonly count: number | undefined;
  readonly modules: readonly { readonly name: string; readonly standing: string }[];
}

async function plans(): Promise<Plan[]> {
  const page = await readFile('docs/conformance.md', 'utf8');
  return page
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const count = /(\d+) modules?[.;]/.exec(section)?.[1];
      const rows = [...section.matchAll(/^\| `([\w-]+)` +\| (.*?) +\|/gm)];
      return {
        name: /`([\w-]+)`/.exec(section)?.[1] ?? '',
        count: count === undefined ? undefined : Number(count),
        modules: rows.map(([, name = '', standing = '']) => ({ name, standing })),
      };
    });
}

/** Names of tests in a file, in `it('...')` and in tables of `it.each`. */
async function drivenIn(file: string): Promise<ReadonlySet<string>> {
  const source = await readFile(`test/conformance/${file}`, 'utf8');
  const display = ['page', 'popup'].map((kind) => `oidcc-display-${kind}`);
  const named = [...source.matchAll(/(?:\bit\(|^ +\[)\s*'([\w-]+-[\w-]+)'/gm)].map(([, name = '']) => name);
  return new Set([...named, ...(source.includes('oidcc-display-%s') ? display : [])]);
}

const FILES: Readonly<Record<string, string>> = {
  'oidcc-basic-certification-test-plan': 'basic.test.ts',
  'oidcc-config-certification-test-plan': 'config.test.ts',
  'oidcc-rp-initiated-logout-certification-test-plan': 'logout.test.ts',
  'oidcc-backchannel-rp-initiated-logout-certification-test-plan': 'logout.test.ts',
  'fapi2-security-profile-final-test-plan': 'fapi2.test.ts',
};

describe('the page on conformance', () => {
  it('has the six plans', async () => {
    expect((await plans()).map(({ name }) => name).sort()).toEqual(
      [...Object.keys(FILES), 'oidcc-formpost-basic-certification-test-plan'].sort(),
    );
  });

  it.each(Object.entries(FILES))('%s: says of each module what the tests do', async (plan, file) => {
    const { count, modules = [] } = (await plans()).find(({ name }) => name === plan) ?? {};
    expect(modules).toHaveLength(count ?? 0);
    const driven = await drivenIn(file);
    for (const { name, standing } of modules) {
      expect([name, driven.has(name)]).toEqual([name, standing.startsWith('driven')]);
    }
  });

  it.each([...new Set(Object.values(FILES))])('names every module that %s drives', async (file) => {
    const named = new Set((await plans()).flatMap(({ modules }) => modules.map(({ name }) => name)));
    const missing = [...(await drivenIn(file))].filter((name) => !named.has(name) && !name.endsWith('-test-plan'));
    expect(missing).toEqual([]);
  });

  it('names settings that are accepted, for the issuer that the suite is told', async () => {
    const lines = (await readFile('config/conformance/settings.env', 'utf8')).split('\n');
    const settings = Object.fromEntries(
      lines.filter((line) => /^\w+=/.test(line)).map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    ) as Environment;
    const { issuerText } = loadConfig({ DATABASE_URL: 'postgres://sso@127.0.0.1:5432/sso', ...settings });
    for (const file of ['oidc.json', 'fapi2.json']) {
      const { server } = await configuration<{ server: { discoveryUrl: string } }>(file);
      expect([file, server.discoveryUrl]).toEqual([file, `${issuerText}/.well-known/openid-configuration`]);
    }
  });
});
