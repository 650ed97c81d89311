import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  exportJWK,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
} from 'jose';
import type { KeyObject } from 'node:crypto';
import type { Answer, Browser } from './support/browser.js';
import { assertionFields, errorOf, House, tokensOf } from './support/house.js';
import { proofKey, type ProofKey } from './support/messages.js';
import { keyOf, SECRET } from './support/registrations.js';

// What an attacker changes in a request, one thing at a time. Everything is refused; nobody is sent anywhere that the
// client did not register, and a browser whose request is malformed is sent nowhere at all (R-12, R-18, R-31, ADR 0028).

let house: House;
/** Somebody who is logged in, so that whatever is taken ends in a code. */
let browser: Browser;
const html = { headers: { accept: 'text/html' } };
const now = (): number => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  house = await House.open();
  browser = house.browser();
  await house.tokens({ browser, clientId: 'web', account: await house.person() });
});
afterAll(() => house.close());

const codes = (): Promise<number> => house.rows('oidc_tokens', "kind = 'AuthorizationCode'");
const pushedRequests = (): Promise<number> => house.rows('oidc_tokens', "kind = 'PushedAuthorizationRequest'");

/** A change of the parameters of a right request. */
type Change = (params: URLSearchParams) => void;
const set =
  (values: Readonly<Record<string, string | undefined>>): Change =>
  (params) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) params.delete(name);
      else params.set(name, value);
    }
  };
const twice =
  (name: string, value: string): Change =>
  (params) => {
    params.append(name, value);
  };
const shown = (redirectUri: string): [string, Change, string, string] => [
  `redirect_uri=${JSON.stringify(redirectUri)}`,
  set({ redirect_uri: redirectUri }),
  'invalid_redirect_uri',
  'invalid_request',
];

/** What is changed, and the error: on the page, and at the pushed-request endpoint. */
const REDIRECTS: readonly [string, Change, string, string][] = [
  ...[
    'HTTPS://web.example/cb',
    'https://WEB.example/cb',
    'https://web.example/CB',
    'https://web.example/cb/',
    'https://web.example//cb',
    'https://web.example/./cb',
    'https://web.example/x/../cb',
    'https://web.example/cb/../../evil',
    'https://web.example/%63%62',
    'https://web.example%2fcb',
    'https://web.example/cb%2f',
    'https://web.example/%2e%2e/cb',
    'https://web.example/cb%0d%0aLocation:%20https://evil.example',
    'https://web.example/cb?',
    'https://web.example/cb?next=https://evil.example',
    'https://web.example/cb#',
    'https://web.example/cb#@evil.example',
    'https://web.example:443/cb',
    'https://web.example:8443/cb',
    'https://web.example./cb',
    'https://web.example/cb ',
    ' https://web.example/cb',
    'https://user@web.example/cb',
    'https://web.example@evil.example/cb',
    'https://web.example:pw@evil.example/cb',
    'https://web.example.evil.example/cb',
    'https://evil-web.example/cb',
    'https://sub.web.example/cb',
    'https://evil.example/https://web.example/cb',
    'https://evil.example/cb',
    'https://evil.example\\@web.example/cb',
    'https://web.example\\@evil.example/cb',
    'https:\\\\web.example\\cb',
    'https:/web.example/cb',
    'https://web.example\t/cb',
    'https://web.example\n/cb',
    'https://web.example/c\u00adb',
    'http://web.example/cb',
    'ftp://web.example/cb',
    '//web.example/cb',
    '/cb',
    'cb',
    'javascript:alert(1)//https://web.example/cb',
    'data:text/html,https://web.example/cb',
    'https://other.example/cb',
    'https://xn--wb-dja.example/cb',
    'https://wéb.example/cb',
    'https://web.example/cb;x=1',
    'http://127.0.0.1/cb',
    'http://localhost/cb',
    'http://[::1]/cb',
    'http://2130706433/cb',
    'https://web.example/cb,https://evil.example/cb',
    'https://sso.asn.example/oidc/auth',
  ].map(shown),
  ['no redirect_uri', set({ redirect_uri: undefined }), 'invalid_request', 'invalid_request'],
  ['an empty redirect_uri', set({ redirect_uri: '' }), 'invalid_request', 'invalid_request'],
  ['redirect_uri twice', twice('redirect_uri', 'https://evil.example/cb'), 'invalid_request', 'invalid_request'],
  [
    'redirect_uri twice, the same',
    twice('redirect_uri', 'https://web.example/cb'),
    'invalid_request',
    'invalid_request',
  ],
];

const type = (name: string, error: string): [string, Change, string] => [
  `response_type=${name}`,
  set({ response_type: name }),
  error,
];
const RESPONSES: readonly [string, Change, string][] = [
  // Types with a token in them would answer in the fragment, for which this client is not registered.
  ...['token', 'id_token', 'code token', 'code id_token', 'code id_token token', 'code,token'].map((name) =>
    type(name, 'invalid_request'),
  ),
  ...['none', 'CODE', 'code none'].map((name) => type(name, 'unsupported_response_type')),
  ['no response_type', set({ response_type: undefined }), 'invalid_request'],
  ['an empty response_type', set({ response_type: '' }), 'invalid_request'],
  ['response_type twice', twice('response_type', 'token'), 'invalid_request'],
  ['response_mode=fragment', set({ response_mode: 'fragment' }), 'invalid_request'],
  ['response_mode=query.jwt', set({ response_mode: 'query.jwt' }), 'invalid_request'],
  ['response_mode=web_message', set({ response_mode: 'web_message' }), 'unsupported_response_mode'],
  [
    'a client registration in it',
    set({ registration: '{"redirect_uris":["https://evil.example/cb"]}' }),
    'registration_not_supported',
  ],
];

const CHALLENGES: readonly [string, Change, string][] = [
  ['no challenge', set({ code_challenge: undefined, code_challenge_method: undefined }), 'invalid_request'],
  ['a plain challenge', set({ code_challenge_method: 'plain' }), 'invalid_request'],
  ['a challenge of no method', set({ code_challenge_method: undefined }), 'invalid_request'],
  ['a challenge of another method', set({ code_challenge_method: 's256' }), 'invalid_request'],
  ['a method and no challenge', set({ code_challenge: undefined }), 'invalid_request'],
  ['an empty challenge', set({ code_challenge: '' }), 'invalid_request'],
  ['a short challenge', set({ code_challenge: 'a'.repeat(42) }), 'invalid_request'],
  ['a long challenge', set({ code_challenge: 'a'.repeat(129) }), 'invalid_request'],
  ['a challenge of other letters', set({ code_challenge: '!'.repeat(43) }), 'invalid_request'],
  ['two challenges', twice('code_challenge', 'a'.repeat(43)), 'invalid_request'],
];

const everyRequest: readonly (readonly [string, Change, string, string])[] = [
  ...REDIRECTS,
  ...[...RESPONSES, ...CHALLENGES].map(([what, change, error]) => [what, change, error, error] as const),
];

describe('an authorization request', () => {
  const asked = (clientId = 'web'): URL => house.request({ clientId }).url;

  it('as it should be ends in a code at each endpoint', async () => {
    expect((await browser.call(asked())).location?.searchParams.has('code')).toBe(true);
    const again = await browser.call(house.address('/oidc/auth'), { form: asked().searchParams });
    expect((await browser.call(again.redirect())).location?.searchParams.has('code')).toBe(true);
    expect((await house.post('/oidc/par', 'web', Object.fromEntries(asked().searchParams))).status).toBe(201);
  });

  it.each(everyRequest)('with %s is refused by GET, by POST and pushed', async (_, change, error, pushedError) => {
    const before = [await codes(), await pushedRequests()];
    const url = asked();
    change(url.searchParams);

    const got = await browser.call(url, html);
    expect([got.status, got.location, errorOf(got)]).toEqual([400, undefined, error]);

    const posted = await browser.call(house.address('/oidc/auth'), { form: url.searchParams });
    expect([posted.status, posted.location?.origin, posted.location?.pathname]).toEqual([
      303,
      house.issuer,
      '/oidc/auth',
    ]);
    const followed = await browser.call(posted.redirect(), html);
    expect([followed.status, followed.location, errorOf(followed)]).toEqual([400, undefined, error]);

    const form = new URLSearchParams(url.searchParams);
    for (const [name, value] of Object.entries((await house.credentials('web')).form)) form.set(name, value);
    const pushed = await house.browser().call(house.address('/oidc/par'), { form });
    expect([pushed.status, pushed.location, errorOf(pushed)]).toEqual([400, undefined, pushedError]);
    expect(pushed.body).not.toContain('request_uri":"urn');

    expect([await codes(), await pushedRequests()]).toEqual(before);
  });

  it.each([...RESPONSES, ...CHALLENGES])(
    'with %s and prompt=none is told to the registered address alone',
    async (_, change, error) => {
      const before = await codes();
      const url = asked();
      url.searchParams.set('prompt', 'none');
      change(url.searchParams);
      const answer = await browser.call(url, html);
      // Nobody is there to read a page (OpenID Connect Core section 3.1.2.6, RFC 6749 section 4.1.2.1).
      const { origin, pathname, search, hash } = answer.redirect();
      expect([origin, pathname]).toEqual(['https://web.example', '/cb']);
      // Of a type with a token in it the client expects the answer in the fragment (RFC 6749 section 4.2.2.1).
      const told = Object.fromEntries(new URLSearchParams(hash === '' ? search : hash.slice(1)));
      expect({ ...told, error_description: undefined }).toEqual({ error, state: 'state-1', iss: house.issuer });
      expect(await codes()).toBe(before);
    },
  );

  it.each(REDIRECTS)('with %s and prompt=none goes nowhere either', async (_, change, error) => {
    const url = asked();
    url.searchParams.set('prompt', 'none');
    change(url.searchParams);
    const answer = await browser.call(url, html);
    expect([answer.status, answer.location, errorOf(answer)]).toEqual([400, undefined, error]);
  });

  it.each<[string, Change]>([
    ['no client', set({ client_id: undefined })],
    ['an unknown client', set({ client_id: 'nobody' })],
    ['two clients', twice('client_id', 'other')],
    ['the client of our own pages', set({ client_id: 'asn-digital' })],
    ['another client', set({ client_id: 'other' })],
  ])('of %s goes nowhere', async (_, change) => {
    const url = asked();
    change(url.searchParams);
    const answer = await browser.call(url, html);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
  });

  it('of a phone may name any port of its own machine, nothing else', async () => {
    for (const [redirectUri, isTaken] of [
      ['http://127.0.0.1:5000/cb', true],
      ['http://127.0.0.1/cb', true],
      ['id.example.phone:/cb', true],
      ['http://127.0.0.1:5000/cb2', false],
      ['http://127.0.0.2:5000/cb', false],
      ['http://localhost:5000/cb', false],
      ['http://127.0.0.1:5000@evil.example/cb', false],
      ['http://127.0.0.1.evil.example:5000/cb', false],
      ['http://user@127.0.0.1:5000/cb', false],
      ['id.example.phone:/cb2', false],
      ['id.example.phone://evil.example/cb', false],
    ] as const) {
      const { url } = house.request({ clientId: 'phone', params: { redirect_uri: redirectUri } });
      const answer = await house.browser().call(url, html);
      const isAsked = answer.location?.pathname.startsWith('/sign-in/') === true;
      expect([redirectUri, isAsked, answer.status]).toEqual([redirectUri, isTaken, isTaken ? 303 : 400]);
    }
  });
});

describe('a code', () => {
  const verifier = 'v'.repeat(43);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const none = { code_challenge: undefined, code_challenge_method: undefined };
  const redeem = (clientId: string, fields: Readonly<Record<string, string | undefined>>): Promise<Answer> =>
    house.post('/oidc/token', clientId, {
      grant_type: 'authorization_code',
      ...(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >),
    });
  const codeOf = async (
    clientId: string,
    params: Record<string, string | undefined> = { code_challenge: challenge },
  ) => {
    const account = await house.person();
    const asked = await house.code({ browser: house.browser(), clientId, account, params });
    return { code: asked.code, redirect_uri: asked.redirectUri };
  };

  it.each<[string, string, Record<string, string | undefined>, Record<string, string | undefined>, string]>([
    ['no verifier', 'web', { code_challenge: challenge }, {}, 'invalid_grant'],
    ['an empty verifier', 'web', { code_challenge: challenge }, { code_verifier: '' }, 'invalid_grant'],
    [
      'the challenge for a verifier',
      'web',
      { code_challenge: challenge },
      { code_verifier: challenge },
      'invalid_grant',
    ],
    ['a wrong verifier', 'web', { code_challenge: challenge }, { code_verifier: 'w'.repeat(43) }, 'invalid_grant'],
    [
      'a verifier too short',
      'web',
      { code_challenge: challenge },
      { code_verifier: 'v'.repeat(42) },
      'invalid_request',
    ],
    [
      'a verifier too long',
      'web',
      { code_challenge: challenge },
      { code_verifier: 'v'.repeat(129) },
      'invalid_request',
    ],
    ['a verifier that was not announced', 'poster', none, { code_verifier: verifier }, 'invalid_grant'],
    ['none although it was announced', 'poster', { code_challenge: challenge }, {}, 'invalid_grant'],
    [
      'another redirect_uri',
      'web',
      { code_challenge: challenge },
      { code_verifier: verifier, redirect_uri: 'https://other.example/cb' },
      'invalid_grant',
    ],
    [
      'no redirect_uri',
      'web',
      { code_challenge: challenge },
      { code_verifier: verifier, redirect_uri: undefined },
      'invalid_request',
    ],
  ])('with %s of %s is refused', async (_, clientId, params, fields, error) => {
    const answer = await redeem(clientId, { ...(await codeOf(clientId, params)), ...fields });
    expect([answer.status, errorOf(answer)]).toEqual([400, error]);
    expect(answer.body).not.toContain('token":');
  });

  it('of another client is refused, also with the right verifier', async () => {
    const answer = await redeem('other', { ...(await codeOf('web')), code_verifier: verifier });
    expect([answer.status, errorOf(answer)]).toEqual([400, 'invalid_grant']);
  });

  it('redeemed a second time without its verifier, or with another, is refused', async () => {
    const code = await codeOf('web');
    const tokens = tokensOf(await redeem('web', { ...code, code_verifier: verifier }));
    for (const other of [undefined, 'w'.repeat(43)]) {
      const again = await redeem('web', { ...code, code_verifier: other });
      expect([again.status, errorOf(again)]).toEqual([400, 'invalid_grant']);
    }
    // Who has not the verifier ends nothing of whoever has; with it, the first tokens end.
    expect((await house.userinfo(tokens.access_token)).status).toBe(200);
    expect(errorOf(await redeem('web', { ...code, code_verifier: verifier }))).toBe('invalid_grant');
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
  });
});

type Sent = [headers: Record<string, string>, form: Record<string, string>];
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('a client', () => {
  const claims = (overrides: JWTPayload = {}): JWTPayload => ({
    iss: 'web',
    sub: 'web',
    aud: house.issuer,
    iat: now(),
    exp: now() + 60,
    jti: randomUUID(),
    ...overrides,
  });
  const signed = async (
    overrides: JWTPayload = {},
    { header = {}, key }: { header?: Partial<JWTHeaderParameters>; key?: KeyObject | CryptoKey } = {},
  ): Promise<Sent> => {
    const own = await importJWK(keyOf('web') as JWK, 'ES256');
    const assertion = await new SignJWT(claims(overrides))
      .setProtectedHeader({ alg: 'ES256', ...header })
      .sign(key ?? own);
    return [{}, assertionFields(assertion)];
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const symmetric = (secret: string | Buffer): Sent => {
    const input = `${part({ alg: 'HS256' })}.${part(claims())}`;
    return [{}, assertionFields(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)];
  };
  const basic = (id: string, secret: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  });

  const refused: readonly [string, () => Promise<Sent> | Sent][] = [
    ['nothing', () => [{}, { client_id: 'web' }]],
    ['nothing, where it has a secret', () => [{}, { client_id: 'legacy' }]],
    ['a secret in place of a key', () => [basic('web', SECRET), {}]],
    ['a secret in the form in place of a key', () => [{}, { client_id: 'web', client_secret: SECRET }]],
    ['the secret in the form, registered for the header', () => [{}, { client_id: 'legacy', client_secret: SECRET }]],
    ['the secret in the header, registered for the form', () => [basic('poster', SECRET), {}]],
    ['the secret in both', () => [basic('legacy', SECRET), { client_id: 'legacy', client_secret: SECRET }]],
    ['a secret and an assertion', async () => [basic('legacy', SECRET), (await signed())[1]]],
    ['a wrong secret', () => [basic('legacy', 'x'.repeat(40)), {}]],
    ['an empty secret', () => [basic('legacy', ''), {}]],
    ['the secret and more', () => [basic('legacy', `${SECRET}x`), {}]],
    ['what the provider keeps in place of secrets', () => [basic('legacy', 'kept as a digest only'), {}]],
    ['the secret of another name', () => [basic('LEGACY', SECRET), {}]],
    ['a secret where it has none', () => [basic('spa', SECRET), {}]],
    ['a bearer token in place of a secret', () => [{ authorization: `Bearer ${SECRET}` }, { client_id: 'legacy' }]],
    ['an unknown name', () => [basic('nobody', SECRET), {}]],
    ['an unsigned assertion', () => [{}, assertionFields(new UnsecuredJWT(claims()).encode())]],
    ['an assertion by HS256 and a secret', () => symmetric(SECRET)],
    ['an assertion by HS256 and its public key', () => symmetric(part(keyOf('web')))],
    ['an assertion by RS256', () => signed({}, { header: { alg: 'RS256' }, key: RSA.privateKey })],
    ['an assertion by PS256 and a strange key', () => signed({}, { header: { alg: 'PS256' }, key: RSA.privateKey })],
    ['an assertion by another key', () => signed({}, { key: EC.privateKey })],
    [
      'an assertion by the key of another client',
      async () => signed({}, { key: (await importJWK(keyOf('other') as JWK, 'ES256')) as CryptoKey }),
    ],
    [
      'an assertion that names the key of another client',
      async () =>
        signed(
          {},
          {
            header: { kid: String(keyOf('other').kid) },
            key: (await importJWK(keyOf('other') as JWK, 'ES256')) as CryptoKey,
          },
        ),
    ],
    ['an assertion that names a key that is not there', () => signed({}, { header: { kid: '../../dev/null' } })],
    [
      'an assertion that brings its key along',
      async () => signed({}, { header: { jwk: await exportJWK(EC.publicKey) }, key: EC.privateKey }),
    ],
    [
      'an assertion whose key is elsewhere',
      () => signed({}, { header: { jku: 'https://evil.example/jwks' }, key: EC.privateKey }),
    ],
    ['an assertion for the token endpoint', () => signed({ aud: house.address('/oidc/token') })],
    ['an assertion for the endpoint and us', () => signed({ aud: [house.issuer, house.address('/oidc/token')] })],
    ['an assertion for us, in a list', () => signed({ aud: [house.issuer] })],
    ['an assertion for us with a slash', () => signed({ aud: `${house.issuer}/` })],
    ['an assertion for another', () => signed({ aud: 'https://other.example' })],
    ['an assertion for nobody', () => signed({ aud: undefined as never })],
    ['an assertion that is over', () => signed({ iat: now() - 90, exp: now() - 30 })],
    ['an assertion of 61 seconds', () => signed({ exp: now() + 61 })],
    ['an assertion without end', () => signed({ exp: undefined as never })],
    ['an assertion from the future', () => signed({ iat: now() + 30 })],
    ['an assertion of a year hence', () => signed({ iat: now() + 31_000_000, exp: now() + 31_000_060 })],
    ['an assertion that is not good yet', () => signed({ nbf: now() + 30 })],
    ['an assertion without jti', () => signed({ jti: undefined as never })],
    ['an assertion of another issuer', () => signed({ iss: 'other' })],
    ['an assertion of another subject', () => signed({ sub: 'other' })],
    ['an assertion of nobody', () => signed({ sub: undefined as never })],
    ['an assertion and another client_id', async () => [{}, { ...(await signed())[1], client_id: 'other' }]],
    ['an assertion of another kind', async () => [{}, { ...(await signed())[1], client_assertion_type: 'saml' }]],
    ['an assertion that is none', () => [{}, assertionFields('x.y.z')]],
    ['a certificate that nobody handed over', () => [{ 'client-cert': ':AAAA:' }, { client_id: 'web' }]],
    [
      'an assertion that was used',
      async () => {
        const sent = await signed();
        expect((await send('/oidc/introspect', sent, { token: 'x' })).status).toBe(200);
        return sent;
      },
    ],
  ];

  /** Whom a request is of: everything else in it is right for that client. */
  const nameIn = ([{ authorization = '' }, form]: Sent): string => {
    const [name = ''] = Buffer.from(authorization.split(' ')[1] ?? '', 'base64')
      .toString()
      .split(':');
    return form.client_id ?? (name === '' || authorization.startsWith('Bearer') ? 'web' : name);
  };
  const endpoints: readonly [string, (clientId: string) => Record<string, string>][] = [
    ['/oidc/token', () => ({ grant_type: 'refresh_token', refresh_token: 'x' })],
    ['/oidc/par', (clientId) => Object.fromEntries(house.request({ clientId }).url.searchParams)],
    ['/oidc/introspect', () => ({ token: 'x' })],
    ['/oidc/revoke', () => ({ token: 'x' })],
  ];
  const send = (endpoint: string, [headers, form]: Sent, fields: Record<string, string>): Promise<Answer> =>
    house.browser().call(house.address(endpoint), {
      headers: { accept: 'application/json', ...headers },
      form: { ...fields, ...form },
    });

  it('that proves itself is heard at each endpoint', async () => {
    for (const [endpoint, fields] of endpoints) {
      const answer = await send(endpoint, await signed(), fields('web'));
      expect([endpoint, answer.status, errorOf(answer)]).toEqual([
        endpoint,
        { '/oidc/token': 400, '/oidc/par': 201 }[endpoint] ?? 200,
        endpoint === '/oidc/token' ? 'invalid_grant' : undefined,
      ]);
    }
  });

  it.each(refused)('is refused with %s, at each endpoint', async (_, make) => {
    const before = await pushedRequests();
    for (const [endpoint, fields] of endpoints) {
      const sent = await make();
      const answer = await send(endpoint, sent, fields(nameIn(sent)));
      expect([endpoint, answer.location]).toEqual([endpoint, undefined]);
      expect([400, 401]).toContain(answer.status);
      expect(['invalid_client', 'invalid_request']).toContain(errorOf(answer));
    }
    expect(await pushedRequests()).toBe(before);
  });

  it('with its secret in the address is refused', async () => {
    const answer = await house.browser().call(house.address(`/oidc/token?client_id=poster&client_secret=${SECRET}`), {
      headers: { accept: 'application/json' },
      form: { grant_type: 'refresh_token', refresh_token: 'x' },
    });
    expect([answer.status, errorOf(answer)]).toEqual([400, 'invalid_request']);
  });

  it('uses an assertion once, of 16 times at the same moment', async () => {
    const sent = await signed();
    const answers = await Promise.all(Array.from({ length: 16 }, () => send('/oidc/introspect', sent, { token: 'x' })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 401 && errorOf(answer) === 'invalid_client')).toHaveLength(15);
  });
});

describe('a proof of possession', () => {
  let key: ProofKey;
  beforeAll(async () => {
    key = await proofKey();
  });
  const at = (): string => house.address('/oidc/token');
  const service = async (dpop: string): Promise<Answer> =>
    house.browser().call(at(), {
      headers: { accept: 'application/json', dpop },
      form: { grant_type: 'client_credentials', ...(await house.credentials('service')).form },
    });

  it.each<[string, () => Promise<string>, string]>([
    ['for another address', () => key.proof('POST', house.address('/oidc/par')), 'invalid_dpop_proof'],
    ['for another host', () => key.proof('POST', 'https://evil.example/oidc/token'), 'invalid_dpop_proof'],
    ['for another method', () => key.proof('GET', at()), 'invalid_dpop_proof'],
    ['without address', () => key.proof('POST', at(), { claims: { htu: undefined } }), 'invalid_dpop_proof'],
    ['without jti', () => key.proof('POST', at(), { claims: { jti: undefined as never } }), 'invalid_dpop_proof'],
    ['without time', () => key.proof('POST', at(), { claims: { iat: undefined as never } }), 'invalid_dpop_proof'],
    ['that is old', () => key.proof('POST', at(), { claims: { iat: now() - 90 } }), 'use_dpop_nonce'],
    ['from the future', () => key.proof('POST', at(), { claims: { iat: now() + 90 } }), 'use_dpop_nonce'],
    ['with a nonce of its own', () => key.proof('POST', at(), { claims: { nonce: 'x' } }), 'use_dpop_nonce'],
    ['of another kind', () => key.proof('POST', at(), { header: { typ: 'jwt' } }), 'invalid_dpop_proof'],
    ['without key', () => key.proof('POST', at(), { header: { jwk: undefined } }), 'invalid_dpop_proof'],
    [
      'with another key in it',
      async () => key.proof('POST', at(), { header: { jwk: await exportJWK(EC.publicKey) } }),
      'invalid_dpop_proof',
    ],
    [
      'with the private key in it',
      async () => key.proof('POST', at(), { header: { jwk: await exportJWK(EC.privateKey) } }),
      'invalid_dpop_proof',
    ],
    [
      'that is unsigned',
      () => Promise.resolve(new UnsecuredJWT({ htm: 'POST', htu: at(), jti: 'x' }).encode()),
      'invalid_dpop_proof',
    ],
    [
      'that is two',
      async () => `${await key.proof('POST', at())}, ${await key.proof('POST', at())}`,
      'invalid_dpop_proof',
    ],
  ])('%s is refused', async (_, make, error) => {
    const answer = await service(await make());
    expect([answer.status, errorOf(answer)]).toEqual([400, error]);
  });

  it('that was used is refused', async () => {
    const proof = await key.proof('POST', at());
    expect((await service(proof)).status).toBe(200);
    const again = await service(proof);
    expect([again.status, errorOf(again)]).toEqual([400, 'invalid_grant']);
  });

  describe('beside a token', () => {
    const userinfo = (): string => house.address('/oidc/userinfo');
    let token = '';
    beforeAll(async () => {
      const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
      const answer = await house.browser().call(at(), {
        headers: { accept: 'application/json', dpop: await key.proof('POST', at()) },
        form: {
          grant_type: 'authorization_code',
          code: asked.code,
          code_verifier: asked.verifier,
          redirect_uri: asked.redirectUri,
          ...(await house.credentials('web')).form,
        },
      });
      token = tokensOf(answer).access_token;
    });
    const ath = (of = token): string => createHash('sha256').update(of).digest('base64url');

    it('is taken with the token that it is for', async () => {
      const dpop = await key.proof('GET', userinfo(), { claims: { ath: ath() } });
      const answer = await house.browser().call(userinfo(), { headers: { authorization: `DPoP ${token}`, dpop } });
      expect(answer.status).toBe(200);
    });

    it.each<[string, () => Promise<Record<string, string>>]>([
      ['none at all', () => Promise.resolve({ authorization: `Bearer ${token}` })],
      ['none, by the name of one', () => Promise.resolve({ authorization: `DPoP ${token}` })],
      [
        'one for another token',
        async () => ({
          authorization: `DPoP ${token}`,
          dpop: await key.proof('GET', userinfo(), { claims: { ath: ath('x') } }),
        }),
      ],
      ['one for no token', async () => ({ authorization: `DPoP ${token}`, dpop: await key.proof('GET', userinfo()) })],
      [
        'one by another key',
        async () => ({
          authorization: `DPoP ${token}`,
          dpop: await (await proofKey()).proof('GET', userinfo(), { claims: { ath: ath() } }),
        }),
      ],
      [
        'one as if it were a bearer token',
        async () => ({
          authorization: `Bearer ${token}`,
          dpop: await key.proof('GET', userinfo(), { claims: { ath: ath() } }),
        }),
      ],
    ])('is refused: %s', async (_, make) => {
      const answer = await house
        .browser()
        .call(userinfo(), { headers: { accept: 'application/json', ...(await make()) } });
      expect([400, 401]).toContain(answer.status);
      expect(answer.body).not.toContain('"sub"');
    });
  });
});
