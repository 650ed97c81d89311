import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createManagement, type ManagementOptions, type ReadinessCheck } from '#src/metrics/management.js';
import { createMetrics } from '#src/metrics/metrics.js';
import { openPostgres } from '#src/storage/postgres.js';
import { storageReadiness } from '#src/storage/readiness.js';
import type { Database } from '#src/storage/database.js';
import { openTestDatabase, type TestDatabase } from '../support/test-database.js';

let servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  servers = [];
});

const serve = async (options: Partial<ManagementOptions> = {}) => {
  const metrics = createMetrics();
  const server = createServer(createManagement({ checks: [], draining: () => false, metrics, ...options }));
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return async (path: string, method = 'GET') => {
    const response = await fetch(`${origin}${path}`, { method, headers: { connection: 'close' } });
    const body = await response.text();
    return { status: response.status, headers: response.headers, body, json: () => JSON.parse(body) as unknown };
  };
};
const check = (name: string, problem?: string): ReadinessCheck => ({ name, problem: () => Promise.resolve(problem) });

test('is ready when every check is well, and names them', async () => {
  const ask = await serve({ checks: [check('database'), check('clock')] });
  const answer = await ask('/readyz');
  expect(answer.status).toBe(200);
  expect(answer.json()).toEqual({
    status: 'ready',
    checks: [
      { name: 'database', ok: true },
      { name: 'clock', ok: true },
    ],
  });
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('is not ready when one is not, says which, and lives on', async () => {
  const ask = await serve({ checks: [check('database'), check('clock', 'off by 3.0 s')] });
  const answer = await ask('/readyz');
  expect(answer.status).toBe(503);
  expect(answer.json()).toMatchObject({
    status: 'unready',
    checks: [{ ok: true }, { name: 'clock', ok: false, problem: 'off by 3.0 s' }],
  });
  expect((await ask('/livez')).status).toBe(200);
});

test('does not wait for a check that hangs, and does not repeat what a failing one said', async () => {
  const ask = await serve({
    deadlineMs: 50,
    checks: [
      { name: 'hangs', problem: () => new Promise(() => undefined) },
      { name: 'fails', problem: () => Promise.reject(new Error('password=secret')) },
    ],
  });
  const answer = await ask('/readyz');
  expect(answer.json()).toMatchObject({
    checks: [
      { name: 'hangs', problem: 'no answer in time' },
      { name: 'fails', problem: 'unavailable' },
    ],
  });
  expect(answer.body).not.toContain('secret');
});

test('leaves readiness while draining', async () => {
  let draining = false;
  const ask = await serve({ checks: [check('database')], draining: () => draining });
  expect((await ask('/readyz')).status).toBe(200);
  draining = true;
  const answer = await ask('/readyz');
  expect(answer.status).toBe(503);
  expect(answer.body).toContain('draining');
  expect((await ask('/livez')).status).toBe(200);
});

test('a crowd of probes is one look', async () => {
  let looks = 0;
  const ready = Promise.withResolvers<undefined>();
  const ask = await serve({
    checks: [
      {
        name: 'database',
        problem: () => {
          looks += 1;
          return ready.promise;
        },
      },
    ],
  });
  const crowd = Promise.all(Array.from({ length: 20 }, () => ask('/readyz')));
  await ask('/livez');
  ready.resolve(undefined);
  expect((await crowd).every(({ status }) => status === 200)).toBe(true);
  expect(looks).toBeLessThan(20);
});

test('serves the metrics', async () => {
  const metrics = createMetrics();
  metrics.login('accepted');
  const answer = await (await serve({ metrics }))('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/plain');
  expect(answer.body).toContain('sso_logins_total{outcome="accepted"} 1');
});

test('an error while counting is a plain 500', async () => {
  const ask = await serve({ metrics: { render: () => Promise.reject(new Error('secret')) } });
  expect(await ask('/metrics')).toMatchObject({ status: 500, body: '' });
});

test.each([
  ['GET', '/', 404],
  ['GET', '/metrics/x', 404],
  ['GET', '/livez?x=1', 200],
  ['HEAD', '/livez', 200],
  ['POST', '/livez', 405],
  ['DELETE', '/metrics', 405],
])('%s %s is %i', async (method, path, status) => {
  expect((await (await serve())(path, method)).status).toBe(status);
});

describe('what the store demands', () => {
  let db: Database & TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
  });
  afterAll(() => db.drop());

  const readiness = async (aheadMs = 0, given: Pick<Database, 'query'> = db) => {
    const metrics = createMetrics();
    const clock = { now: () => new Date(Date.now() + aheadMs) };
    const ask = await serve({ metrics, checks: storageReadiness({ db: given, clock, metrics }) });
    return ask;
  };

  test('ready with a database that answers, its schema in place and the same time', async () => {
    expect(await (await readiness())('/readyz')).toMatchObject({ status: 200 });
  });

  test.each([
    [1500, 200],
    [-1500, 200],
    [2600, 503],
    [-2600, 503],
    [7_200_000, 503],
  ])('a clock that is %i ms off gives %i', async (aheadMs, status) => {
    const ask = await readiness(aheadMs);
    const answer = await ask('/readyz');
    expect(answer.status).toBe(status);
    if (status === 503)
      expect(answer.json()).toMatchObject({ checks: [{ ok: true }, { ok: true }, { name: 'clock' }] });
    const skew = /^sso_clock_skew_seconds (\S+)$/m.exec((await ask('/metrics')).body)?.[1];
    expect(Math.abs(Number(skew) - aheadMs / 1000)).toBeLessThan(0.5);
  });

  test('a migration that is missing is told', async () => {
    const name = (await db.query('SELECT max(name) AS name FROM schema_migrations'))[0]?.name;
    await db.query('DELETE FROM schema_migrations WHERE name = $1', [name]);
    const answer = await (await readiness())('/readyz');
    expect(answer.status).toBe(503);
    expect(answer.json()).toMatchObject({
      checks: [{ ok: true }, { name: 'migrations', problem: '1 pending' }, { ok: true }],
    });
  });

  test('a database that is away is told, within the second', async () => {
    const away = openPostgres({
      url: 'postgres://nobody@127.0.0.1:1/none',
      maxConnections: 1,
      onIdleError: () => undefined,
    });
    const began = performance.now();
    const ask = await readiness(0, away);
    expect(await ask('/readyz')).toMatchObject({ status: 503 });
    expect(performance.now() - began).toBeLessThan(1500);
    expect((await ask('/metrics')).body).not.toMatch(/^sso_clock_skew_seconds /m);
    await away.close();
  });
});
