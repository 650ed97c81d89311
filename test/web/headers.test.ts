import { Refusal } from '#src/kernel/refusal.js';
import type { GetRoute, Route } from '#src/web/route-table.js';
import { openToolkitSite, posted, type ToolkitSite } from './toolkit-site.js';

const get = (path: string, handle: GetRoute['handle']): Route => ({ method: 'GET', path, access: 'anyone', handle });
const routes = [
  get('/page', (ctx) => {
    ctx.body = 'page';
  }),
  get('/empty', (ctx) => {
    ctx.status = 204;
  }),
  get('/away', (ctx) => {
    ctx.redirect('/page');
  }),
  get('/forms', (ctx) => {
    ctx.state.formOrigins.push('https://rp.example', 'https://rp.example', 'https://other.example:8443');
    ctx.body = 'forms';
  }),
  get('/scripted', (ctx) => {
    ctx.state.isScripted = true;
    ctx.body = 'scripted';
  }),
  get('/own-policy', (ctx) => {
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox");
    ctx.state.formOrigins.push('https://rp.example');
    ctx.body = 'mail';
  }),
  get('/past-koa', (ctx) => {
    ctx.respond = false;
    ctx.res.statusCode = 303;
    ctx.res.setHeader('Location', '/page');
    ctx.res.end();
  }),
  get('/refused', () => {
    throw new Refusal('forbidden');
  }),
  get('/bug', () => {
    throw new Error('a bug');
  }),
  get('/api/bug', () => {
    throw new Error('a bug');
  }),
  { method: 'POST', path: '/post', access: 'anyone', handle: () => undefined } satisfies Route,
];

const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self' data:; media-src 'self'; form-action 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; object-src 'none'";
const EVERYWHERE = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': expect.stringContaining('camera=()') as string,
  'content-security-policy': POLICY,
  'x-request-id': expect.stringMatching(/^[\w-]{16}$/) as string,
};

describe.each([
  ['https://sso.example', 'max-age=63072000; includeSubDomains'],
  ['http://sso.example:3000', undefined],
])('security headers on %s (R-30)', (issuer, strictTransport) => {
  let site: ToolkitSite;
  beforeAll(async () => {
    site = await openToolkitSite({ issuer, routes: () => routes });
  });
  afterAll(() => site.stop());

  it.each([
    ['GET', '/page', 200],
    ['HEAD', '/page', 200],
    ['GET', '/empty', 204],
    ['GET', '/away', 302],
    ['GET', '/past-koa', 303],
    ['GET', '/refused', 403],
    ['GET', '/bug', 500],
    ['GET', '/api/bug', 500],
    ['GET', '/nowhere', 404],
    ['GET', '/page/x.css', 404],
    ['GET', '/%', 404],
    ['DELETE', '/page', 404],
    ['TRACE', '/page', 404],
    ['OPTIONS', '/page', 404],
    ['PROPFIND', '/page', 404],
    ['POST', '/post', 415],
  ])('are on %s %s, %i', async (method, path, status) => {
    const answer = await site.ask(path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ ...EVERYWHERE, 'cache-control': 'no-store' });
    expect(answer.headers['strict-transport-security']).toBe(strictTransport);
    expect(answer.headers).not.toHaveProperty('x-powered-by');
    expect(answer.headers).not.toHaveProperty('server');
  });

  it.each([
    ['a host of others', '/page', { host: 'evil.example' }, 421],
    ['a form of another site', '/post', { ...posted('').headers, 'sec-fetch-site': 'cross-site' }, 403],
  ])('are on the answer to %s', async (_, path, headers, status) => {
    const answer = await site.ask(path, {
      method: path === '/post' ? 'POST' : 'GET',
      headers,
    });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(EVERYWHERE);
    expect(answer.headers['strict-transport-security']).toBe(strictTransport);
  });

  it.each([{}, { 'accept-encoding': 'br' }])('are on the stylesheet, which may be cached: %j', async (headers) => {
    const first = await site.ask('/assets/styles.css', { headers });
    expect(first.status).toBe(200);
    const etag = first.headers.etag ?? '';
    const again = await site.ask('/assets/styles.css', { headers: { ...headers, 'if-none-match': etag } });
    expect(again.status).toBe(304);
    for (const answer of [first, again]) {
      expect(answer.headers).toMatchObject({
        ...EVERYWHERE,
        'cache-control': expect.stringMatching(/^public, max-age=\d+/) as string,
      });
      expect(answer.cookies).toEqual([]);
    }
  });

  it('name the origins where forms of a page may end, each once, and nobody else in the policy', async () => {
    const { headers } = await site.ask('/forms');
    expect(headers['content-security-policy']).toBe(
      POLICY.replace("form-action 'self'", "form-action 'self' https://rp.example https://other.example:8443"),
    );
    expect((await site.ask('/page')).headers['content-security-policy']).toBe(POLICY);
  });

  it('let a page that says so load our script and fetch from us, and no inline script anywhere', async () => {
    const { headers } = await site.ask('/scripted');
    const allowed = POLICY.replace("style-src 'self'", "script-src 'self'; connect-src 'self'; style-src 'self'");
    expect(headers['content-security-policy']).toBe(allowed);
    expect(headers['permissions-policy']).toContain('publickey-credentials-get=(self)');
  });

  it('leave a page its own, stricter policy', async () => {
    expect((await site.ask('/own-policy')).headers['content-security-policy']).toBe("default-src 'none'; sandbox");
  });

  it('give every answer another request id', async () => {
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await site.ask('/page')).headers['x-request-id']),
    );
    expect(new Set(ids).size).toBe(20);
    const forged = await site.ask('/page', { headers: { 'x-request-id': 'forged' } });
    expect(forged.headers['x-request-id']).not.toBe('forged');
  });
});
