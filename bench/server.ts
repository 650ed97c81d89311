/** The built program in a process of its own, and its numbers. */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { builtProgram } from '../test/support/built-program.js';
import { unusedPort } from '../test/support/unused-port.js';
import type { Closers } from './stores.js';

export type Settings = Readonly<Record<string, string>>;

/** The relying parties of the run, as they stand in the clients file. */
export const SECRET = randomBytes(24).toString('base64url');
export const CALLBACK = 'http://127.0.0.1:9/callback';
const common = { token_endpoint_auth_method: 'client_secret_basic', client_secret: SECRET };
const grants = ['authorization_code', 'refresh_token'];
export const CLIENTS: readonly object[] = [
  { ...common, client_id: 'first', client_name: 'Layanan Satu', redirect_uris: [CALLBACK], grant_types: grants },
  { ...common, client_id: 'second', client_name: 'Layanan Dua', redirect_uris: [CALLBACK], grant_types: grants },
  {
    ...common,
    client_id: 'agency',
    client_name: 'Instansi',
    redirect_uris: [],
    grant_types: ['client_credentials'],
  },
];

/** What the server says of itself. */
export interface ServerNumbers {
  readonly cpuSeconds: number;
  readonly statements: number;
  readonly residentBytes: number;
}

export interface Server {
  readonly issuer: string;
  readonly port: number;
  /** From its start to `/readyz`. */
  readonly startSeconds: number;
  numbers(): Promise<ServerNumbers>;
}

/** Runs a command of the program to its end; refuses with what it complained of. */
export async function command(settings: Settings, ...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [await builtProgram(), ...args], { env: { ...base(), ...settings } });
}

const base = (): Record<string, string> => ({ PATH: process.env.PATH ?? '' });

const PATIENCE_MS = 60_000;

export async function startServer(
  settings: Settings,
  { closers, profileIn }: { closers: Closers; profileIn: string | undefined },
): Promise<Server> {
  const main = await builtProgram();
  const [port, managementPort] = [await unusedPort(), await unusedPort()];
  const issuer = `http://localhost:${port}`;
  const began = performance.now();
  const profiling = profileIn === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileIn}`];
  const child = spawn(process.execPath, [...profiling, main, 'serve'], {
    // The log is written and thrown away: writing it belongs to the cost.
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...base(), ...settings, ISSUER: issuer, PORT: String(port), MANAGEMENT_PORT: String(managementPort) },
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const ended = once(child, 'exit');
  closers.push(async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  });

  const management = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${managementPort}${path}`);
  const isReady = (): Promise<boolean> =>
    management('/readyz').then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`the server does not start: ${complaint}`);
    if (performance.now() - began > PATIENCE_MS) throw new Error('the server does not get ready');
    await pause(10);
  }
  return {
    issuer,
    port,
    startSeconds: (performance.now() - began) / 1000,
    async numbers() {
      const text = await (await management('/metrics')).text();
      const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
      return {
        cpuSeconds: value('process_cpu_seconds_total'),
        statements: value('sso_database_statements_total'),
        residentBytes: value('process_resident_memory_bytes'),
      };
    },
  };
}
