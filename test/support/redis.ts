import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { unusedPort } from './unused-port.js';
import { eventually } from './processes.js';

/** Whether this machine has a Redis that tests may start. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A Redis of one's own, to be ended, frozen and emptied. Keeps nothing on disk. */
export interface RedisServer {
  readonly url: string;
  /** Ends it as a crash would; all it held is gone. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same address. */
  start(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  flush(): Promise<void>;
  /** From now on it has no room for anything new. */
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<RedisServer> {
  const port = await unusedPort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;

  async function ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  async function start(): Promise<void> {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    server = spawn('redis-server', options, { stdio: 'ignore' });
    await eventually('Redis to answer', () =>
      ask((client) => client.ping()).then(
        () => true,
        () => false,
      ),
    );
  }

  async function kill(): Promise<void> {
    if (server?.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  await start();
  return {
    url,
    start,
    kill,
    freeze: () => server?.kill('SIGSTOP'),
    thaw: () => server?.kill('SIGCONT'),
    flush: async () => {
      await ask((client) => client.flushall());
    },
    fill: async () => {
      await ask((client) => client.config('SET', 'maxmemory', '1'));
    },
    makeRoom: async () => {
      await ask((client) => client.config('SET', 'maxmemory', '0'));
    },
    stop: kill,
  };
}
