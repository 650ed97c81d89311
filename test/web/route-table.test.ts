import type { PageContext } from '#src/web/request.js';
import type { Route } from '#src/web/route-table.js';
import { redirect } from '#src/web/redirect.js';
import { cookiesOf, openToolkitSite, posted, type ToolkitSite } from './toolkit-site.js';

let site: ToolkitSite;
let called: string[];
const handle = (name: string) => (ctx: PageContext) => {
  called.push(name);
  ctx.body = JSON.stringify(ctx.params);
};
const read = (path: string): Route => ({ method: 'GET', path, access: 'anyone', handle: handle(`GET ${path}`) });
const call = (method: 'POST' | 'DELETE', path: string): Route => ({
  method,
  path,
  access: 'bearer',
  handle: handle(`${method} ${path}`),
});

beforeAll(async () => {
  site = await openToolkitSite({
    routes: (write, tokens) => [
      read('/'),
      read('/sign-in/:uid'),
      read('/sign-in/:uid/otp'),
      read('/captcha/:id.png'),
      call('POST', '/api/things'),
      call('DELETE', '/api/things/:id'),
      {
        method: 'GET',
        path: '/token',
        access: 'anyone',
        handle: (ctx) => {
          write(ctx, 'front', {});
          ctx.body = tokens.issue(ctx);
        },
      },
      {
        method: 'POST',
        path: '/form',
        access: 'anyone',
        handle: (ctx, fields) => {
          called.push(`POST /form ${fields.get('a') ?? ''}`);
          redirect(ctx, '/');
        },
      },
    ],
  });
});
beforeEach(() => {
  called = [];
});
afterAll(() => site.stop());

describe('the table of routes', () => {
  it.each([
    ['GET', '/', 'GET /', {}],
    ['GET', '/sign-in/abc', 'GET /sign-in/:uid', { uid: 'abc' }],
    ['GET', '/sign-in/abc/otp?x=1', 'GET /sign-in/:uid/otp', { uid: 'abc' }],
    ['GET', '/sign-in/a%20b', 'GET /sign-in/:uid', { uid: 'a b' }],
    ['GET', '/captcha/x1.png', 'GET /captcha/:id.png', { id: 'x1' }],
    ['DELETE', '/api/things/7', 'DELETE /api/things/:id', { id: '7' }],
    ['POST', '/api/things', 'POST /api/things', {}],
  ])('%s %s is %s', async (method, path, handler, params) => {
    const answer = await site.ask(path, { method });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual(params);
    expect(called).toEqual([handler]);
  });

  it('answers HEAD where it answers GET', async () => {
    expect((await site.ask('/sign-in/abc', { method: 'HEAD' })).status).toBe(200);
  });

  it.each([
    ['GET', '/nowhere'],
    ['GET', '/sign-in'],
    ['GET', '/sign-in/'],
    ['GET', '/sign-in/abc/'],
    ['GET', '/SIGN-IN/abc'],
    ['GET', '/sign-in/abc/otp/x.css'],
    ['GET', '/sign-in/abc/OTP'],
    ['GET', '//'],
    ['GET', '/sign-in//otp'],
    ['GET', '/captcha/x1.PNG'],
    ['GET', '/captcha/a/b.png'],
    ['POST', '/sign-in/abc'],
    ['GET', '/form'],
    ['PUT', '/api/things'],
    ['DELETE', '/sign-in/abc'],
    ['TRACE', '/'],
    ['GET', '/%E0%A4%A'],
  ])('knows no %s %s: 404, from exact paths alone (A43)', async (method, path) => {
    const answer = await site.ask(path, { method });
    expect(answer.status).toBe(404);
    expect(called).toEqual([]);
  });

  it.each(['/sign-in/%', '/sign-in/%FF', '/sign-in/%C0%AF'])(
    'refuses what is no UTF-8, without an error: %s',
    async (path) => {
      const answer = await site.ask(path);
      expect([200, 400, 404]).toContain(answer.status);
      expect(site.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );

  it('hands a form its fields after the token was checked, and sends the browser on with 303 (RFC 9700 section 4.12)', async () => {
    const page = await site.ask('/token');
    const cookie = cookiesOf(page);
    const answer = await site.ask('/form', posted({ csrf: page.text, a: '1' }, { cookie }));
    expect([answer.status, answer.headers.location, answer.text]).toEqual([303, '/', '']);
    expect((await site.ask('/form', posted({ csrf: 'x', a: '2' }, { cookie }))).status).toBe(403);
    expect(called).toEqual(['POST /form 1']);
  });

  it('tells log and metrics the template, never the address with what stands in it (R-42)', async () => {
    await site.ask('/sign-in/199001012023211001/otp?code=123456');
    await site.ask('/nowhere/199001012023211001');
    // The line is written when the connection is done with the answer.
    const requests = () => site.log.lines.filter(({ message }) => message === 'request').slice(-2);
    while (!JSON.stringify(requests()).includes('"other"')) await new Promise((resolve) => setImmediate(resolve));
    expect(requests().map(({ fields }) => fields)).toMatchObject([
      { method: 'GET', route: '/sign-in/:uid/otp', status: 200 },
      { method: 'GET', route: 'other', status: 404 },
    ]);
    expect(JSON.stringify(site.log.lines)).not.toMatch(/19900101|123456/);
  });
});
