import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { eventually, startServerProcess, type LogLine, type ServerProcess } from './support/processes.js';
import { hasRedis, startRedis, type RedisServer } from './support/redis.js';
import { makeTemporaryFolder } from './support/temporary-folder.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** A connection of its own for every request, so that the workers take turns. */
const NETWORK = { connection: 'close' };

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

(hasRedis ? describe : describe.skip)('several workers (Redis)', () => {
  let redis: RedisServer;
  let database: TestDatabase;
  let dataDir: string;
  let server: ServerProcess;

  beforeAll(async () => {
    [redis, database] = await Promise.all([startRedis(), createTestDatabase()]);
    dataDir = await makeTemporaryFolder('sso-asn-workers-');
    server = await startServerProcess(settings());
  });
  afterAll(async () => {
    await server.kill();
    await redis.stop();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const settings = () => ({
    WORKERS: '2',
    REDIS_URL: redis.url,
    DATABASE_URL: database.url,
    DATABASE_POOL: '3',
    DATA_DIR: dataDir,
    DEMO: 'true',
    LOG_LEVEL: 'info',
  });
  const logged = (message: string): LogLine[] => server.log.filter(({ msg }) => msg === message);
  const managed = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${server.managementPort}${path}`, { headers: NETWORK });
    return { status: response.status, body: await response.text() };
  };
  const metric = async (name: string): Promise<number> => {
    const lines = (await managed('/metrics')).body.split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  const visit = async (times: number): Promise<number[]> =>
    Promise.all(
      Array.from({ length: times }, async () => {
        const response = await fetch(`http://localhost:${server.port}/`, { headers: NETWORK });
        await response.arrayBuffer();
        return response.status;
      }),
    );

  it('serve, and are ready together', async () => {
    expect(logged('serving')).toHaveLength(2);
    expect(await visit(20)).toEqual(Array.from({ length: 20 }, () => 200));
    const { status, body } = await managed('/readyz');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      status: 'ready',
      checks: ['database', 'migrations', 'clock', 'workers'].map((name) => ({ name, ok: true })),
    });
    expect((await managed('/livez')).status).toBe(200);
  });

  it('are counted together', async () => {
    const count = 'http_request_duration_seconds_count{method="GET",route="/",status="200"}';
    const before = await metric(count);
    await visit(10);
    expect((await metric(count)) - before).toBe(10);
    // What the stores say is said once, whoever asks.
    expect(await metric('sso_clock_skew_seconds')).toBeLessThan(2);
    expect((await managed('/metrics')).body.match(/^sso_hash_queue_depth /gm)).toHaveLength(1);
  });

  it('replace one that was killed, and go on meanwhile', async () => {
    const victim = Number(logged('a worker serves')[0]?.pid);
    process.kill(victim, 'SIGKILL');
    await eventually('the death to be noticed', () => logged('a worker ended').length === 1);
    expect(logged('a worker ended')[0]).toMatchObject({ level: 'error', pid: victim, signal: 'SIGKILL' });
    expect(await visit(4)).toEqual([200, 200, 200, 200]);
    await eventually('the workers to be ready again', () => server.isReady());
    expect(new Set(logged('a worker serves').map(({ pid }) => pid)).size).toBe(3);
    expect(await visit(4)).toEqual([200, 200, 200, 200]);
  });

  it('drain when told to, and end well', async () => {
    server.signal('SIGTERM');
    expect(await server.ended).toEqual({ code: 0, signal: null });
    // The primary's and those of its two workers.
    expect(logged('draining')).toHaveLength(3);
    expect(logged('stopped')).toHaveLength(3);
    const alive = logged('a worker serves').filter(({ pid }) => isAlive(Number(pid)));
    expect(alive).toEqual([]);
  });

  it('that cannot start end the program', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await expect(startServerProcess({ ...settings(), PORT: String(port) })).rejects.toThrow(
      /the server ended instead of serving: (.*\n)*sso-asn: .*EADDRINUSE/,
    );
    taken.close();
  });
});
