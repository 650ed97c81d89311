import { once } from 'node:events';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { LIMITS, listen, type Listener } from '#src/web/server.js';
import { unusedPort } from '../support/unused-port.js';

const HOST = '127.0.0.1';
/** Requests that wait for `/slow` to be answered. */
let slow: ServerResponse[] = [];
let onSlow = (): void => undefined;
const handler = (req: IncomingMessage, res: ServerResponse): void => {
  if (req.url === '/slow') {
    slow.push(res);
    onSlow();
    return;
  }
  req.on('error', () => undefined);
  req.on('end', () => res.end(`read ${req.url ?? ''}`));
  req.resume();
};
const slowArrived = (): Promise<void> =>
  new Promise((resolve) => {
    onSlow = resolve;
    if (slow.length > 0) resolve();
  });

const listeners: Listener[] = [];
async function open(limits?: Partial<typeof LIMITS>): Promise<Listener> {
  const listener = await listen(handler, { host: HOST, port: 0, ...(limits && { limits }) });
  listeners.push(listener);
  return listener;
}
afterEach(async () => {
  await Promise.all(listeners.splice(0).map((listener) => listener.drain(0)));
  slow = [];
});

interface Talk {
  readonly socket: Socket;
  /** All that came until the server closed the connection. */
  readonly all: Promise<string>;
}
function talk({ address }: Listener, text: string, localAddress = HOST): Talk {
  const socket = connect({ port: address.port, host: HOST, localAddress }, () => socket.write(text));
  let all = '';
  socket.on('data', (chunk) => {
    all += chunk.toString();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    socket.on('close', () => {
      resolve(all);
    });
  });
  return { socket, all: ended };
}

it('keeps the deadlines and sizes that were promised (R-48)', () => {
  expect(LIMITS).toEqual({
    headersTimeout: 10_000,
    requestTimeout: 15_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: 16_384,
    maxConnections: 10_000,
  });
});

describe('what the parser cannot take (F-20)', () => {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\n';
  it.each([
    ['headers of 17 KiB', `${head}X: ${'x'.repeat(17 * 1024)}\r\n\r\n`, 431],
    ['a cookie of 64 KiB', `${head}Cookie: ${'x'.repeat(64 * 1024)}\r\n\r\n`, 431],
    ['100,000 headers', `${head}${'a: b\r\n'.repeat(100_000)}\r\n`, 431],
    ['an address of 17 KiB', `GET /${'x'.repeat(17 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    [
      'chunk extensions of 20 KiB',
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20 * 1024)}\r\na\r\n0\r\n\r\n`,
      413,
    ],
    ['two lengths', `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, 400],
    [
      'a length and chunks (smuggling, A39)',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['chunks by another name', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
    ['a negative length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400],
    ['a header broken by a line', `${head}X: a\nb\r\n\r\n`, 400],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['another protocol', 'EHLO a\r\n\r\n', 400],
    ['bytes', '\u0016\u0003\u0001\u0000\u00a5\u0001', 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ])('%s: an answer without a body, and the connection is closed', async (_, text, status) => {
    const { all } = talk(await open(), text);
    const answer = await all;
    expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
    expect(answer).toMatch(/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n$/);
  });

  it('headers of 15 KiB are taken', async () => {
    const { all } = talk(await open(), `${head}X: ${'x'.repeat(15 * 1024)}\r\nConnection: close\r\n\r\n`);
    expect(await all).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('a client that never ends its side is cut off all the same', async () => {
    const listener = await open();
    const socket = connect({ port: listener.address.port, host: HOST, allowHalfOpen: true }, () =>
      socket.write('EHLO a\r\n\r\n'),
    );
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'end');
    // The server's side is gone: what is still written is answered with a reset.
    const gone = new Promise((resolve) => socket.on('close', resolve));
    const writing = setInterval(() => socket.write('x'), 5);
    await gone;
    clearInterval(writing);
  });
});

describe('who is slow (A39)', () => {
  const quick = { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 30 };
  it.each([
    ['with its headers', 'GET / HTTP/1.1\r\nHost: a\r\nX-', 150],
    ['with its body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nab', 300],
    ['with a chunk', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab', 300],
  ])('%s, a byte at a time, is cut off at the deadline', async (_, text, milliseconds) => {
    const began = performance.now();
    const { socket, all } = talk(await open(quick), text);
    const dripping = setInterval(() => socket.write('x'), 40);
    expect(await all).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(dripping);
    expect(performance.now() - began).toBeGreaterThan(milliseconds - 20);
    expect(performance.now() - began).toBeLessThan(milliseconds + 1_000);
  });

  it('to say anything is cut off as well', async () => {
    const { all } = talk(await open(quick), '');
    expect(await all).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it('with another request keeps the connection for a while, and no longer', async () => {
    const { all } = talk(await open({ keepAliveTimeout: 100 }), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await all).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('does not keep others waiting', async () => {
    const listener = await open({ ...quick, headersTimeout: 5_000, requestTimeout: 5_000 });
    const lorises = Array.from({ length: 200 }, () => talk(listener, 'GET / HTTP/1.1\r\nHost: a\r\nX-'));
    await Promise.all(lorises.map(({ socket }) => once(socket, 'connect')));
    const began = performance.now();
    expect(await talk(listener, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').all).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    expect(performance.now() - began).toBeLessThan(1_000);
    for (const { socket } of lorises) socket.destroy();
  });

  it('connections beyond the most allowed are closed at once', async () => {
    const listener = await open({ maxConnections: 2 });
    const [first, second] = [talk(listener, ''), talk(listener, '')];
    await Promise.all([first, second].map(({ socket }) => once(socket, 'connect')));
    expect(await talk(listener, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').all).toBe('');
    first.socket.destroy();
    second.socket.destroy();
  });
});

it('one address may hold so many connections and no more, and again when it lets go (R-48)', async () => {
  const listener = await listen(handler, { host: '127.0.0.1', port: 0, maxPerAddress: 3 });
  listeners.push(listener);
  const from = (localAddress: string): Talk => talk(listener, '', localAddress);
  const held = ['127.0.0.1', '127.0.0.1', '127.0.0.1'].map(from);
  await Promise.all(held.map(({ socket }) => once(socket, 'connect')));
  expect(await from('127.0.0.1').all).toBe('');
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  expect(await talk(listener, request, '127.0.0.2').all).toMatch(/^HTTP\/1\.1 200 /);
  held[0]?.socket.destroy();
  await held[0]?.all;
  let answer = '';
  while (answer === '') answer = await talk(listener, request, '127.0.0.1').all;
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  for (const { socket } of held) socket.destroy();
});

describe('drain (R-69)', () => {
  const ask = (listener: Listener, path: string, agent?: Agent): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get({ port: listener.address.port, host: HOST, path, agent }, (response) => {
        response.resume();
        response.once('end', () => {
          resolve(response);
        });
      }).on('error', reject);
    });

  it('lets a request under way finish, takes no new one, and is done then, kept-alive connections or not', async () => {
    const agent = new Agent({ keepAlive: true });
    const listener = await open();
    await ask(listener, '/idle', agent);
    const underWay = ask(listener, '/slow', agent);
    await slowArrived();
    const began = performance.now();
    const drained = listener.drain(20_000);
    await expect(ask(listener, '/new')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    slow[0]?.end('done');
    const answer = await underWay;
    expect(answer.statusCode).toBe(200);
    expect(answer.headers.connection).toBe('close');
    await drained;
    expect(performance.now() - began).toBeLessThan(5_000);
    agent.destroy();
  });

  it('ends a connection whose answer was already on its way when it began', async () => {
    const agent = new Agent({ keepAlive: true });
    const listener = await open();
    const underWay = ask(listener, '/slow', agent);
    await slowArrived();
    slow[0]?.write('half');
    const began = performance.now();
    const drained = listener.drain(20_000);
    slow[0]?.end('and half');
    expect((await underWay).statusCode).toBe(200);
    await drained;
    expect(performance.now() - began).toBeLessThan(5_000);
    agent.destroy();
  });

  it('closes idle connections at once', async () => {
    const agent = new Agent({ keepAlive: true });
    const listener = await open();
    await ask(listener, '/idle', agent);
    const began = performance.now();
    await listener.drain(20_000);
    expect(performance.now() - began).toBeLessThan(1_000);
    agent.destroy();
  });

  it('cuts what is left when the grace is over', async () => {
    const listener = await open();
    const underWay = ask(listener, '/slow').catch((error: unknown) => error);
    await slowArrived();
    await listener.drain(50);
    expect(await underWay).toMatchObject({ code: 'ECONNRESET' });
  });
});

it('rejects when the address is taken, and says which', async () => {
  const { address } = await open();
  await expect(listen(handler, { host: HOST, port: address.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('tells where it listens', async () => {
  const port = await unusedPort();
  const listener = await listen(handler, { host: HOST, port });
  expect(listener.address).toMatchObject({ address: HOST, port });
  await listener.drain(0);
});
