import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { developmentSecrets, newKey, SECRET_SETTINGS } from '#src/config/development-secrets.js';
import { parseKeyRing } from '#src/security/key-ring.js';

let parent: string;
let dataDir: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sso-asn-secrets-'));
  dataDir = join(parent, 'new', 'data');
});
afterEach(() => {
  rmSync(parent, { recursive: true });
});

const hooks = new URL('../support/typescript-hooks.js', import.meta.url).href;
const module = new URL('../../src/config/development-secrets.ts', import.meta.url).href;

describe('secrets of a development machine', () => {
  it('are made once, one key for each purpose, in a file for its owner alone', () => {
    const made = developmentSecrets(dataDir);
    const file = join(dataDir, 'secrets.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(made);
    expect(Object.keys(made)).toEqual([...SECRET_SETTINGS]);
    expect(new Set(Object.values(made).map((text) => parseKeyRing(text).current.bytes.toString('hex'))).size).toBe(3);
    expect(developmentSecrets(dataDir)).toEqual(made);
    expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  });

  it('are the same for processes that start together', async () => {
    const script = `const { developmentSecrets } = await import(process.argv[1]);
      while (Date.now() < Number(process.argv[3])); // All at once.
      process.stdout.write(JSON.stringify(developmentSecrets(process.argv[2])));`;
    const start = String(Date.now() + 700);
    const run = promisify(execFile);
    const args = ['--no-warnings', '--import', hooks, '--input-type=module', '--eval', script, module, dataDir, start];
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => run(process.execPath, args)));
    expect(new Set(outcomes.map(({ stdout }) => stdout)).size).toBe(1);
    expect(outcomes[0]?.stdout).toBe(JSON.stringify(developmentSecrets(dataDir)));
    expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, 60)],
    ['empty', () => ''],
    ['without a key', (text: string) => text.replace('COOKIE_KEYS', 'OTHER')],
    ['with a broken key', (text: string) => text.replace(/dev-\w+:/, 'dev-x:canary')],
  ])('that are %s stop the program, which names the file and not what is in it', (_, spoil) => {
    const made = developmentSecrets(dataDir);
    const file = join(dataDir, 'secrets.json');
    const spoilt = spoil(readFileSync(file, 'utf8'));
    writeFileSync(file, spoilt);
    let message = '';
    try {
      developmentSecrets(dataDir);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toContain(file);
    for (const secret of Object.values(made)) expect(message).not.toContain(secret.slice(0, 20));
    expect(readFileSync(file, 'utf8')).toBe(spoilt);
  });

  it('make the new keys that sso-asn secrets new prints, each with a kid of its own', () => {
    const keys = Array.from({ length: 50 }, () => newKey('k-'));
    expect(keys.every((key) => /^k-[0-9a-f]{6}:[A-Za-z0-9+/]{43}=$/.test(key))).toBe(true);
    expect(() => parseKeyRing(keys.join(','))).not.toThrow();
  });
});

// Kept last: says where the sources are when the layout changes.
it('finds the module it races', () => {
  expect(readFileSync(fileURLToPath(module), 'utf8')).toContain('developmentSecrets');
});
