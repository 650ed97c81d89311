import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createFetch, type FetchDocument } from '#src/security/outbound-fetch.js';
import { createReachable } from '#src/security/reachable.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
}

const reader = (options: { allowsLoopback?: boolean; privateHosts?: readonly string[] } = {}): FetchDocument =>
  createFetch({
    reachable: createReachable({
      privateHosts: options.privateHosts ?? [],
      allowsLoopback: options.allowsLoopback ?? true,
    }),
    timeoutMs: 300,
    maxBytes: 1000,
  });

describe('a document at an address of a registration (R-50)', () => {
  it('is read, with what says how long it is good', async () => {
    const address = await serve((request, response) => {
      expect([request.method, request.headers.accept]).toEqual(['GET', 'application/json']);
      response.writeHead(200, { 'cache-control': 'max-age=120', 'set-cookie': 'x=1' }).end('{"keys":[]}');
    });
    const answer = await reader()(address, { headers: { Accept: 'application/json' } });
    expect([answer.status, await answer.text()]).toEqual([200, '{"keys":[]}']);
    expect([answer.headers.get('cache-control'), answer.headers.get('set-cookie')]).toEqual(['max-age=120', null]);
  });

  it('that is an error is told as one', async () => {
    const address = await serve((_, response) => response.writeHead(503).end('later'));
    expect((await reader()(address)).status).toBe(503);
  });

  it.each<[string, RequestListener, string]>([
    [
      'leads elsewhere',
      (_, response) => response.writeHead(301, { location: 'http://127.0.0.1:1/' }).end(),
      'answered 301',
    ],
    ['is too long', (_, response) => response.end('x'.repeat(1001)), 'longer than 1000 bytes'],
    ['never begins', () => undefined, 'no answer within 300 ms'],
    [
      'never ends',
      (_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => {
          clearInterval(timer);
        });
      },
      'no answer within 300 ms',
    ],
    ['is cut off', (request) => request.socket.destroy(), 'socket hang up'],
  ])('is refused when it %s', async (_, answer, problem) => {
    await expect(reader()(await serve(answer))).rejects.toThrow(problem);
  });

  it('is not asked for at a private address, unless it is listed', async () => {
    let calls = 0;
    const address = await serve((_, response) => {
      calls += 1;
      response.end('{}');
    });
    const byName = address.replace('127.0.0.1', 'localhost');
    const strict = { allowsLoopback: false };
    for (const each of [address, byName]) await expect(reader(strict)(each)).rejects.toThrow('not public');
    expect(calls).toBe(0);
    expect((await reader({ ...strict, privateHosts: ['127.0.0.0/8'] })(address)).status).toBe(200);
    expect((await reader({ ...strict, privateHosts: ['localhost'] })(byName)).status).toBe(200);
  });

  it.each(['file:///etc/passwd', 'data:application/json,{}', 'ftp://127.0.0.1/keys'])('is not %s', async (address) => {
    await expect(reader()(address)).rejects.toThrow();
  });

  it('is only read', async () => {
    await expect(reader()('http://127.0.0.1/', { method: 'POST' })).rejects.toThrow('POST is not read');
  });
});
