import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createProgram } from '#src/cli/program.js';
import { isLoopback, loadConfig } from '#src/config/load.js';
import { SETTINGS, type Config } from '#src/config/settings.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const every = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);

/** Dockerfile instructions, continuation lines joined. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '');
const of = (name: string): string[] =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
const json = (text: string): string[] => JSON.parse(text.slice(text.indexOf('['))) as string[];

const compose = read('docker-compose.yml').replaceAll(/^ *#.*\n/gm, '');
/** What stands below a name at the beginning of a line, two spaces to the left. */
function block(text: string, name: string): string {
  const body = new RegExp(`^${name}:.*\\n((?: .*\\n|\\n)*)`, 'm').exec(text)?.[1];
  if (body === undefined) throw new Error(`there is no ${name}`);
  return body.replaceAll(/^ {2}/gm, '');
}
const names = (text: string): string[] => every(text, /^([\w-]+):/gm);
const services = block(compose, 'services');
const environment = Object.fromEntries(
  every(block(block(compose, 'x-program'), 'environment'), /^(\w+: .+)$/gm).map((line) => {
    const [name = '', value = ''] = line.split(/: (.*)/);
    return [name, value.replaceAll("'", '')];
  }),
);

function configOf(env: Record<string, string>): Config {
  const dataDir = mkdtempSync(join(tmpdir(), 'sso-asn-docker-'));
  try {
    return loadConfig({ ...env, DATA_DIR: dataDir });
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

/** The program's commands as Dockerfile and compose file call them. */
const commands = [
  json(of('CMD').at(-1) ?? ''),
  ...every(services, /^ *command: (\[.*\])/gm).map((c) => json(c.replaceAll("'", '"'))),
];

describe('the image', () => {
  const sources = of('COPY').flatMap((line) => {
    const words = line.split(/ +/);
    return words[0]?.startsWith('--from') ? [] : words.slice(0, -1);
  });

  it('copies what exists and what .dockerignore lets through', () => {
    const allowed = every(read('.dockerignore'), /^!(.*)$/gm);
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(sources.filter((path) => !allowed.includes(path))).toEqual([]);
    expect(read('.dockerignore')).toMatch(/^\*$/m);
  });

  it('holds every folder that the built program reads', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    );
    const folders = files.flatMap((path) => every(read(join('src', path)), /new URL\([`'](?:\.\.\/)+(\w+)/g));
    expect(new Set(folders)).toEqual(new Set(['migrations', 'views']));
    expect(sources).toEqual(expect.arrayContaining([...folders, 'config', 'package.json']));
  });

  it('runs a file that the build makes, with commands that the program has', () => {
    const build = JSON.parse(read('.config/tsconfig.build.json')) as { compilerOptions: Record<string, string> };
    expect(build.compilerOptions).toMatchObject({ rootDir: '../src', outDir: '../dist' });
    expect(of('COPY')).toContain('--from=build /app/dist dist');
    const known = createProgram().commands.map((command) => command.name());
    expect(commands).toHaveLength(2);
    for (const [node, file] of commands) expect([node, file]).toEqual(['node', 'dist/main.js']);
    expect(existsSync(join(root, 'src/main.ts'))).toBe(true);
    expect(known).toEqual(expect.arrayContaining(commands.map(([, , command]) => command)));
  });

  it('leaves out the embedded PostgreSQL and the Node.js of npm, and no other optional dependency', () => {
    const patterns = every(instructions.find((line) => line.includes('npm prune')) ?? '', / node_modules\/(\S+)/g);
    const isOut = (name: string): boolean =>
      patterns.some((pattern) => new RegExp(`^${pattern.replace('*', '[^/]*')}(/|$)`).test(name));
    const { optionalDependencies } = JSON.parse(read('package.json')) as {
      optionalDependencies: Record<string, string>;
    };
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optional?: true; dev?: true; os?: string[] }>;
    };
    const onLinux = Object.entries(packages)
      .filter(([, { optional, dev, os }]) => optional === true && dev !== true && (os?.includes('linux') ?? true))
      .map(([path]) => path.replace(/^node_modules\//, ''));
    const ours = Object.keys(optionalDependencies);
    expect(onLinux.filter(isOut).sort()).toEqual(onLinux.filter((name) => ours.includes(name)).sort());
    expect(onLinux.filter((name) => !isOut(name))).toContain('@node-rs/argon2-linux-x64-gnu');
    expect(patterns).toContain('.bin/node');
  });

  it('does not run as root and asks the management listener for its health', () => {
    const { port, managementPort } = configOf({});
    expect(of('USER')).toEqual(['node']);
    expect(of('EXPOSE')).toEqual([String(port)]);
    expect(of('HEALTHCHECK')[0]).toContain(`process.env.MANAGEMENT_PORT || ${managementPort}}/livez`);
    expect(json(of('HEALTHCHECK')[0] ?? '').slice(0, 2)).toEqual(['node', '-e']);
  });
});

describe('the compose file', () => {
  it('uses settings that exist, with values that are accepted', () => {
    const known = new Set(SETTINGS.map(({ name }) => name));
    const used = [...Object.keys(environment), ...every(of('ENV').join(' '), /(\w+)=/g)];
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    expect(configOf(environment)).toMatchObject({ production: false, demo: true });
  });

  it('names services, volumes and ports that agree with each other', () => {
    const { databaseUrl = '', redisUrl = '', smtpUrl = '', issuer, port } = configOf(environment);
    const all = names(services);
    const named = [
      new URL(databaseUrl).hostname,
      new URL(redisUrl).hostname,
      ...every(services, /network_mode: service:(\w+)/g),
      ...['app', 'migrate'].flatMap((name) => names(block(block(services, name), 'depends_on'))),
    ];
    expect(named.filter((name) => !all.includes(name))).toEqual([]);
    expect(names(block(compose, 'volumes'))).toEqual(every(compose, /volumes: \['(\w+):/g));
    const published = every(services, /'127\.0\.0\.1:(\d+:\d+)'/g);
    expect(published).toEqual([`${port}:${port}`, '8025:8025']);
    expect(issuer.port).toBe(String(port));
    // Mail without TLS: only to loopback, which is the mail catcher because it shares the app's network.
    expect(isLoopback(new URL(smtpUrl).hostname)).toBe(true);
    expect(block(services, 'mail')).toContain('network_mode: service:app');
  });

  it('gives program and database the same credentials', () => {
    const database = block(services, 'postgres');
    const { username, password, pathname } = new URL(environment.DATABASE_URL ?? '');
    expect(database).toContain(`POSTGRES_USER: ${username}\n`);
    expect(database).toContain(`POSTGRES_PASSWORD: ${password}\n`);
    expect(pathname).toBe(`/${username}`); // PostgreSQL's default: a database named like the user.
  });
});

it('pins every image to a release', () => {
  const images = [...of('FROM').map((line) => line.split(' ')[0] ?? ''), ...every(services, /^ *image: (.+)$/gm)];
  expect(images.length).toBeGreaterThanOrEqual(5);
  expect(images.filter((image) => !/:v?\d+\.\d+(\.\d+)?(-\w+)*$/.test(image))).toEqual([]);
});
