import { randomBytes } from 'node:crypto';
import { clearCookie, readCookie, setCookie } from '#src/web/cookies.js';
import { leaveNotice, takeNotice } from '#src/web/notice.js';
import type { Route } from '#src/web/route-table.js';
import { cookiesOf, openToolkitSite, type Answer, type ToolkitSite } from './toolkit-site.js';

const [k1, k2] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

const routes = (): readonly Route[] => [
  {
    method: 'GET',
    path: '/set',
    access: 'anyone',
    handle: (ctx) => {
      setCookie(ctx, 'whole', 'a');
      setCookie(ctx, 'part', 'b', { path: '/reset' });
      setCookie(ctx, 'long', 'c', { maxAgeSeconds: 3_600 });
      ctx.body = '';
    },
  },
  {
    method: 'GET',
    path: '/reset/clear',
    access: 'anyone',
    handle: (ctx) => {
      clearCookie(ctx, 'whole');
      clearCookie(ctx, 'part', '/reset');
      ctx.body = '';
    },
  },
  {
    method: 'GET',
    path: '/read',
    access: 'anyone',
    handle: (ctx) => {
      ctx.body = JSON.stringify([readCookie(ctx, 'whole') ?? null, readCookie(ctx, 'part', '/reset') ?? null]);
    },
  },
  {
    method: 'GET',
    path: '/leave',
    access: 'anyone',
    handle: (ctx) => {
      leaveNotice(ctx, 'resent');
      ctx.body = '';
    },
  },
  {
    method: 'GET',
    path: '/take',
    access: 'anyone',
    handle: (ctx) => {
      ctx.body = String(takeNotice(ctx, 'resent'));
    },
  },
];

/** Name, value and attributes of a Set-Cookie line, told apart by hand. */
function parse(line: string): { name: string; value: string; attributes: Record<string, string> } {
  const [pair = '', ...rest] = line.split('; ');
  const [name = '', ...value] = pair.split('=');
  const attributes = rest
    .map((attribute) => attribute.split('='))
    .map(([key = '', text = '']) => [key.toLowerCase(), text]);
  return { name, value: value.join('='), attributes: Object.fromEntries(attributes) as Record<string, string> };
}

describe.each([
  ['https://sso.example', true],
  ['http://sso.example:3000', false],
])('cookies on %s (R-28)', (issuer, secure) => {
  let site: ToolkitSite;
  beforeAll(async () => {
    site = await openToolkitSite({ issuer, routes, cookieKeys: [k1] });
  });
  afterAll(() => site.stop());

  const [host, part] = secure ? ['__Host-', '__Secure-'] : ['', ''];
  const names = [`${host}whole`, `${part}part`, `${host}long`];
  const always = { httponly: '', samesite: 'lax', ...(secure && { secure: '' }) };

  it('all have their attributes and prefix, the signatures too, and fit', async () => {
    const { cookies } = await site.ask('/set');
    const found = cookies.map(parse);
    expect(found.map(({ name }) => name)).toEqual(names.flatMap((name) => [name, `${name}.sig`]));
    for (const { name, attributes } of found) {
      const path = name.startsWith(`${part}part`) ? '/reset' : '/';
      expect({ name, attributes }).toEqual({
        name,
        attributes: { ...always, path, ...(name.includes('long') && { expires: expect.any(String) as string }) },
      });
      // A __Host- cookie has the path / and no domain (RFC 6265bis section 4.1.3.2).
      expect(attributes).not.toHaveProperty('domain');
    }
    expect(Math.max(...cookies.map((line) => line.length))).toBeLessThan(4_096);
  });

  it('on error pages conform as well', async () => {
    const { cookies, status } = await site.ask('/nowhere?lang=en');
    expect(status).toBe(404);
    expect(cookies.map((line) => parse(line).name)).toEqual(
      ['browser', 'lang'].flatMap((name) => [host + name, `${host}${name}.sig`]),
    );
    for (const line of cookies) expect(parse(line).attributes).toMatchObject({ ...always, path: '/' });
  });

  it('end with the browser session unless told otherwise', async () => {
    const found = (await site.ask('/set')).cookies.map(parse);
    const expires = (name: string): string | undefined =>
      found.find((cookie) => cookie.name === name)?.attributes.expires;
    expect([expires(names[0] ?? ''), expires(names[1] ?? '')]).toEqual([undefined, undefined]);
    const seconds = (Date.parse(expires(names[2] ?? '') ?? '') - Date.now()) / 1000;
    expect(Math.abs(seconds - 3_600)).toBeLessThan(5);
  });

  const read = async (cookie: string): Promise<unknown> =>
    JSON.parse((await site.ask('/read', { headers: { cookie } })).text) as unknown;
  const nothing = [null, null];

  it('are read back when their signature is ours', async () => {
    expect(await read(cookiesOf(await site.ask('/set')))).toEqual(['a', 'b']);
    expect(await read('')).toEqual(nothing);
  });

  it.each<[string, (set: Answer) => string]>([
    ['without their signatures', (set) => cookiesOf(set).replaceAll(/[^;]*\.sig=[^;]*;?/g, '')],
    ['with a changed value', (set) => cookiesOf(set).replaceAll(/(whole|part)=./g, '$1=x')],
    ['with an empty signature', (set) => cookiesOf(set).replaceAll(/\.sig=[^;]*/g, '.sig=')],
    ["with another cookie's signature", (set) => swapSignatures(cookiesOf(set))],
    [
      'under the names of the other protocol',
      (set) =>
        cookiesOf(set).replaceAll(/__(Host|Secure)-|(^|; )(?=\w)/g, (found) =>
          found.startsWith('__') ? '' : `${found}__Host-`,
        ),
    ],
    ['sent twice (A22)', (set) => `${cookiesOf(set)}; ${names[0] ?? ''}=planted; ${names[1] ?? ''}=planted`],
    [
      'sent twice, the planted one first',
      (set) => `${names[0] ?? ''}=planted; ${names[1] ?? ''}=planted; ${cookiesOf(set)}`,
    ],
  ])('are as good as absent %s', async (_, spoil) => {
    const cookie = spoil(await site.ask('/set'));
    expect(cookie).not.toBe('');
    expect(await read(cookie)).toEqual(nothing);
  });

  function swapSignatures(cookie: string): string {
    const signatures = [...cookie.matchAll(/\.sig=([^;]*)/g)].map(([, signature = '']) => signature);
    signatures.push(signatures.shift() ?? '');
    return cookie.replaceAll(/\.sig=[^;]*/g, () => `.sig=${signatures.shift() ?? ''}`);
  }

  it.each(['=', ';;;', '\u0001', 'whole', `${'x'.repeat(8_000)}=1`, '__proto__=1; constructor=2', 'whole="a'])(
    'malformed as %j are no error',
    async (cookie) => {
      const answer = await site.raw(
        `GET /read HTTP/1.1\r\nHost: ${new URL(issuer).host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer.slice(9, 12)).toMatch(/200|400/);
      if (answer.startsWith('HTTP/1.1 200')) expect(answer).toContain('[null,null]');
    },
  );

  it('are cleared with their signatures, under the same path and prefix', async () => {
    const found = (await site.ask('/reset/clear')).cookies.map(parse);
    expect(found.map(({ name }) => name).sort()).toEqual(
      names
        .slice(0, 2)
        .flatMap((name) => [name, `${name}.sig`])
        .sort(),
    );
    for (const { name, attributes } of found) {
      expect(Date.parse(attributes.expires ?? '')).toBe(0);
      expect(attributes).toMatchObject({ ...always, path: name.includes('part') ? '/reset' : '/' });
    }
  });

  it('live through a rotation of the keys, signed anew with the first', async () => {
    const old = cookiesOf(await site.ask('/set'));
    const rotated = await openToolkitSite({ issuer, routes, cookieKeys: [k2, k1] });
    const later = await openToolkitSite({ issuer, routes, cookieKeys: [k2] });
    const readAt = async (of: ToolkitSite, cookie: string): Promise<unknown> =>
      JSON.parse((await of.ask('/read', { headers: { cookie } })).text) as unknown;
    expect(await readAt(rotated, old)).toEqual(['a', 'b']);
    expect(await readAt(later, cookiesOf(await rotated.ask('/set')))).toEqual(['a', 'b']);
    expect(await readAt(later, old)).toEqual(nothing);
    await Promise.all([rotated.stop(), later.stop()]);
  });

  it('carry a notice to the next page, once', async () => {
    const left = cookiesOf(await site.ask('/leave'));
    const first = await site.ask('/take', { headers: { cookie: left } });
    expect(first.text).toBe('true');
    expect(first.cookies.map((line) => Date.parse(parse(line).attributes.expires ?? ''))).toEqual([0, 0]);
    const forged = left.replace(/=resent/, '=other');
    expect((await site.ask('/take', { headers: { cookie: forged } })).text).toBe('false');
    expect((await site.ask('/take')).text).toBe('false');
  });
});
