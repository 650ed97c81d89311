import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Debian's own, which sees its packages; another Python may come first on the PATH. */
const PYTHON = '/usr/bin/python3';

const isInstalled = (): boolean => spawnSync(PYTHON, ['-c', 'import authlib, requests']).status === 0;

/** A group that needs Authlib: skipped by name where there is none, but never in CI. */
export const describeWithAuthlib = process.env.CI === 'true' || isInstalled() ? describe : describe.skip.bind(describe);

export interface AuthlibSettings {
  readonly issuer: string;
  readonly client_id: string;
  readonly method: 'private_key_jwt' | 'client_secret_post';
  /** A shared secret, or a private key as PEM. */
  readonly secret: string;
  readonly redirect_uri: string;
}

/** `authlib_party.py` in a process of its own: each act answers, or tells the code of its error. */
export interface AuthlibParty {
  ask(act: string, what?: string): Promise<{ readonly answer?: unknown; readonly error?: string }>;
  stop(): Promise<void>;
}

export function startAuthlibParty(settings: AuthlibSettings): AuthlibParty {
  const script = fileURLToPath(new URL('authlib_party.py', import.meta.url));
  const child = spawn(PYTHON, [script, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const gone = once(child, 'exit');
  return {
    async ask(act, what) {
      child.stdin.write(`${JSON.stringify({ act, with: what })}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`the relying party ended: ${complaint}`);
      return JSON.parse(value) as { answer?: unknown; error?: string };
    },
    async stop() {
      child.stdin.end();
      await gone;
    },
  };
}
