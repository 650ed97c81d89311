import { cookiesOf, openToolkitSite, posted, type Answer, type ToolkitSite } from './toolkit-site.js';

const ISSUER = 'https://sso.example';
const ADMIN = 'https://petugas.example';
const PATHS = ['/sign-in/:uid/otp', '/sign-in/:uid/password', '/reset/password', '/logout'];
let changes: string[];

let site: ToolkitSite;
beforeAll(async () => {
  site = await openToolkitSite({
    issuer: ISSUER,
    adminOrigin: ADMIN,
    routes: (write, tokens) => [
      ...PATHS.flatMap((path) => [
        {
          method: 'GET' as const,
          path,
          access: 'anyone' as const,
          handle: (ctx: Parameters<typeof tokens.issue>[0]) => {
            write(ctx, 'front', {});
            ctx.body = tokens.issue(ctx);
          },
        },
        {
          method: 'POST' as const,
          path,
          access: 'anyone' as const,
          handle: (ctx: Parameters<typeof tokens.issue>[0]) => {
            changes.push(ctx.path);
            ctx.body = 'changed';
          },
        },
      ]),
      {
        method: 'POST',
        path: '/api/things',
        access: 'bearer',
        handle: (ctx) => {
          changes.push(ctx.path);
          ctx.body = 'changed';
        },
      },
    ],
  });
});
beforeEach(() => {
  changes = [];
});
afterAll(() => site.stop());

/** A page opened by a browser of its own. */
async function open(path: string, host = 'sso.example'): Promise<{ cookie: string; csrf: string }> {
  const page = await site.ask(path, { headers: { host } });
  return { cookie: cookiesOf(page), csrf: page.text };
}
const post = (path: string, fields: Record<string, string>, headers: Record<string, string>): Promise<Answer> =>
  site.ask(path, posted(fields, headers));

const OTP = '/sign-in/one/otp';

describe('a form of ours (R-29, A23)', () => {
  it('is taken with the token of its browser and interaction, on every page of it', async () => {
    const { cookie, csrf } = await open(OTP);
    expect(csrf).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect((await post(OTP, { csrf }, { cookie })).status).toBe(200);
    expect((await post('/sign-in/one/password', { csrf }, { cookie })).status).toBe(200);
    expect(changes).toEqual([OTP, '/sign-in/one/password']);
  });

  it('has the same token each time: two tabs and the back button work', async () => {
    const { cookie, csrf } = await open(OTP);
    const again = await site.ask(OTP, { headers: { cookie } });
    expect(again.text).toBe(csrf);
    expect(again.cookies).toEqual([]);
  });

  it.each<[string, Record<string, string>, number]>([
    ['neither header, as old browsers send', {}, 200],
    ['our own origin', { origin: ISSUER, 'sec-fetch-site': 'same-origin' }, 200],
    ['our own origin alone', { origin: ISSUER }, 200],
    ['Sec-Fetch-Site: same-origin alone', { 'sec-fetch-site': 'same-origin' }, 200],
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, 403],
    ['Sec-Fetch-Site: none', { 'sec-fetch-site': 'none' }, 403],
    ['cross-site from our own origin', { origin: ISSUER, 'sec-fetch-site': 'cross-site' }, 403],
    ['another origin', { origin: 'https://evil.example' }, 403],
    [
      'another origin that claims same-origin',
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      403,
    ],
    ['an origin that begins like ours', { origin: `${ISSUER}.evil.example` }, 403],
    ['our origin without TLS', { origin: 'http://sso.example' }, 403],
    ['our origin with another port', { origin: `${ISSUER}:8443` }, 403],
    ['our other origin', { origin: ADMIN }, 403],
    ['Origin: null', { origin: 'null' }, 403],
  ])('with the right token and %s', async (_, headers, status) => {
    const { cookie, csrf } = await open(OTP);
    const answer = await post(OTP, { csrf }, { cookie, ...headers });
    expect(answer.status).toBe(status);
    expect(answer.text.includes('data-error="csrf_mismatch"')).toBe(status === 403);
    expect(changes).toHaveLength(status === 200 ? 1 : 0);
  });

  const mine = (): Promise<{ cookie: string; csrf: string }> => open(OTP);
  it.each<[string, () => Promise<{ cookie: string; csrf?: string }>]>([
    ['no token', async () => ({ cookie: (await mine()).cookie })],
    ['an empty token', async () => ({ ...(await mine()), csrf: '' })],
    ['a token of nothing', async () => ({ ...(await mine()), csrf: 'A'.repeat(43) })],
    ['half a token', async () => mine().then(({ cookie, csrf }) => ({ cookie, csrf: csrf.slice(0, 20) }))],
    ['what follows a token, and no token', async () => ({ ...(await mine()), csrf: '.1790000000000.AAAA' })],
    ['a token and more', async () => mine().then(({ cookie, csrf }) => ({ cookie, csrf: `${csrf}AAAA` }))],
    ['the token of another browser', async () => ({ cookie: (await mine()).cookie, csrf: (await mine()).csrf })],
    ['the token of another interaction', async () => withTokenOf('/sign-in/two/otp')],
    ['the token of a page outside the sign-in', async () => withTokenOf('/reset/password')],
    ['no cookie', async () => ({ cookie: '', csrf: (await mine()).csrf })],
    [
      'a cookie without its signature',
      async () => mine().then(({ cookie, csrf }) => ({ cookie: cookie.split(';')[0] ?? '', csrf })),
    ],
    [
      'a cookie with another signature',
      async () =>
        mine().then(({ cookie, csrf }) => ({
          cookie: cookie.replace(/\.sig=.*/, '.sig=AAAAAAAAAAAAAAAAAAAAAAAAAAA'),
          csrf,
        })),
    ],
    [
      'a cookie planted beside ours (A22)',
      async () => mine().then(({ cookie, csrf }) => ({ cookie: `${cookie}; __Host-browser=planted`, csrf })),
    ],
  ])('is refused with %s', async (_, make) => {
    const { cookie, csrf } = await make();
    const answer = await post(OTP, csrf === undefined ? {} : { csrf }, { cookie, origin: ISSUER });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('data-error="csrf_mismatch"');
    expect(changes).toEqual([]);
  });

  /** One browser, the token of another page. */
  async function withTokenOf(path: string): Promise<{ cookie: string; csrf: string }> {
    const { cookie } = await open(OTP);
    return { cookie, csrf: (await site.ask(path, { headers: { cookie } })).text };
  }

  it('is not let around its token by another spelling of its path', async () => {
    const { cookie, csrf } = await open(OTP);
    for (const path of ['/SIGN-IN/one/otp', '/Sign-In/two/otp', `${OTP}/`, '//sign-in/one/otp']) {
      expect((await post(path, { csrf }, { cookie })).status).toBe(404);
    }
    expect((await post('/sign-in/two/otp', { csrf }, { cookie })).status).toBe(403);
    expect(changes).toEqual([]);
  });

  it('says why in the log, and never with the token', async () => {
    const { cookie, csrf } = await open(OTP);
    await post(OTP, { csrf }, { cookie, origin: 'https://evil.example' });
    expect(site.log.lines.findLast(({ message }) => message === 'refused')?.fields).toMatchObject({
      reason: 'other origin',
    });
    expect(JSON.stringify(site.log.lines)).not.toContain(csrf);
  });
});

it('the API is authorised by its bearer token and needs no form token', async () => {
  expect((await site.ask('/api/things', { method: 'POST', body: '{}' })).status).toBe(200);
});

it("a GET of a form's address changes nothing, whatever it carries", async () => {
  const { cookie, csrf } = await open(OTP);
  await site.ask(`${OTP}?csrf=${csrf}&otp=123456`, { headers: { cookie } });
  await site.ask(`${OTP}?_method=POST&csrf=${csrf}`, { headers: { cookie, 'x-http-method-override': 'POST' } });
  expect(changes).toEqual([]);
});
