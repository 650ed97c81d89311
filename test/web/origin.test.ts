import type { Route } from '#src/web/route-table.js';
import { servedOrigins } from '#src/web/origin.js';
import { openToolkitSite, type ToolkitSite } from './toolkit-site.js';

/** Everything a handler could build an address from. */
const seen: Route = {
  method: 'GET',
  path: '/helpdesk/seen',
  access: 'anyone',
  handle: (ctx) => {
    ctx.cookies.set('c', '1');
    ctx.body = JSON.stringify({
      href: ctx.href,
      origin: ctx.origin,
      host: ctx.host,
      hostname: ctx.hostname,
      protocol: ctx.protocol,
      secure: ctx.secure,
      url: ctx.URL.href,
    });
  },
};
const redirecting: Route = {
  method: 'GET',
  path: '/go',
  access: 'anyone',
  handle: (ctx) => {
    ctx.redirect(new URL('/there', ctx.href).href);
  },
};

const ISSUER = 'https://sso.example';
let site: ToolkitSite;
beforeAll(async () => {
  site = await openToolkitSite({
    issuer: `${ISSUER}/realms/asn`,
    adminOrigin: 'https://petugas.example:8443',
    allowedHosts: ['lama.example', '[2001:db8::1]:444'],
    routes: () => [seen, redirecting],
  });
});
afterAll(() => site.stop());

const of = (origin: string): object => {
  const { host, hostname, protocol } = new URL(origin);
  const href = `${origin}/helpdesk/seen`;
  return { href, origin, host, hostname, protocol: protocol.slice(0, -1), secure: true, url: href };
};

describe('served hosts (R-13, A9)', () => {
  it.each([
    ['the issuer', 'sso.example', ISSUER],
    ['the issuer in capitals', 'SSO.Example', ISSUER],
    ['the admin origin', 'petugas.example:8443', 'https://petugas.example:8443'],
    ['a further host', 'lama.example', 'https://lama.example'],
    ['a further address', '[2001:db8::1]:444', 'https://[2001:db8::1]:444'],
  ])('%s is answered, and every address is of its origin', async (_, host, origin) => {
    const answer = await site.ask('/helpdesk/seen', { headers: { host } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual(of(origin));
  });

  it.each([
    'evil.example',
    'sso.example.evil.example',
    'evil.sso.example',
    'sso.example:443',
    'sso.example:8443',
    'petugas.example',
    'good:evil',
    'sso.example:evil',
    'sso.example@evil.example',
    'evil.example@sso.example',
    'sso.example/evil',
    'sso.example.',
    'sso.example,evil.example',
    'sso.example evil.example',
    'localhost',
    '127.0.0.1',
    '[::1]',
    '__proto__',
    '*',
    '',
  ])('%j is 421 and is not repeated', async (host) => {
    const answer = await site.raw(`GET /seen HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(body).toBe('{"type":"about:blank","title":"unknown_host","status":421,"code":"unknown_host"}');
    expect(`${head}${body}`).not.toContain('evil');
    expect(head).toMatch(/\r\nContent-Type: application\/problem\+json/i);
    expect(head).toMatch(/\r\nx-request-id: /i);
  });

  const line = 'Host: sso.example\r\n';
  it.each([
    ['two hosts, the good one first', `GET /seen HTTP/1.1\r\n${line}Host: evil.example\r\n`, '421'],
    ['two hosts, the good one last', `GET /seen HTTP/1.1\r\nHost: evil.example\r\n${line}`, '421'],
    ['the same host twice', `GET /seen HTTP/1.1\r\n${line}${line}`, '421'],
    ['two hosts in other capitals', `GET /seen HTTP/1.1\r\n${line}hOsT: evil.example\r\n`, '421'],
    ['no host', 'GET /seen HTTP/1.1\r\n', '400'],
    ['no host in HTTP/1.0', 'GET /seen HTTP/1.0\r\n', '421'],
    ['an absolute address of another host', `GET http://evil.example/seen HTTP/1.1\r\n${line}`, '421'],
    ['an absolute address of ours', `GET https://sso.example/seen HTTP/1.1\r\n${line}`, '421'],
    ['an absolute address with a foreign user', `GET http://sso.example@evil.example/seen HTTP/1.1\r\n${line}`, '421'],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${line}`, '421'],
    ['a tunnel', `CONNECT evil.example:443 HTTP/1.1\r\n${line}`, ''],
    ['a path that looks like a host', `GET //evil.example/seen HTTP/1.1\r\n${line}`, '404'],
  ])('%s', async (_, head, status) => {
    const answer = await site.raw(`${head}Connection: close\r\n\r\n`);
    expect(answer.slice(9, 12)).toBe(status);
    expect(answer).not.toMatch(/\/\/evil|@evil|: evil/);
  });

  it.each([
    ['x-forwarded-host', 'evil.example'],
    ['x-forwarded-proto', 'http'],
    ['x-forwarded-port', '666'],
    ['forwarded', 'host=evil.example;proto=http'],
    ['x-host', 'evil.example'],
    ['x-original-url', '/evil'],
    ['x-rewrite-url', '/evil'],
    ['x-original-host', 'evil.example'],
  ])('%s changes nothing, not even in a redirect', async (name, value) => {
    const answer = await site.ask('/helpdesk/seen', { headers: { [name]: value } });
    expect(JSON.parse(answer.text)).toEqual(of(ISSUER));
    const moved = await site.ask('/go', { headers: { [name]: value } });
    expect(moved.headers.location).toBe(`${ISSUER}/there`);
  });
});

it('an http issuer is not secure, and says so', async () => {
  const plain = await openToolkitSite({ issuer: 'http://localhost:3000', routes: () => [seen] });
  const answer = await plain.ask('/helpdesk/seen', { headers: { 'x-forwarded-proto': 'https' } });
  expect(JSON.parse(answer.text)).toMatchObject({ origin: 'http://localhost:3000', protocol: 'http', secure: false });
  await plain.stop();
});

it('origins are found by Host header alone, never by a name of Object.prototype', () => {
  const origins = servedOrigins({ issuer: new URL(ISSUER), adminOrigin: ISSUER, allowedHosts: [] });
  expect(origins.find('sso.example')?.href).toBe(`${ISSUER}/`);
  for (const host of [undefined, '', 'constructor', 'toString']) expect(origins.find(host)).toBeUndefined();
});
