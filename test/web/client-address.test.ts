import type { Route } from '#src/web/route-table.js';
import { clientAddress } from '#src/web/client-address.js';
import { openToolkitSite } from './toolkit-site.js';

const PROXIES = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1'];
const CLIENT = '198.51.100.23';

describe('whose request it is (R-13, R-21)', () => {
  it.each<[string, string | undefined, string | undefined, string]>([
    ['no proxy', CLIENT, undefined, CLIENT],
    ['no proxy, a forged header', CLIENT, '203.0.113.1', CLIENT],
    ['no proxy, a forged header of a proxy', CLIENT, '10.0.0.1', CLIENT],
    ['one proxy', '10.0.0.1', CLIENT, CLIENT],
    ['one proxy by its address', '192.0.2.7', CLIENT, CLIENT],
    ['its neighbour is none', '192.0.2.8', CLIENT, '192.0.2.8'],
    ['one proxy without the header', '10.0.0.1', undefined, '10.0.0.1'],
    ['one proxy, a forged entry before ours', '10.0.0.1', `203.0.113.1, ${CLIENT}`, CLIENT],
    ['two proxies', '10.0.0.1', `${CLIENT}, 10.9.9.9`, CLIENT],
    ['two proxies, a forged entry', '10.0.0.1', `203.0.113.1, ${CLIENT},10.9.9.9`, CLIENT],
    ['two proxies, a forged entry of a proxy', '10.0.0.1', `10.1.1.1, ${CLIENT}, 10.9.9.9`, CLIENT],
    ['proxies all the way', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a name', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['a name behind a proxy', '10.0.0.1', 'evil.example, 10.0.0.2', '10.0.0.2'],
    ['an address with a port', '10.0.0.1', `${CLIENT}:4711`, '10.0.0.1'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['commas', '10.0.0.1', ',,,', '10.0.0.1'],
    ['an empty last entry', '10.0.0.1', `${CLIENT},`, '10.0.0.1'],
    ['an address of ten thousand letters', '10.0.0.1', '1'.repeat(10_000), '10.0.0.1'],
    ['IPv4 in IPv6', '::ffff:10.0.0.1', `::ffff:${CLIENT}`, CLIENT],
    ['IPv4 in IPv6, in capitals', '::FFFF:10.0.0.1', `::FFFF:${CLIENT}`, CLIENT],
    ['IPv6', '2001:db8::5', '2001:db9::1', '2001:db9::1'],
    ['IPv6 on this machine', '::1', CLIENT, CLIENT],
    ['IPv6 that is no proxy', '2001:db9::1', CLIENT, '2001:db9::1'],
    ['IPv6 with a zone', 'fe80::1%eth0', CLIENT, 'fe80::1%eth0'],
    ['a socket that is gone', undefined, CLIENT, '0.0.0.0'],
  ])('%s', (_, socket, forwardedFor, address) => {
    expect(clientAddress(PROXIES)(socket, forwardedFor)).toBe(address);
  });

  it('is the socket alone when no proxy is trusted', () => {
    expect(clientAddress([])('127.0.0.1', CLIENT)).toBe('127.0.0.1');
    expect(clientAddress([])('::ffff:127.0.0.1', CLIENT)).toBe('127.0.0.1');
  });

  const route: Route = {
    method: 'GET',
    path: '/address',
    access: 'anyone',
    handle: (ctx) => {
      ctx.body = ctx.state.address;
    },
  };
  it.each([
    [[], '127.0.0.1'],
    [['127.0.0.0/8'], '203.0.113.9'],
  ])('reaches the handler over a real socket; trusted: %j', async (trustedProxies, address) => {
    const site = await openToolkitSite({ trustedProxies, routes: () => [route] });
    // Sent as two headers: the last entry counts, not the last header alone.
    const answer = await site.ask('/address', { headers: { 'x-forwarded-for': ['198.51.100.1', '203.0.113.9'] } });
    expect(answer.text).toBe(address);
    await site.stop();
  });
});
