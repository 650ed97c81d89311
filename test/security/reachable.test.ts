import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFormPost } from '#src/security/outbound-form.js';
import { createReachable, Unreachable, type Reachable } from '#src/security/reachable.js';

const production = createReachable({ privateHosts: [], allowsLoopback: false });
const development = createReachable({ privateHosts: [], allowsLoopback: true });
const listed = createReachable({
  privateHosts: ['10.20.0.0/16', '192.168.7.9', 'fd00:20::/32', 'localhost'],
  allowsLoopback: false,
});

const refuses = (reachable: Reachable, host: string): boolean => {
  try {
    reachable.requireHost(new URL(`http://${host}/`).hostname);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Unreachable);
    return true;
  }
};

describe('what may be called (R-50)', () => {
  it.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.0.0.1',
    '100.64.3.4',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.192',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '255.255.255.255',
    // Other ways to write them.
    '2130706433',
    '0x7f.1',
    '017700000001',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[0:0:0:0:0:ffff:c0a8:101]',
    '[64:ff9b::a00:1]',
    '[fe80::1]',
    '[fc00::1]',
    '[fd00:20::1]',
    '[ff02::1]',
    '[2001:db8::1]',
    '[2002:a00:1::]',
    '[2001::1]',
  ])('is not %s', (host) => {
    expect(refuses(production, host)).toBe(true);
  });

  it.each(['1.1.1.1', '172.15.0.1', '172.32.0.1', '192.169.0.1', '100.128.0.1', '[2606:4700::1]', '[::ffff:1.1.1.1]'])(
    'is %s',
    (host) => {
      expect(refuses(production, host)).toBe(false);
    },
  );

  it('is this machine outside production, and nothing else that is private', () => {
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) expect(refuses(development, host)).toBe(false);
    for (const host of ['10.0.0.1', '169.254.169.254', '[fd00::1]']) expect(refuses(development, host)).toBe(true);
  });

  it('is what operators list, and nothing beside it', () => {
    for (const host of ['10.20.0.1', '10.20.255.254', '192.168.7.9', '[fd00:20::5]', '[::ffff:10.20.3.4]'])
      expect(refuses(listed, host)).toBe(false);
    for (const host of ['10.21.0.1', '192.168.7.8', '[fd00:21::5]', '127.0.0.1'])
      expect(refuses(listed, host)).toBe(true);
  });
});

describe('a name', () => {
  let port: number;
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const post = (reachable: Reachable, host = 'localhost') =>
    createFormPost({ reachable, timeoutMs: 2_000 })(new URL(`http://${host}:${port}/`), {
      fields: { a: '1' },
      signal: new AbortController().signal,
    });

  it('that leads to a private address is not connected to', async () => {
    expect(await post(production)).toEqual({ kind: 'failed', reason: 'private_address' });
    expect(await post(production, '127.0.0.1')).toEqual({ kind: 'failed', reason: 'private_address' });
    expect(connections).toBe(0);
  });

  it('is, when it or its address is allowed', async () => {
    expect(await post(listed)).toEqual({ kind: 'answered', status: 204 });
    expect(await post(development)).toEqual({ kind: 'answered', status: 204 });
    expect(connections).toBe(2);
    // Listed by its name, not by its address.
    expect(await post(listed, '127.0.0.1')).toMatchObject({ kind: 'failed' });
  });

  it('is looked up for every call, and connected to at the address that was judged', async () => {
    const seen: string[] = [];
    const rebinding: Reachable = {
      requireHost: () => undefined,
      lookup: (hostname, options, answer) => {
        seen.push(hostname);
        development.lookup('localhost', options, answer);
      },
    };
    expect(await post(rebinding, 'sampel.invalid')).toEqual({ kind: 'answered', status: 204 });
    expect(await post(rebinding, 'sampel.invalid')).toEqual({ kind: 'answered', status: 204 });
    expect(seen).toEqual(['sampel.invalid', 'sampel.invalid']);
  });

  it('that does not exist is told as its code', async () => {
    expect(await post(production, 'tidak-ada.invalid')).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) as unknown,
    });
  });
});
