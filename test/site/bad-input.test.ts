import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { QuietLog } from '../support/quiet-log.js';
import { addressesOf } from './support/addresses.js';
import { chance } from './support/chance.js';
import { forgetTries } from './support/forget-tries.js';
import { bodyOf, formsOn, routeOf, type Form } from './support/forms.js';
import { COOKIES, ENCODED, HEADERS, NAMES, PATHS, SPOILERS, TYPES } from './support/hostile.js';
import { openHouse, STATIONS, type Station } from './support/stations.js';
import { FORM, speak, type Reply, type Sending } from './support/wire.js';

/** Longer than any answer may take. */
const PATIENCE_MS = 2000;
const LANES = 8;

const house = await openHouse();
const { site, wire } = house;
const { db, log } = site.running.services;
const random = chance(20_261_123);
afterAll(() => house.stop());

const stations = new Map<string, Station>();
const forms: Form[] = [];
let asked = 0;

/** Everybody asks from an address of their own: what one did must not shut out the next. */
const anAddress = (): string => `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`;

const isBad = ({ status, ms }: Reply): boolean => status === 0 || status >= 500 || ms > PATIENCE_MS;
const told = ({ asked: what, status, ms }: Reply): string => `${status} after ${Math.round(ms)} ms: ${what}`;

/** Sends all of it, several at once, and answers what came back. */
async function sendAll(sendings: readonly Sending[], lanes = LANES): Promise<Reply[]> {
  const replies: Reply[] = [];
  const queue = sendings.values();
  const send = async (sending: Sending): Promise<Reply> => {
    asked += 1;
    return wire.send({ ...sending, headers: { 'x-forwarded-for': anAddress(), ...sending.headers } });
  };
  const slow: Sending[] = [];
  const lane = async (): Promise<void> => {
    for (const sending of queue) {
      const reply = await send(sending);
      if (reply.ms > PATIENCE_MS) slow.push(sending);
      else replies.push(reply);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  // What hangs does so when it is asked alone, too; the rest had to wait for its turn.
  for (const sending of slow) replies.push(await send(sending));
  expect(replies.filter(isBad).map(told).slice(0, 10)).toEqual([]);
  return replies;
}

const posting = (form: Form, body: string, headers: Record<string, string> = {}): Sending => ({
  method: 'POST',
  path: form.path,
  headers: { ...FORM, cookie: form.visitor.cookiesFor(form.path), ...headers },
  body,
});

/** Objects of this realm and of the one that Node's own code lives in. */
const isPolluted = (): boolean => 'x' in {} || 'x' in Object(process.memoryUsage()) || 'x' in [];

beforeAll(async () => {
  for (const [name, way] of Object.entries(STATIONS)) stations.set(name, await way(house));
  for (const station of stations.values()) forms.push(...formsOn(station));
});

/** What went wrong by itself, whatever was answered. */
const faults = (): string[] => [
  ...new Set(
    (log as QuietLog).lines
      .filter(({ level }) => level === 'error')
      .map(({ fields }) => JSON.stringify({ ...fields, request_id: 0, stack: '' })),
  ),
];

it('knows every form there is', () => {
  const posted = site.running.site.routes.filter(({ method, access }) => method === 'POST' && access === 'anyone');
  const known = new Set(forms.map(routeOf));
  expect(posted.map(({ path }) => path).filter((path) => !known.has(path))).toEqual([]);
});

describe('what a form does not expect is refused, never a failure (R-47, R-67, A37, A41)', () => {
  it('in any of its fields', async () => {
    const lanes = forms.map(async (form) => {
      const statuses = new Set<number>();
      for (const [turn, value] of (form.inputs.length > 0 ? ENCODED : []).entries()) {
        if (turn % 4 === 0) await forgetTries(db);
        const [reply] = await sendAll([posting(form, bodyOf(form, { [random.one(form.inputs).name]: value }))], 1);
        statuses.add(reply?.status ?? 0);
      }
      return { path: routeOf(form), statuses, wanted: form.showsAgain ? [200] : [422, 303] };
    });
    // Else something before the form has kept it from seeing anything.
    for (const { path, statuses, wanted } of await Promise.all(lanes)) {
      if (statuses.size > 0) expect([path, wanted.some((status) => statuses.has(status))]).toEqual([path, true]);
    }
    expect(faults()).toEqual([]);
  });

  it('as its body', async () => {
    const sendings = forms.flatMap((form) =>
      SPOILERS.flatMap((spoil) =>
        [1, 2, 3].map(() => posting(form, spoil(bodyOf(form), random.one(ENCODED), random.one(NAMES)))),
      ),
    );
    await sendAll(sendings);
    expect(faults()).toEqual([]);
  });

  it('as the type of its body', async () => {
    const sendings = forms.flatMap((form) =>
      TYPES.map((type) => {
        const cookie = form.visitor.cookiesFor(form.path);
        const headers = type === undefined ? { cookie } : { cookie, 'content-type': type };
        return { ...posting(form, bodyOf(form)), headers };
      }),
    );
    await sendAll(sendings);
    expect(faults()).toEqual([]);
  });
});

describe('no address is a failure (A38, A39, A43)', () => {
  // The sample applications are all alike.
  const ours = site.running.site.routes.filter(({ path }) => !/^\/demo\/(?!myasn)/.test(path));
  const routes = new Set(ours.flatMap(({ path }) => addressesOf(path, 'nobody')));

  it('with any parameters', async () => {
    const names = ['lang', 'from', 'q', 'code', 'state', 'error', 'iss', 'id', ...NAMES.slice(0, 9)];
    const queries = [
      ...ENCODED.map((value) => names.map((name) => `${name}=${value.slice(0, 400)}`).join('&')),
      ...names.map((name) => `${name}=a&${name}=b`),
      ...names.map((name) => `${name}[]=a&${name}[x]=b`),
      'x'.repeat(12_000),
      '&'.repeat(12_000),
      'a=&'.repeat(4000),
    ];
    /** Each of so many, from another beginning each time. */
    const some = (every: number, from: number): string[] => queries.filter((_, index) => (index + from) % every === 0);
    const anonymous = [...routes].flatMap((path, from) => some(5, from).map((query) => ({ path: `${path}?${query}` })));
    const known = [...stations.values()].flatMap(({ visitor, page }, from) => {
      const path = page.path.split('?', 1)[0] ?? '';
      return some(2, from).map((query) => ({
        path: `${path}?${query}`,
        headers: { cookie: visitor.cookiesFor(path) },
      }));
    });
    await sendAll([...known, ...anonymous]);
    expect(faults()).toEqual([]);
  });

  it('with any cookies', async () => {
    await sendAll([...routes].flatMap((path) => COOKIES.map((cookie) => ({ path, headers: { cookie } }))));
    const mixed = [...stations.values()].flatMap(({ visitor, page: { path } }) =>
      COOKIES.filter((cookie) => cookie.length < 4000).map((cookie) => ({
        path,
        headers: { cookie: `${cookie}; ${visitor.cookiesFor(path)}` },
      })),
    );
    await sendAll(mixed);
    expect(faults()).toEqual([]);
  });

  it('with any other headers', async () => {
    const paths = [
      '/',
      '/reset/password',
      '/sign-in/x',
      '/assets/styles.css',
      '/oidc/jwks',
      '/api/admin/x',
      '/oidc/userinfo',
    ];
    const gets = paths.flatMap((path) => HEADERS.map((headers) => ({ path, headers })));
    const posts = ['/reset/weak', '/oidc/token', '/oidc/auth', '/api/admin/x'].flatMap((path) =>
      HEADERS.map((headers) => ({ method: 'POST', path, headers: { ...FORM, ...headers }, body: 'a=b' })),
    );
    await sendAll([...gets, ...posts]);
    expect(faults()).toEqual([]);
  });

  it('by any method', async () => {
    const methods = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'HEAD', 'QUERY'];
    const paths = [...routes, '/oidc/auth', '/oidc/token', '/oidc/jwks', '/assets/styles.css'];
    await sendAll(paths.flatMap((path) => methods.map((method) => ({ method, path }))));
    expect(faults()).toEqual([]);
  });
});

describe('what is no HTTP as we know it gets a 4xx or nothing', () => {
  const host = `Host: ${new URL(house.issuer).host}`;
  const close = 'Connection: close';
  const { port } = site.running;

  it.each(PATHS)('GET %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const began = performance.now();
      const heard = await speak(port, `${method} ${path} HTTP/1.1\r\n${host}\r\n${close}\r\nContent-Length: 0\r\n\r\n`);
      expect(heard).toMatch(/^HTTP\/1\.1 (2|3|4)\d\d /);
      expect(heard).not.toMatch(/sso-asn|root:|\nlocation: (\/\/|\/?\\|\w+:\/\/(?!localhost))/i);
      expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
    }
  });

  it.each([
    ['no Host', `GET / HTTP/1.1\r\n${close}\r\n\r\n`],
    ['two Hosts', `GET / HTTP/1.1\r\n${host}\r\nHost: evil.example\r\n${close}\r\n\r\n`],
    ['two Hosts, the other way', `GET / HTTP/1.1\r\nHost: evil.example\r\n${host}\r\n${close}\r\n\r\n`],
    ['an empty Host', `GET / HTTP/1.1\r\nHost:\r\n${close}\r\n\r\n`],
    ['a Host with a user', `GET / HTTP/1.1\r\nHost: localhost@evil.example\r\n${close}\r\n\r\n`],
    ['a Host with two ports', `GET / HTTP/1.1\r\n${host}:evil.example\r\n${close}\r\n\r\n`],
    ['a Host with a path', `GET / HTTP/1.1\r\n${host}/evil.example\r\n${close}\r\n\r\n`],
    ['a foreign address', `GET http://evil.example/ HTTP/1.1\r\n${host}\r\n${close}\r\n\r\n`],
    ['a foreign address with our Host', `GET https://evil.example/oidc/auth HTTP/1.1\r\n${host}\r\n${close}\r\n\r\n`],
    ['our whole address', `GET ${house.issuer}/reset HTTP/1.1\r\n${host}\r\n${close}\r\n\r\n`],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\n${host}\r\n${close}\r\n\r\n`],
    ['a tunnel', `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n\r\n`],
    [
      'both lengths',
      `POST /reset/weak HTTP/1.1\r\n${host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `POST /reset/weak HTTP/1.1\r\n${host}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\na=b`],
    ['a negative length', `POST /reset/weak HTTP/1.1\r\n${host}\r\nContent-Length: -1\r\n\r\n`],
    [
      'a coding of two',
      `POST /reset/weak HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked, gzip\r\n${close}\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a huge chunk',
      `POST /reset/weak HTTP/1.1\r\n${host}\r\n${close}\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n`,
    ],
    ['a folded header', `GET / HTTP/1.1\r\n${host}\r\nX: a\r\n b\r\n${close}\r\n\r\n`],
    ['a NUL in a header', `GET / HTTP/1.1\r\n${host}\r\nCookie: a=\0\r\n${close}\r\n\r\n`],
    ['a space before a colon', `GET / HTTP/1.1\r\n${host}\r\nX : a\r\n${close}\r\n\r\n`],
    ['bare line feeds', `GET / HTTP/1.1\n${host}\n${close}\n\n`],
    ['an old version', 'GET /\r\n\r\n'],
    ['a version of the future', `GET / HTTP/9.9\r\n${host}\r\n\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['noise', '\0\xff\0\xff'.repeat(100)],
  ])('%s', async (_, bytes) => {
    const began = performance.now();
    const heard = await speak(port, Buffer.from(bytes, 'latin1'));
    expect(heard === '' || /^HTTP\/1\.1 (2|3|4)\d\d /.test(heard) ? '' : heard).toBe('');
    expect(heard).not.toContain('evil');
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS);
  });
});

describe('what the protocol does not expect is refused, never a failure', () => {
  const jwt = (header: object, payload: object): string =>
    [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const values = [
    ...ENCODED.map((value) => value.slice(0, 3000)),
    `${jwt({ alg: 'none' }, { iss: 'myasn', sub: 'myasn' })}.`,
    `${jwt({ alg: 'HS256' }, { iss: 'myasn', exp: 'NaN' })}.AAAA`,
    `${jwt({ alg: 'ES256', kid: '../../x', jku: 'http://evil.example' }, { iss: 'myasn', sub: 'myasn', aud: house.issuer })}.AAAA`,
    '..',
    'e30.e30.e30',
    'urn:ietf:params:oauth:request_uri:__proto__',
    'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    encodeURIComponent('{"id_token":{"acr":{"essential":true,"values":[{}]}},"__proto__":{"x":1}}'),
    encodeURIComponent('['.repeat(1000)),
    'openid+'.repeat(500),
  ];
  const request: Record<string, string> = {
    client_id: 'myasn',
    response_type: 'code',
    redirect_uri: encodeURIComponent(`${house.issuer}/demo/myasn/callback`),
    scope: 'openid',
    state: 's',
    nonce: 'n',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  };
  const more = [
    ...['prompt', 'max_age', 'acr_values', 'id_token_hint', 'login_hint', 'ui_locales', 'claims_locales'],
    ...['response_mode', 'resource', 'request', 'request_uri', 'registration', 'dpop_jkt', 'display'],
  ];
  const grant: Record<string, string> = {
    grant_type: 'authorization_code',
    code: 'x',
    redirect_uri: 'x',
    code_verifier: 'x'.repeat(43),
    refresh_token: 'x',
    scope: 'openid',
    client_id: 'myasn',
    client_secret: 'x',
    client_assertion: 'a.b.c',
    client_assertion_type: 'urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer',
    resource: 'https%3A%2F%2Fa.example',
    token: 'x',
    token_type_hint: 'access_token',
  };
  const logout: Record<string, string> = {
    post_logout_redirect_uri: encodeURIComponent(`${house.issuer}/demo/myasn/signed-out`),
    state: 's',
    client_id: 'myasn',
    logout_hint: 'a',
    ui_locales: 'id',
    xsrf: 'x',
  };
  const spoilt = (sound: Record<string, string>, others: readonly string[] = []): string[] => {
    const write = (given: Record<string, string>): string =>
      Object.entries({ ...sound, ...given })
        .map(([name, value]) => `${name}=${value}`)
        .join('&');
    const names = [...Object.keys(sound), ...others];
    return [
      ...names.flatMap((name) => values.map((value) => write({ [name]: value }))),
      ...names.map((name) => `${write({})}&${name}=again`),
      ...names.map((name) => `${write({})}&${name}[]=list&${name}[__proto__]=x`),
      ...NAMES.map((name) => `${write({})}&${name.slice(0, 500)}=x`),
    ];
  };

  it('in an authorization request', async () => {
    const { visitor } = stations.get('launcher') ?? { visitor: house.visitor() };
    const cookie = visitor.cookiesFor('/oidc/auth');
    const queries = spoilt(request, more).filter((query) => query.length < 12_000);
    await sendAll(
      queries.map((query, index) => ({ path: `/oidc/auth?${query}`, headers: index % 2 === 0 ? {} : { cookie } })),
    );
    const claims = [
      'null',
      '[]',
      '1',
      '"x"',
      '{',
      '{"id_token":[]}',
      '{"__proto__":{"x":1},"userinfo":{"__proto__":null}}',
    ];
    const asking = [...claims, '{"id_token":{"acr":{"essential":true,"values":[{}]}}}', '[{"a":'.repeat(500)];
    await sendAll(
      asking.map((text) => ({ path: `/oidc/auth?${queries[0] ?? ''}&claims=${encodeURIComponent(text)}` })),
    );
    await sendAll(
      queries
        .filter((_, index) => index % 9 === 0)
        .map((body) => ({ method: 'POST', path: '/oidc/auth', headers: FORM, body })),
    );
    expect(faults()).toEqual([]);
  });

  it('at the endpoints of clients', async () => {
    const bodies = spoilt(grant);
    const paths = ['/oidc/token', '/oidc/par', '/oidc/introspect', '/oidc/revoke'];
    await sendAll(bodies.map((body, index) => ({ method: 'POST', path: paths[index % 4] ?? '', headers: FORM, body })));
    await sendAll(
      paths.flatMap((path) =>
        TYPES.map((type) => ({
          method: 'POST',
          path,
          headers: type === undefined ? {} : { 'content-type': type },
          body: '{"a":1}',
        })),
      ),
    );
    expect(faults()).toEqual([]);
  });

  it('in a logout request', async () => {
    const { visitor } = stations.get('launcher') ?? { visitor: house.visitor() };
    const cookie = visitor.cookiesFor('/oidc/logout');
    const queries = spoilt(logout, ['id_token_hint']).filter((query) => query.length < 12_000);
    await sendAll(
      queries.map((query, index) => ({ path: `/oidc/logout?${query}`, headers: index % 2 === 0 ? {} : { cookie } })),
    );
    await sendAll(
      queries
        .filter((_, index) => index % 5 === 0)
        .map((body) => ({ method: 'POST', path: '/oidc/logout/confirm', headers: { ...FORM, cookie }, body })),
    );
    expect(faults()).toEqual([]);
  });
});

it('lives on after more than five thousand of these, as it was before (R-47)', async () => {
  expect(asked).toBeGreaterThan(5000);
  expect(isPolluted()).toBe(false);
  for (const [name, way] of Object.entries(STATIONS)) expect((await way(house)).page.page).toBe(name);
});
