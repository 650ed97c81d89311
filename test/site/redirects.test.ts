import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { attributes } from '../support/person.js';
import { CAPTCHA } from '../support/site.js';
import { formOn, type Answer } from '../support/visitor.js';
import { addressesOf } from './support/addresses.js';
import { foreignAddresses } from './support/redirections.js';
import { openHouse, signedIn, STATIONS, uidOf, type Station } from './support/stations.js';
import { FORM, type Reply, type Sending } from './support/wire.js';

const house = await openHouse();
const { issuer, wire, site } = house;
const us = new URL(issuer).host;
const payloads = foreignAddresses(issuer);
const stations = new Map<string, Station>();
afterAll(() => house.stop());
beforeAll(async () => {
  for (const [name, way] of Object.entries(STATIONS)) stations.set(name, await way(house));
});

function at(page: string): Station {
  const station = stations.get(page);
  if (station === undefined) throw new Error(`nobody is at ${page}`);
  return station;
}

const LANES = 12;
async function sendAll(sendings: readonly Sending[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  const queue = sendings.values();
  const lane = async (): Promise<void> => {
    for (const sending of queue) replies.push(await wire.send(sending));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return replies;
}

const hostOf = (address: string): string | undefined => URL.parse(address, `${issuer}/a/page`)?.host;

/** Where an answer leads: by itself, or by whatever can be clicked or sent on it. */
function leadsTo({ headers, body }: Pick<Reply, 'headers' | 'body'>): string[] {
  const html = body.startsWith('<!DOCTYPE') ? body : '';
  const clicked = ['href', 'action', 'src', 'formaction', 'content'].flatMap((name) => attributes(html, name));
  const addresses = clicked.filter(
    (address) => /^[\w+.-]*:|^[/\\.?#]/.test(address) && !address.startsWith('data:image/'),
  );
  const by = [headers.location, /url=(.*)/i.exec(String(headers.refresh))?.[1], headers['content-location']];
  return [...by.filter((address) => typeof address === 'string'), ...addresses];
}

/** Addresses that are not ours: none, whatever was asked. The QR code's own is for the authenticator. */
const foreignIn = (reply: Pick<Reply, 'headers' | 'body'>): string[] =>
  leadsTo(reply).filter((address) => hostOf(address) !== us && !address.startsWith('otpauth://totp/'));

const wrongs = (replies: readonly Reply[]): object[] =>
  replies
    .map((reply) => ({ asked: reply.asked, status: reply.status, foreign: foreignIn(reply) }))
    .filter(
      ({ status, foreign }) => foreign.length > 0 || status === 0 || status >= 500 || status === 307 || status === 308,
    )
    .slice(0, 5);

/** Names by which programs are told where to go next. */
const PARAMETERS = [
  ...[
    'next',
    'url',
    'uri',
    'to',
    'target',
    'dest',
    'destination',
    'redirect',
    'redirect_uri',
    'redirect_url',
    'goto',
    'go',
  ],
  ...[
    'return',
    'return_to',
    'returnTo',
    'returnUrl',
    'continue',
    'service',
    'back',
    'callback',
    'from',
    'rurl',
    'r',
    'u',
  ],
  ...[
    'code',
    'state',
    'iss',
    'error',
    'error_uri',
    'lang',
    'q',
    'id',
    'login_hint',
    'target_link_uri',
    'post_logout_redirect_uri',
  ],
];

describe('no page leads to another site (R-31, A25)', () => {
  it('knows sixty ways to write its address', () => {
    expect(new Set(payloads).size).toBeGreaterThanOrEqual(60);
    expect(foreignIn({ headers: { location: '/\\evil.example' }, body: '' })).toHaveLength(1);
    expect(foreignIn({ headers: {}, body: '<!DOCTYPE html><a href="//evil.example">' })).toHaveLength(1);
  });

  it('by a parameter', async () => {
    // The sample applications are all alike, and so is every step of a sign-in that there is not.
    const ours = site.running.site.routes.filter(
      ({ method, path }) => method === 'GET' && !/^\/demo\/(?!myasn)|^\/sign-in\/:uid\//.test(path),
    );
    const anonymous = [...new Set(ours.flatMap(({ path }) => addressesOf(path, 'nobody')))].map((path) => ({
      path,
      cookie: '',
    }));
    const known = [...stations.values()].map(({ visitor, page }) => {
      const path = page.path.split('?', 1)[0] ?? '';
      return { path, cookie: visitor.cookiesFor(path) };
    });
    const sendings = [...anonymous, ...known].flatMap(({ path, cookie }) =>
      payloads.map((payload) => {
        const query = PARAMETERS.map((name) => `${name}=${encodeURIComponent(payload)}`).join('&');
        return { path: `${path}?${query}`, headers: { cookie } };
      }),
    );
    expect(wrongs(await sendAll(sendings))).toEqual([]);
  });

  it('by its address', async () => {
    const paths = payloads
      .map((payload) => encodeURI(payload).replaceAll('\\', '%5C').replaceAll('#', '%23'))
      .flatMap((payload) => [
        `/${payload}`,
        `/${payload}/..`,
        `/sign-in/${payload}`,
        `/oidc/auth/${payload}`,
        `/assets/${payload}`,
      ]);
    expect(wrongs(await sendAll(paths.map((path) => ({ path }))))).toEqual([]);
  });

  it('by a header', async () => {
    const names = [
      'referer',
      'x-forwarded-host',
      'x-forwarded-server',
      'x-original-url',
      'x-rewrite-url',
      'x-host',
      'forwarded',
    ];
    const sendings = payloads
      .filter((payload) => /^[\x20-\x7e]*$/.test(payload))
      .flatMap((payload) =>
        ['/', '/login', '/reset', '/logout', '/oidc/logout', '/demo/myasn/login', '/session/callback'].map((path) => ({
          path,
          headers: Object.fromEntries(names.map((name) => [name, payload])),
        })),
      );
    expect(wrongs(await sendAll(sendings))).toEqual([]);
  });

  it('by what is typed into a form', async () => {
    const { visitor, page } = at('reset/password/start');
    const { path, form } = formOn(page, '/reset/password');
    for (const payload of payloads) {
      const answer = await visitor.ask(path, { form: { ...form, username: payload, captcha: 'x' } });
      expect([answer.status, foreignIn(answer)]).toEqual([422, []]);
    }
  });
});

describe('the provider sends nobody where no relying party is registered (R-12, R-31, R-32)', () => {
  const registered = `${issuer}/demo/myasn/callback`;
  const request = {
    client_id: 'myasn',
    response_type: 'code',
    scope: 'openid',
    state: 's',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  };
  const asking = (parameters: Record<string, string>): string =>
    `/oidc/auth?${new URLSearchParams(parameters).toString()}`;

  it('with an answer or an error', async () => {
    const { visitor } = at('launcher');
    const cookie = visitor.cookiesFor('/oidc/auth');
    const tried = [...payloads, ...payloads.map((payload) => `${registered}${payload}`)];
    const sendings = tried.flatMap((redirect_uri) => [
      { path: asking({ ...request, redirect_uri }), headers: { cookie } },
      { path: asking({ ...request, redirect_uri, response_type: 'none' }) },
      { path: asking({ ...request, redirect_uri, prompt: 'none' }) },
      { path: asking({ ...request, redirect_uri, client_id: 'nobody' }) },
      { path: `${asking({ ...request, redirect_uri: registered })}&redirect_uri=${encodeURIComponent(redirect_uri)}` },
    ]);
    const replies = await sendAll(sendings);
    expect(wrongs(replies)).toEqual([]);
    expect(replies.filter(({ status }) => status !== 400)).toEqual([]);
  });

  it('by whatever else is asked', async () => {
    const others = [
      'state',
      'nonce',
      'scope',
      'resource',
      'ui_locales',
      'login_hint',
      'acr_values',
      'request_uri',
      'response_mode',
    ];
    const sendings = payloads.flatMap((payload) =>
      others.map((name) => ({ path: asking({ ...request, redirect_uri: registered, [name]: payload }) })),
    );
    expect(wrongs(await sendAll(sendings))).toEqual([]);
  });

  it('after a logout, confirmed or not', async () => {
    const { visitor } = await signedIn(house);
    const cookie = visitor.cookiesFor('/oidc/logout');
    const sendings = payloads.flatMap((payload) =>
      ['', 'myasn', 'nobody'].flatMap((client) => {
        const query = new URLSearchParams({
          ...(client === '' ? {} : { client_id: client }),
          post_logout_redirect_uri: payload,
          state: payload,
          logout_hint: payload,
        }).toString();
        return [{ path: `/oidc/logout?${query}` }, { path: `/oidc/logout?${query}`, headers: { cookie } }];
      }),
    );
    expect(wrongs(await sendAll(sendings))).toEqual([]);
    // With a registered address, the state goes along and leads nowhere.
    for (const state of payloads.filter((payload) => !payload.includes('\0'))) {
      const query = new URLSearchParams({
        client_id: 'myasn',
        post_logout_redirect_uri: `${issuer}/demo/myasn/signed-out`,
        state,
      });
      const asked = await visitor.ask(`/oidc/logout?${query.toString()}`);
      expect([asked.page, foreignIn(asked)]).toEqual(['sign-out/confirm', []]);
    }
    const last = await visitor.ask(
      `/oidc/logout?post_logout_redirect_uri=${encodeURIComponent('https://evil.example')}&client_id=myasn`,
    );
    expect(last.status).toBe(400);
    const answer = await visitor.submit(await visitor.ask('/oidc/logout'), '/confirm');
    expect(foreignIn(answer)).toEqual([]);
  });
});

describe('what a request claims about our name is in no answer and no mail (R-13, A9)', () => {
  const EVIL = 'evil.example';
  const claims = {
    'x-forwarded-host': EVIL,
    'x-forwarded-server': EVIL,
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '444',
    'x-forwarded-prefix': `//${EVIL}`,
    'x-original-host': EVIL,
    'x-host': EVIL,
    'x-http-host-override': EVIL,
    'x-original-url': `//${EVIL}/`,
    'x-rewrite-url': `//${EVIL}/`,
    forwarded: `for=192.0.2.1;host=${EVIL};proto=https`,
    via: `1.1 ${EVIL}`,
    'x-wap-profile': `http://${EVIL}/`,
  };
  const told = ({ headers, body }: Pick<Reply, 'headers' | 'body'>): string => JSON.stringify(headers) + body;
  const routes = site.running.site.routes.flatMap(({ method, path }) =>
    addressesOf(path, 'nobody').map((each) => ({ method, path: each })),
  );
  const others = [
    '/oidc/auth',
    '/oidc/token',
    '/oidc/jwks',
    '/oidc/logout',
    '/.well-known/openid-configuration',
    '/assets/styles.css',
    '/x',
  ];
  const everything = [...routes, ...others.map((path) => ({ method: 'GET', path }))];

  it('another Host is 421, whatever is asked, and gets nothing back', async () => {
    const hosts = [
      EVIL,
      `${us}.${EVIL}`,
      `${EVIL}:${us.split(':')[1] ?? ''}`,
      `${us}@${EVIL}`,
      '127.0.0.1',
      'localhost',
      `${us}.`,
      `${us}:80`,
    ];
    for (const host of hosts) {
      const replies = await sendAll(everything.map(({ method, path }) => ({ method, path, host })));
      expect(
        replies.filter(({ status }) => status !== 421).map(({ asked, status }) => ({ asked, status, host })),
      ).toEqual([]);
      expect(
        replies.filter((reply) => told(reply).includes(EVIL) || reply.headers['set-cookie'] !== undefined),
      ).toEqual([]);
    }
  });

  it('headers of proxies say nothing about us', async () => {
    const replies = await sendAll(everything.map(({ method, path }) => ({ method, path, headers: claims })));
    expect(replies.filter((reply) => told(reply).includes(EVIL))).toEqual([]);
    expect(wrongs(replies)).toEqual([]);
    const visited = await sendAll(
      [...stations.values()].map(({ visitor, page: { path } }) => ({
        path,
        headers: { ...claims, cookie: visitor.cookiesFor(path) },
      })),
    );
    expect(visited.filter((reply) => told(reply).includes(EVIL))).toEqual([]);
    expect(visited.every(({ headers }) => headers['strict-transport-security'] === undefined)).toBe(true);
  });

  it('discovery is the same to the byte', async () => {
    const path = '/.well-known/openid-configuration';
    const [plain, claimed] = [
      await wire.send({ path }),
      await wire.send({ path: `${path}?x=${EVIL}`, headers: claims }),
    ];
    expect(claimed.body).toBe(plain.body);
    const addresses = [...plain.body.matchAll(/"(https?:[^"]*)"/g)].map(([, address = '']) => address);
    expect(addresses.length).toBeGreaterThan(8);
    expect(addresses.filter((address) => !address.startsWith(issuer))).toEqual([]);
  });

  it('mails lead to us alone', async () => {
    const person = await house.person('password');
    const visitor = house.visitor();
    const ask = (path: string, form?: Record<string, string>): Promise<Answer> =>
      visitor.ask(path, { headers: claims, ...(form === undefined ? {} : { form }) });
    const send = (page: Answer, action: string, fields: Record<string, string>): Promise<Answer> => {
      const { path, form } = formOn(page, action);
      return ask(path, { ...form, ...fields });
    };
    const began = new Date();
    await send(await ask('/reset/password'), '/reset/password', { username: person.nip, captcha: CAPTCHA });
    await send(await ask('/reset/password/email'), '/reset/password/email', { email: person.email });
    const mail = await site.mailbox.next(person.email, began);
    expect(`${mail.html}${mail.text}${mail.subject}${JSON.stringify(mail.headers)}`).not.toContain(EVIL);
    const written = [
      ...attributes(mail.html, 'href'),
      ...attributes(mail.html, 'src'),
      ...(mail.text.match(/https?:\S+/g) ?? []),
    ];
    expect(written.filter((address) => hostOf(address) !== us)).toEqual([]);
  });

  it('a foreign form is refused, whatever its proxy says', async () => {
    const { visitor, page } = at('reset/weak');
    const { form } = formOn(page, '/reset/weak');
    const headers = { ...FORM, ...claims, origin: `https://${EVIL}`, cookie: visitor.cookiesFor('/reset/weak') };
    const body = new URLSearchParams(form).toString();
    expect((await wire.send({ method: 'POST', path: '/reset/weak', headers, body })).status).toBe(403);
    expect(uidOf(page)).toBe('none');
  });
});
