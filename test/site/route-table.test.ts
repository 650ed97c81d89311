import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFormTokens } from '#src/web/csrf.js';
import type { PageContext } from '#src/web/request.js';
import type { Route } from '#src/web/route-table.js';
import { attribute } from '../support/person.js';
import { unusedPort } from '../support/unused-port.js';
import { startSite } from '../support/site.js';
import type { Visitor } from '../support/visitor.js';
import { addressesOf } from './support/addresses.js';
import { snapshot } from './support/snapshot.js';
import { atPassword, openHouse, signedIn, STATIONS, uidOf, type Station } from './support/stations.js';
import { errorsOf, FORM, Wire, type Reply } from './support/wire.js';

/**
 * What holds for every route there is: the tests walk the program's own table, so that a route is under them from the
 * moment it stands in it.
 */
const house = await openHouse();
const { site, issuer, wire } = house;
const { db, keyed } = site.running.services;
afterAll(() => house.stop());

const table = site.running.site.routes;
const titled = (routes: readonly Route[]): [string, Route][] =>
  routes.map((route) => [`${route.method} ${route.path}`, route]);
const signed = table.filter(({ access }) => access === 'signed');
const forms = table.filter((route) => route.method === 'POST' && route.access !== 'bearer' && !signed.includes(route));
const pages = table.filter(({ method, access }) => method === 'GET' && access !== 'bearer');
const calls = table.filter(({ access }) => access === 'bearer');
const isAdmin = ({ path }: { readonly path: string }): boolean => path.startsWith('/api/admin');

/** A browser in the middle of a sign-in, whose authorization request waits. */
async function signIn() {
  const { visitor, page } = await atPassword(house);
  return { visitor, uid: uidOf(page), token: attribute(page.body, 'value') ?? '' };
}

const mine = await signIn();
const another = await signIn();
const tokens = createFormTokens(keyed);
/** The token that the program would write into a form at this address for the browser with this cookie. */
function tokenFor({ visitor }: Pick<typeof mine, 'visitor'>, path: string): string {
  const browserId = visitor.cookie('browser') ?? '';
  return tokens.issue({ path, state: { browserId } } as PageContext);
}

const bodyWith = (csrf: string | undefined): string =>
  new URLSearchParams({ ...(csrf === undefined ? {} : { csrf }) }).toString();

function post(path: string, csrf: string | undefined, headers: Record<string, string> = {}): Promise<Reply> {
  const cookie = mine.visitor.cookiesFor(path);
  return wire.send({ method: 'POST', path, headers: { ...FORM, cookie, ...headers }, body: bodyWith(csrf) });
}

it('has routes of every kind', () => {
  expect([forms.length, pages.length, calls.length, signed.length].every((count) => count > 0)).toBe(true);
});

it('gives each browser and each sign-in tokens of their own, which are those on the pages', () => {
  const path = `/sign-in/${mine.uid}`;
  const issued = [tokenFor(mine, path), tokenFor(another, path), tokenFor(mine, `/sign-in/${another.uid}`)];
  expect(issued[0]).toBe(mine.token);
  expect(new Set([...issued, tokenFor(mine, '/reset')]).size).toBe(4);
});

describe('a form that is not from our own page (R-29)', () => {
  it.each(titled(forms))('%s changes nothing', async (_, { path: pattern }) => {
    for (const path of addressesOf(pattern, mine.uid)) {
      const right = tokenFor(mine, path);
      const elsewhere = path.startsWith('/sign-in/') ? '/reset/password' : `/sign-in/${mine.uid}`;
      const before = await snapshot(db);
      const replies = {
        'no token': await post(path, undefined),
        'an empty token': await post(path, ''),
        'a token of nobody': await post(path, 'A'.repeat(43)),
        'a token cut short': await post(path, right.slice(0, -2)),
        "another browser's token": await post(path, tokenFor(another, path)),
        "another sign-in's token": await post(path, tokenFor(mine, `/sign-in/${another.uid}`)),
        'a token of another area': await post(path, tokenFor(mine, elsewhere)),
        'no cookie': await post(path, right, { cookie: '' }),
        'sent by another site': await post(path, right, { 'sec-fetch-site': 'cross-site' }),
        'sent by a neighbouring host': await post(path, right, { 'sec-fetch-site': 'same-site' }),
        'sent by nobody': await post(path, right, { 'sec-fetch-site': 'none' }),
        'a foreign origin': await post(path, right, { origin: 'https://evil.example' }),
        'an opaque origin': await post(path, right, { origin: 'null' }),
        'another port': await post(path, right, { origin: 'http://localhost:1' }),
        'another scheme': await post(path, right, { origin: issuer.replace('http:', 'https:') }),
        'our name at its beginning': await post(path, right, { origin: `${issuer}.evil.example` }),
      };
      const answers = Object.entries(replies).map(([name, reply]) => [name, reply.status, errorsOf(reply)]);
      expect(answers).toEqual(Object.keys(replies).map((name) => [name, 403, ['csrf_mismatch']]));
      expect(await snapshot(db)).toEqual(before);
    }
  });

  it.each(titled(forms))('%s is taken with the right token', async (_, { path: pattern }) => {
    for (const path of addressesOf(pattern, mine.uid)) {
      const reply = await post(path, tokenFor(mine, path), { origin: issuer, 'sec-fetch-site': 'same-origin' });
      expect(reply.status).toBeLessThan(500);
      expect(reply.status).not.toBe(403);
    }
  });
});

describe('a message of another program', () => {
  const unsigned = [
    '',
    'logout_token=',
    'logout_token=a.b.c',
    `logout_token=${'x'.repeat(8000)}`,
    // No signature, an empty one, and a key of its own.
    ...['{"alg":"none"}', '{"alg":"ES256","kid":"x"}', '{"alg":"HS256","typ":"logout+jwt"}'].map(
      (header) => `logout_token=${Buffer.from(header).toString('base64url')}.e30.`,
    ),
  ];

  it.each(titled(signed))('%s changes nothing unless it is signed, whoever sends it', async (_, { path: pattern }) => {
    for (const path of addressesOf(pattern, mine.uid)) {
      const before = await snapshot(db);
      for (const body of [...unsigned, bodyWith(tokenFor(mine, path))]) {
        const headers = { ...FORM, cookie: mine.visitor.cookiesFor(path) };
        expect((await wire.send({ method: 'POST', path, headers, body })).status).toBe(400);
      }
      expect(await snapshot(db)).toEqual(before);
    }
  });
});

describe('signing out at the provider (R-32)', () => {
  it('needs the secret of the page that asks', async () => {
    const { visitor } = await signedIn(house);
    const asked = await visitor.ask('/oidc/logout');
    const xsrf = attribute(/<input[^>]*name="xsrf"[^>]*>/.exec(asked.body)?.[0] ?? '', 'value') ?? '';
    expect(xsrf).not.toBe('');
    const before = await snapshot(db);
    const cookie = visitor.cookiesFor('/oidc/logout/confirm');
    for (const [form, cookies] of [
      [{ logout: 'yes' }, cookie],
      [{ logout: 'yes', xsrf: '' }, cookie],
      [{ logout: 'yes', xsrf: `${xsrf}x` }, cookie],
      [{ logout: 'yes', xsrf }, ''],
    ] as const) {
      const body = new URLSearchParams(form).toString();
      const headers = { ...FORM, cookie: cookies };
      expect((await wire.send({ method: 'POST', path: '/oidc/logout/confirm', headers, body })).status).toBe(400);
    }
    expect(await snapshot(db)).toEqual(before);
    expect((await visitor.ask('/')).page).toBe('launcher');
  });
});

describe('a page', () => {
  const everywhere = new Map<string, Station>();
  beforeAll(async () => {
    for (const [name, way] of Object.entries(STATIONS)) everywhere.set(name, await way(house));
  });

  // The sample applications are clients of ours: their login begins an authorization request.
  const walked = titled(pages.filter(({ access }) => access !== 'development'));
  it.each(walked)('%s changes nothing, wherever the person stands (R-29)', async (_, { path: pattern }) => {
    const before = await snapshot(db);
    // One page, one address: pictures of letters are limited by it.
    const address = `10.20.30.${walked.findIndex(([, route]) => route.path === pattern) % 256}`;
    for (const { visitor, page } of everywhere.values()) {
      for (const path of addressesOf(pattern, uidOf(page))) {
        for (const method of ['GET', 'HEAD']) {
          const reply = await wire.send({
            method,
            path,
            headers: { cookie: visitor.cookiesFor(path), 'x-forwarded-for': address },
          });
          expect([200, 303, 404, 410]).toContain(reply.status);
          if (method === 'HEAD') expect(reply.body).toBe('');
        }
      }
    }
    expect(await snapshot(db)).toEqual(before);
  });

  it.each(titled(table.filter(({ access }) => access === 'person' || access === 'officer')))(
    '%s of a person shows and does nothing for strangers',
    async (_, { method, path: pattern, access }) => {
      for (const path of addressesOf(pattern, mine.uid)) {
        const before = await snapshot(db);
        const reply =
          method === 'GET'
            ? await wire.send({ path, headers: { cookie: mine.visitor.cookiesFor(path) } })
            : await post(path, tokenFor(mine, path));
        expect([303, 401, 403, 404]).toContain(reply.status);
        // Our own login: by way of the provider, like every client's.
        const client = access === 'officer' ? 'helpdesk' : 'asn-digital';
        if (reply.status === 303)
          expect(reply.headers.location?.startsWith(`${issuer}/oidc/auth?client_id=${client}&`)).toBe(true);
        expect(await snapshot(db)).toEqual(before);
      }
    },
  );
});

describe('the admin API', () => {
  const garbage = { 'content-type': 'text/plain', 'idempotency-key': 'ü' };
  const nobody: Record<string, string>[] = [
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer none' },
    { authorization: 'Bearer a.b.c' },
    { authorization: `Bearer ${'x'.repeat(8000)}` },
    { authorization: 'Bearer two tokens' },
    { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` },
    { authorization: 'DPoP a.b.c' },
  ];

  let visitor: Visitor;
  beforeAll(async () => {
    ({ visitor } = await signedIn(house));
  });

  it.each(titled(calls))('%s looks at nothing before the token', async (_, { method, path: pattern }) => {
    for (const path of addressesOf(pattern, mine.uid)) {
      const before = await snapshot(db);
      for (const headers of nobody) {
        const body = method === 'GET' ? undefined : '{'.repeat(20_000);
        const cookie = visitor.cookiesFor(path);
        const asked = `${path}?access_token=none`;
        const sent = { method, path: asked, headers: { ...garbage, cookie, ...headers } };
        const reply = await wire.send(body === undefined ? sent : { ...sent, body });
        expect([headers, reply.status, reply.headers['content-type']]).toEqual([
          headers,
          401,
          // RFC 7591 section 3.2.2 for registration.
          isAdmin({ path }) ? 'application/problem+json' : 'application/json; charset=utf-8',
        ]);
        expect(reply.headers['www-authenticate']).toMatch(/^Bearer realm="/);
      }
      expect(await snapshot(db)).toEqual(before);
    }
  });
});

describe('in production', () => {
  const key = (name: string): string => `${name}:${Buffer.alloc(32, name).toString('base64')}`;

  it('there is nothing of development, and the admin plane on its own origin only', async () => {
    const production = await startSite({
      NODE_ENV: 'production',
      ISSUER: 'https://sso.contoh.example',
      ADMIN_ORIGIN: 'https://admin.contoh.example',
      // Away: nothing that is asked here needs it.
      REDIS_URL: `redis://127.0.0.1:${await unusedPort()}`,
      MAIL_FROM: 'sso@contoh.example',
      ENCRYPTION_KEYS: key('e'),
      PASSWORD_PEPPERS: key('p'),
      COOKIE_KEYS: key('c'),
      DEMO: '',
      CAPTCHA_TEST_ANSWER: '',
    });
    const away = new Wire({ port: production.running.port, issuer: 'https://sso.contoh.example' });
    try {
      const isDevelopment = ({ access }: Route): boolean => ['development', 'signed'].includes(access);
      expect(production.running.site.routes.filter(isDevelopment)).toEqual([]);
      const development = table.filter(isDevelopment).map(({ method, path }) => ({ method, path }));
      const more = ['/dev/mail', '/dev/mail/1', '/dev/mail/1.html', '/dev/components'].map((path) => ({
        method: 'GET',
        path,
      }));
      expect(development.length).toBeGreaterThan(0);
      for (const { method, path: pattern } of [...development, ...more]) {
        for (const path of addressesOf(pattern, 'uid')) {
          expect([path, (await away.send({ method, path })).status]).toEqual([path, 404]);
        }
      }
      for (const { path } of calls.filter((call) => !isAdmin(call))) {
        expect([path, (await away.send({ method: 'POST', path })).status]).toEqual([path, 401]);
        const there = { method: 'POST', path, host: 'admin.contoh.example' };
        expect([path, (await away.send(there)).status]).toEqual([path, 404]);
      }
      for (const { method, path: pattern } of calls.filter(isAdmin)) {
        for (const path of addressesOf(pattern, 'uid')) {
          const asked = { method, path, headers: { authorization: 'Bearer a.b.c' } };
          expect([path, (await away.send(asked)).status]).toEqual([path, 404]);
          expect([path, (await away.send({ ...asked, host: 'admin.contoh.example' })).status]).toEqual([path, 401]);
        }
      }
      const isOfficers = ({ access }: Route): boolean => access === 'officer';
      const onBoth = ['/session/callback', '/logout', '/signed-out'];
      expect(table.filter(isOfficers).length).toBeGreaterThan(0);
      for (const { method, path: pattern } of table.filter(isOfficers)) {
        for (const path of addressesOf(pattern, 'uid')) {
          expect([path, (await away.send({ method, path })).status]).toEqual([path, 404]);
        }
      }
      const elsewhere = table.filter((route) => !isOfficers(route) && !route.path.startsWith('/api/admin'));
      for (const { method, path: pattern } of elsewhere.filter(({ path }) => !onBoth.includes(path))) {
        for (const path of addressesOf(pattern, 'uid')) {
          expect([path, (await away.send({ method, path, host: 'admin.contoh.example' })).status]).toEqual([path, 404]);
        }
      }
      for (const path of [
        '/.well-known/openid-configuration',
        '/oidc/auth',
        '/oidc/token',
        '/oidc/logout',
        '/assets/x',
      ]) {
        expect([path, (await away.send({ path, host: 'admin.contoh.example' })).status]).toEqual([path, 404]);
      }
    } finally {
      away.close();
      await production.stop();
    }
  });
});
