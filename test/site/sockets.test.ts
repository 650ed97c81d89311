import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { listen } from '#src/web/server.js';
import { addressesOf } from './support/addresses.js';
import { snapshot } from './support/snapshot.js';
import { openHouse, signedIn } from './support/stations.js';
import { errorsOf, FORM, speak } from './support/wire.js';

const house = await openHouse();
const { issuer, site, wire } = house;
const { port, services } = site.running;
const host = `Host: ${new URL(issuer).host}`;
afterAll(() => house.stop());

const MOST_BYTES = 16 * 1024;

describe('a body (R-48)', () => {
  const forms = site.running.site.routes.filter(
    ({ method, access }) => method === 'POST' && access !== 'bearer' && access !== 'signed',
  );
  const paths = forms.flatMap(({ path }) => addressesOf(path, 'nobody'));
  const chunked = { ...FORM, 'transfer-encoding': 'chunked' };

  it.each([...paths, '/oidc/auth', '/oidc/logout'])('of 16 KiB is read by %s, and not one byte more', async (path) => {
    const fitting = 'a='.padEnd(MOST_BYTES, 'x');
    for (const headers of [FORM, chunked]) {
      const taken = await wire.send({ method: 'POST', path, headers, body: fitting });
      // At the provider it becomes an address, and those are shorter.
      expect([taken.status, errorsOf(taken)]).toEqual(
        path.startsWith('/oidc/') ? [413, ['invalid_input']] : [403, ['csrf_mismatch']],
      );
      const refused = await wire.send({ method: 'POST', path, headers, body: `${fitting}x` });
      expect([refused.status, errorsOf(refused)]).toEqual([413, ['invalid_input']]);
    }
  });

  it.each(['/oidc/token', '/oidc/par', '/oidc/introspect', '/oidc/revoke', '/oidc/logout/confirm'])(
    'of more is not read by %s',
    async (path) => {
      const told = await wire.send({ method: 'POST', path, headers: FORM, body: 'a='.padEnd(MOST_BYTES + 1, 'x') });
      expect(told.status).toBe(413);
      // A length that is not told is found out by the provider itself.
      const untold = await wire.send({ method: 'POST', path, headers: chunked, body: 'a='.padEnd(64 * 1024, 'x') });
      expect(untold.status).toBe(400);
    },
  );
});

describe('a head', () => {
  it.each([
    ['one header too long', `X: ${'x'.repeat(MOST_BYTES)}\r\n`],
    ['many headers', Array.from({ length: 2000 }, (_, index) => `X-${index}: 1\r\n`).join('')],
    ['a huge cookie', `Cookie: a=${'x'.repeat(MOST_BYTES)}\r\n`],
    ['many cookies', `Cookie: ${'a=b; '.repeat(4000)}\r\n`],
  ])('of more than 16 KiB is 431: %s', async (_, headers) => {
    const heard = await speak(port, `GET / HTTP/1.1\r\n${host}\r\n${headers}\r\n`);
    expect(heard).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('with an address of more than 16 KiB is 431', async () => {
    expect(await speak(port, `GET /${'x'.repeat(MOST_BYTES)} HTTP/1.1\r\n${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('the head a browser sends', () => {
  it('stays small, however often somebody begins to log in and leaves it', async () => {
    const visitor = house.visitor();
    for (let turn = 0; turn < 120; turn += 1) await visitor.ask('/login');
    expect(visitor.cookiesFor('/session/callback').length).toBeLessThan(4096);
    expect((await signedIn(house, visitor)).page.page).toBe('launcher');
  });
});

describe('who is slow (A39)', () => {
  it('with head or body is cut off before anything has happened', async () => {
    const limits = { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 50 };
    const hasty = await listen(site.running.site.listener, { host: '127.0.0.1', port: 0, limits });
    const before = await snapshot(services.db);
    const form = `${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
    const heard = await Promise.all(
      [
        'GET /reset HTTP/1.1\r\nX-Slow: ',
        `GET /reset HTTP/1.1\r\n${host}\r\n`,
        `POST /reset/weak HTTP/1.1\r\n${form}Content-Length: 100\r\n\r\ncsrf=`,
        `POST /reset/weak HTTP/1.1\r\n${form}Transfer-Encoding: chunked\r\n\r\n5\r\ncsrf=`,
        `POST /oidc/token HTTP/1.1\r\n${form}Content-Length: 100\r\n\r\ngrant_type=`,
        `POST /api/admin/v1/x HTTP/1.1\r\n${host}\r\nContent-Length: 100\r\n\r\n{`,
      ].map((bytes) => speak(hasty.address.port, bytes)),
    );
    expect(heard.map((text) => text.slice(9, 12))).toEqual(['408', '408', '408', '408', '408', '401']);
    expect(await snapshot(services.db)).toEqual(before);
    await hasty.drain(0);
  });
});

describe('five hundred connections', () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  it.each([
    ['that say nothing', ''],
    ['that never end their head', `GET / HTTP/1.1\r\n${host}\r\nX: `],
    [
      'that never end their body',
      `POST /reset/weak HTTP/1.1\r\n${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\na=`,
    ],
  ])('%s keep nobody from signing in', async (_, bytes) => {
    const opened = Array.from({ length: 500 }, (__, index) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % 5)}` });
      socket.on('error', () => undefined);
      sockets.push(socket);
      return once(socket, 'connect').then(() => socket.write(bytes));
    });
    await Promise.all(opened);
    const began = performance.now();
    expect((await signedIn(house)).page.page).toBe('launcher');
    expect(performance.now() - began).toBeLessThan(5000);
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
  });
});
