import { randomUUID } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyValueUnavailable, type KeyValue } from '#src/storage/key-value.js';
import { redisAddress } from '#src/storage/redis-address.js';
import { openRedis } from '#src/storage/redis.js';
import { keyValueContract } from '../contracts/key-value.js';

const url = process.env.TEST_REDIS_URL ?? process.env.REDIS_URL;
const quiet = { onError: () => undefined };

/** Redis refuses everything until its connection stands. */
async function answering(store: KeyValue, deadlineMs = 5_000): Promise<KeyValue> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      await store.get('probe');
      return store;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

describe('address of Redis', () => {
  const nodes = [
    { host: 'a.example', port: 7001 },
    { host: '::1', port: 7002 },
  ];
  it.each([
    ['redis://localhost:6379/2', { kind: 'single', url: 'redis://localhost:6379/2' }],
    ['rediss://user:secret@host', { kind: 'single', url: 'rediss://user:secret@host' }],
    ['redis+sentinel://a.example:7001,[::1]:7002/asn/3', { kind: 'sentinel', nodes, name: 'asn', db: 3, tls: false }],
    [
      'rediss+sentinel://:p%40ss@s1,s2/asn',
      {
        kind: 'sentinel',
        nodes: [
          { host: 's1', port: 26_379 },
          { host: 's2', port: 26_379 },
        ],
        name: 'asn',
        db: 0,
        password: 'p@ss',
        tls: true,
      },
    ],
    [
      'redis+cluster://app:secret@a.example:7001,[::1]:7002',
      { kind: 'cluster', nodes, username: 'app', password: 'secret', tls: false },
    ],
  ])('reads %s', (text, address) => {
    expect(redisAddress(text)).toEqual(address);
  });

  it.each([
    'http://host',
    'redis+sentinel://:secret@host:1',
    'redis+cluster://:secret@host:1/2',
    'redis+ring://secret',
  ])('refuses %s without repeating it', (text) => {
    expect(() => redisAddress(text)).toThrow(/^(?!.*secret)/s);
  });
});

describe('a server that is not there', () => {
  it('refuses at once and tells of the outage once', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    let told = 0;
    const onError = (): void => {
      told += 1;
    };
    const store = openRedis(`redis://127.0.0.1:${port}`, { onError });
    const begun = performance.now();
    while (performance.now() - begun < 400) {
      const asked = performance.now();
      await expect(store.get('key')).rejects.toBeInstanceOf(KeyValueUnavailable);
      expect(performance.now() - asked).toBeLessThan(100);
      await sleep(20);
    }
    await store.close();
    expect(told).toBe(1);
  });
});

(url === undefined ? describe.skip : describe)('Redis', () => {
  const real = new URL(url ?? 'redis://localhost');

  keyValueContract(async () => ({
    keyValue: await answering(openRedis(real.href, quiet)),
    pass: (seconds) => sleep(seconds * 1_000),
  }));

  describe('behind a link that freezes and breaks', () => {
    const sockets = new Set<Socket>();
    const proxy = createServer((client) => {
      const server = connect({ port: Number(real.port || 6379), host: real.hostname });
      sockets.add(client).add(server);
      const drop = (): void => {
        client.destroy();
        server.destroy();
      };
      for (const socket of [client, server]) socket.on('error', drop).on('close', drop);
      client.pipe(server).pipe(client);
    });
    let store: KeyValue;
    beforeEach(async () => {
      const through = new URL(real);
      through.host = `127.0.0.1:${await listen(proxy)}`;
      store = await answering(openRedis(through.href, quiet));
    });
    afterEach(async () => {
      await store.close();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
      await new Promise((resolve) => proxy.close(resolve));
    });

    it('gives up after 100 ms, then stops waiting at all, and returns by itself (R-63, F-08)', async () => {
      for (const socket of sockets) socket.pause();
      const waits: number[] = [];
      for (let i = 0; i < 8; i += 1) {
        const begun = performance.now();
        await expect(store.get('key')).rejects.toBeInstanceOf(KeyValueUnavailable);
        waits.push(performance.now() - begun);
      }
      expect(Math.max(...waits)).toBeLessThan(400);
      expect(Math.max(...waits.slice(5))).toBeLessThan(50);
      for (const socket of sockets) socket.resume();
      await answering(store);
    });

    it('connects again after the link broke, and does not send again what had failed', async () => {
      const key = `contract:${randomUUID()}`;
      for (const socket of sockets) socket.pause();
      await expect(store.increment(key, 60)).rejects.toBeInstanceOf(KeyValueUnavailable);
      for (const socket of sockets) socket.destroy();
      await answering(store);
      expect(await store.get(key)).toBeUndefined();
    });
  });
});
