import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { attributes } from '../support/person.js';
import type { Answer } from '../support/visitor.js';
import { addressesOf } from './support/addresses.js';
import { cookiesIn, expectSafe, type SentCookie } from './support/headers.js';
import { goTo, openHouse, STATIONS, uidOf, type House } from './support/stations.js';
import { errorsOf, FORM, type Reply, type Sending } from './support/wire.js';

const bytes = (count: number): string => 'a='.padEnd(count, 'x');

/** On https the program stands behind a proxy that ends TLS: the issuer says what browsers see. */
describe.each([
  ['http', {}],
  ['https', { ISSUER: 'https://sso.contoh.example', DEMO: 'false' }],
])('on %s', (scheme, settings) => {
  const secure = scheme === 'https';
  const seen: Answer[] = [];
  const ids: string[] = [];
  const cookies = new Map<string, SentCookie>();
  let house: House;
  beforeAll(async () => {
    house = await openHouse(settings, (answer) => seen.push(answer));
  });
  afterAll(() => house.stop());

  /** Every answer there was passes here. */
  function examine(path: string, reply: Pick<Reply, 'status' | 'headers' | 'body'>): void {
    expectSafe(reply, { path, secure });
    ids.push(String(reply.headers['x-request-id']));
    for (const cookie of cookiesIn(reply)) cookies.set(cookie.name, cookie);
  }
  async function send(sending: Sending): Promise<Reply> {
    const reply = await house.wire.send(sending);
    examine(sending.path, reply);
    return reply;
  }

  it.each(Object.entries(STATIONS))('the way to %s is safe, step by step (R-28, R-30)', async (name, way) => {
    seen.length = 0;
    const { visitor, page } = await way(house);
    expect(page.page).toBe(name);
    for (const address of [...attributes(page.body, 'src'), ...attributes(page.body, 'href')]) {
      if (address.startsWith('/') && !address.includes('lang=')) await visitor.ask(address);
    }
    await visitor.ask(`${page.path.split('?', 1)[0] ?? ''}?lang=en`);
    expect(seen.length).toBeGreaterThan(1);
    for (const answer of seen) examine(answer.path, answer);
  });

  it('every page of the table is safe for whom it expects and whom it does not', async () => {
    const { visitor, page } = await goTo(house, 'sign-in/password');
    for (const { method, path: pattern } of house.site.running.site.routes) {
      for (const path of addressesOf(pattern, uidOf(page))) {
        await send({ method, path });
        await send({ method, path, headers: { cookie: visitor.cookiesFor(path) } });
        // Of a neighbouring host, or of another age.
        const forged = visitor.cookiesFor(path).replaceAll(/(\.sig=)[^;]*/g, '$1wrong');
        await send({ method, path, headers: { cookie: forged } });
      }
    }
  });

  it.each<[string, Sending & { status: number; code?: string }]>([
    ['400, sent twice', { status: 400, method: 'POST', path: '/reset/weak', headers: FORM, body: 'a=1&a=2' }],
    ['400, half an escape', { status: 400, method: 'POST', path: '/reset/weak', headers: FORM, body: 'a=%E0%A4%A' }],
    ['400, asked twice', { status: 400, path: '/session/callback?code=a&code=b' }],
    ['400, at the provider', { status: 400, path: '/oidc/auth?client_id=nobody', code: 'invalid_input' }],
    ['403', { status: 403, method: 'POST', path: '/reset/weak', headers: FORM, body: '', code: 'csrf_mismatch' }],
    ['404', { status: 404, path: '/tidak/ada', code: 'not_found' }],
    ['404, of another method', { status: 404, method: 'PUT', path: '/reset', code: 'not_found' }],
    ['404, at the provider', { status: 404, path: '/oidc/nothing' }],
    ['404, in the API', { status: 401, path: '/api/admin/v1/nothing' }],
    ['404, below the assets', { status: 404, path: '/assets/../package.json' }],
    ['410', { status: 410, path: '/reset/password/email', code: 'flow_expired' }],
    ['410, at the provider', { status: 410, path: '/oidc/auth/nobody' }],
    ['413', { status: 413, method: 'POST', path: '/reset/weak', headers: FORM, body: bytes(16_385) }],
    [
      '413, without its length',
      {
        status: 413,
        method: 'POST',
        path: '/reset/weak',
        headers: { ...FORM, 'transfer-encoding': 'chunked' },
        body: bytes(16_385),
      },
    ],
    [
      '413, in the API',
      { status: 401, method: 'POST', path: '/api/admin/v1/accounts/1/mfa-reset', body: bytes(16_385) },
    ],
    [
      '415',
      { status: 415, method: 'POST', path: '/reset/weak', headers: { 'content-type': 'application/json' }, body: '{}' },
    ],
    ['421', { status: 421, path: '/', host: 'evil.example' }],
    [
      'a wrong client',
      {
        status: 401,
        method: 'POST',
        path: '/oidc/token',
        headers: { ...FORM, authorization: 'Basic YTpi' },
        body: 'grant_type=authorization_code&code=a',
      },
    ],
    ['no client', { status: 400, method: 'POST', path: '/oidc/token', headers: FORM, body: '' }],
    ['no token', { status: 401, path: '/oidc/userinfo' }],
    ['a wrong token', { status: 401, path: '/oidc/userinfo', headers: { authorization: 'Bearer none' } }],
    ['a request pushed by nobody', { status: 400, method: 'POST', path: '/oidc/par', headers: FORM, body: '' }],
    [
      'introspection by nobody',
      { status: 400, method: 'POST', path: '/oidc/introspect', headers: FORM, body: 'token=a' },
    ],
    ['revocation by nobody', { status: 400, method: 'POST', path: '/oidc/revoke', headers: FORM, body: 'token=a' }],
    [
      'a logout confirmed by nobody',
      { status: 400, method: 'POST', path: '/oidc/logout/confirm', headers: FORM, body: 'xsrf=a' },
    ],
    [
      'an authorization request by POST',
      { status: 303, method: 'POST', path: '/oidc/auth', headers: FORM, body: 'client_id=nobody' },
    ],
    [
      'a preflight',
      {
        status: 204,
        method: 'OPTIONS',
        path: '/oidc/token',
        headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      },
    ],
  ])('an answer that refuses is safe: %s', async (_, { status, code, ...sending }) => {
    const reply = await send(sending);
    expect(reply.status).toBe(status);
    if (code !== undefined) expect(errorsOf(reply)).toEqual([code]);
    expect(reply.body).not.toMatch(/\bat .*\.ts:|node_modules|Error:|SELECT |evil/);
  });

  it('a refused form is safe: 422, 429', async () => {
    const { visitor, page } = await goTo(house, 'sign-in/password');
    const statuses: number[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const typed = { username: '199001012015011009', password: 'salah-salah' };
      const answer = await visitor.submit(page, '/password', typed);
      examine(answer.path, answer);
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([422, 422, 422, 422, 422, 429]);
  });

  it('a failure is safe and tells nothing: 500, 503', async () => {
    const { db } = house.site.running.services;
    const { visitor } = await goTo(house, 'reset/password/email');
    const cookie = visitor.cookiesFor('/reset/password/email');
    await db.query('ALTER TABLE password_resets RENAME TO elsewhere');
    const broken = await send({ path: '/reset/password/email', headers: { cookie } });
    await db.query('ALTER TABLE elsewhere RENAME TO password_resets');
    expect([broken.status, errorsOf(broken)]).toEqual([500, ['unavailable']]);
    expect(broken.body).not.toMatch(/password_resets|relation|\bat .*:\d+|Error/);

    const replies = await db.transaction(async (tx) => {
      await tx.query('LOCK TABLE password_resets, sign_in_attempts, oidc_tokens IN ACCESS EXCLUSIVE MODE');
      return Promise.all([
        send({ path: '/reset/password/email', headers: { cookie } }),
        send({ path: '/oidc/userinfo', headers: { authorization: `Bearer ${'x'.repeat(43)}` } }),
      ]);
    });
    expect(replies.map(({ status }) => status)).toEqual([503, 503]);
    for (const { headers } of replies) expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(5);
  });

  it('files and documents that may be kept are safe and carry no cookie', async () => {
    const { visitor } = await goTo(house, 'sign-in/password');
    const front = await visitor.ask('/');
    const files = ['href', 'src']
      .flatMap((name) => attributes(front.body, name))
      .filter((path) => path.startsWith('/assets/'));
    expect(files.length).toBeGreaterThan(0);
    const documents = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server', '/oidc/jwks'];
    for (const path of [...files, '/assets/styles.css', ...documents]) {
      const forged = visitor.cookiesFor(path).replaceAll(/(\.sig=)[^;]*/g, '$1wrong');
      for (const cookie of ['', visitor.cookiesFor(path), forged]) {
        for (const encoding of ['identity', 'gzip', 'br']) {
          const reply = await send({ path, headers: { cookie, 'accept-encoding': encoding } });
          expect([path, reply.status]).toEqual([path, 200]);
          const again = { cookie, 'if-none-match': String(reply.headers.etag) };
          if (path.startsWith('/assets/')) expect((await send({ path, headers: again })).status).toBe(304);
        }
        expect((await send({ method: 'HEAD', path, headers: { cookie } })).status).toBe(200);
      }
    }
  });

  it('an answer for machines carries no cookie', async () => {
    for (const [method, path] of [
      ['GET', '/oidc/userinfo'],
      ['POST', '/oidc/userinfo'],
      ['POST', '/oidc/token'],
      ['POST', '/oidc/par'],
      ['POST', '/oidc/introspect'],
      ['POST', '/oidc/revoke'],
      ['OPTIONS', '/oidc/token'],
      ['GET', '/api/admin/v1/anything'],
      ['POST', '/api/admin/v1/accounts/1/mfa-reset'],
    ] as const) {
      const origin = 'https://app.example';
      const reply = await send({ method, path, headers: { ...FORM, origin, 'access-control-request-method': 'POST' } });
      expect([method, path, cookiesIn(reply)]).toEqual([method, path, []]);
    }
  });

  it('saw every cookie there is, each with the name that its path allows', () => {
    const names = [...cookies.keys()].filter((name) => !name.endsWith('.sig'));
    // A login under way has a number in its name.
    const kinds = names.map((name) => name.replace(/-\d+$/, ''));
    const host = secure ? '__Host-' : '';
    const below = secure ? '__Secure-' : '';
    expect(kinds).toEqual(
      expect.arrayContaining([
        ...['browser', 'known', 'lang', 'portal', 'sid'].map((name) => `${host}${name}`),
        ...['captcha', 'int', 'login', 'reset'].map((name) => `${below}${name}`),
      ]),
    );
    for (const name of names) expect(cookies.has(`${name}.sig`)).toBe(true);
  });

  it('gave no two answers the same request id', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(300);
  });
});
