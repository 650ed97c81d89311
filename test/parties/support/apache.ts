import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../../support/temporary-folder.js';
import { eventually } from '../../support/processes.js';

const MODULES = '/usr/lib/apache2/modules';
const PROGRAM = '/usr/sbin/apache2';

function isInstalled(): boolean {
  try {
    for (const file of [PROGRAM, join(MODULES, 'mod_auth_openidc.so')]) accessSync(file);
    return true;
  } catch {
    return false;
  }
}

/** A group that needs Apache with mod_auth_openidc: skipped by name where there is none, but never in CI. */
export const describeWithApache = isInstalled() || process.env.CI === 'true' ? describe : describe.skip.bind(describe);

/** Apache in front of an application that knows nothing of logins and answers with the claims it was handed. */
export interface Apache {
  readonly origin: string;
  /** How often the application was asked: what Apache keeps back does not count. */
  readonly asked: number;
  stop(): Promise<void>;
}

export interface ApacheOptions {
  readonly port: number;
  /** Directives of mod_auth_openidc, as a relying party writes them. */
  readonly directives: string;
}

/** The application: its answer is what Apache told it about the person. */
async function startApplication(): Promise<{ server: Server; port: number; count: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    const told = Object.entries(request.headers).filter(([name]) => name.startsWith('oidc_'));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(Object.fromEntries(told)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, count: () => asked };
}

const LOADED = [
  'mpm_event',
  'authn_core',
  'authz_core',
  'authz_user',
  'proxy',
  'proxy_http',
  'headers',
  'alias',
  'auth_openidc',
];

/** Starts Apache with a configuration of its own: nothing of the machine's is read or written. */
export async function startApache({ port, directives }: ApacheOptions): Promise<Apache> {
  const folder = await makeTemporaryFolder('sso-asn-apache-');
  const application = await startApplication();
  // Its workers belong to somebody else when the test is run by root.
  await chmod(folder, 0o755);
  for (const part of ['htdocs', 'run']) await mkdir(join(folder, part));
  const asRoot = process.getuid?.() === 0;
  const file = join(folder, 'apache.conf');
  await writeFile(
    file,
    [
      `ServerRoot "${folder}"`,
      `DefaultRuntimeDir "${folder}/run"`,
      `PidFile "${folder}/run/apache.pid"`,
      `Mutex "file:${folder}/run" default`,
      `ErrorLog "${folder}/error.log"`,
      'LogLevel warn auth_openidc:info',
      `Listen 127.0.0.1:${port}`,
      `ServerName localhost:${port}`,
      ...(asRoot ? ['User nobody', 'Group nogroup'] : []),
      ...LOADED.map((name) => `LoadModule ${name}_module "${MODULES}/mod_${name}.so"`),
      'StartServers 1\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 16\nMaxRequestWorkers 16',
      `DocumentRoot "${folder}/htdocs"`,
      `ProxyPass "/app/redirect_uri" "!"`,
      `ProxyPass "/app" "http://127.0.0.1:${application.port}/"`,
      directives,
      '',
    ].join('\n'),
  );
  if (asRoot) spawnSync('chown', ['-R', 'nobody:nogroup', join(folder, 'run')]);
  const child: ChildProcess = spawn(PROGRAM, ['-f', file, '-DFOREGROUND'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const origin = `http://localhost:${port}`;
  const said = async (): Promise<string> =>
    complaint + (await readFile(join(folder, 'error.log'), 'utf8').catch(() => ''));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    application.server.closeAllConnections();
    application.server.close();
    await rm(folder, { recursive: true, force: true });
  };
  await eventually('Apache to answer', async () => {
    if (child.exitCode !== null) throw new Error(`Apache ended instead of serving: ${await said()}`);
    return fetch(origin).then(
      () => true,
      () => false,
    );
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    origin,
    get asked() {
      return application.count();
    },
    stop,
  };
}
