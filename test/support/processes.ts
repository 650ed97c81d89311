import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '#src/config/load.js';
import { builtProgram } from './built-program.js';
import { unusedPort } from './unused-port.js';

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The built program in a process of its own: `sso-asn serve`. */
export interface ServerProcess {
  readonly port: number;
  readonly managementPort: number;
  readonly pid: number;
  /** What it logged so far, request lines left out. */
  readonly log: readonly LogLine[];
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  isRunning(): boolean;
  /** `/readyz` answers 200 at this moment. */
  isReady(): Promise<boolean>;
  signal(name: NodeJS.Signals): void;
  /** Ends it at once, when it has not ended, and resolves when it is gone. */
  kill(): Promise<void>;
}

const PATIENCE_MS = 20_000;

/** Resolves when the condition holds; refuses after the patience is over, saying what was waited for. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms in vain: ${what}`);
    await pause(20);
  }
}

/** Starts `sso-asn serve` with these settings on free ports and waits until it is ready. */
export async function startServerProcess(settings: Environment): Promise<ServerProcess> {
  const main = await builtProgram();
  const [port, managementPort] = [await unusedPort(), await unusedPort()];
  const child = spawn(process.execPath, ['--enable-source-maps', main, 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: join(tmpdir(), 'sso-asn-compile-cache'),
      HOST: '127.0.0.1',
      PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
      ...settings,
    },
  });
  const log: LogLine[] = [];
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as LogLine;
    if (line.msg !== 'request') log.push(line);
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  let running = true;
  const ended = once(child, 'exit').then(([code, signal]) => {
    running = false;
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });

  const server: ServerProcess = {
    port,
    managementPort,
    pid: child.pid ?? 0,
    log,
    ended,
    isRunning: () => running,
    isReady: () =>
      fetch(`http://127.0.0.1:${managementPort}/readyz`).then(
        async (response) => {
          await response.arrayBuffer();
          return response.ok;
        },
        () => false,
      ),
    signal(name) {
      child.kill(name);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
  await eventually('the server to be ready', async () => {
    if (!running) throw new Error(`the server ended instead of serving: ${complaint}`);
    return server.isReady();
  }).catch(async (error: unknown) => {
    await server.kill();
    throw error;
  });
  return server;
}
