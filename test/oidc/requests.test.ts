import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { JWTPayload } from 'jose';
import type { AccountId } from '#src/kernel/ids.js';
import type { Browser } from './support/browser.js';
import { assertionFields, claimsOf, errorOf, House, resetTime, setTime, tokensOf } from './support/house.js';
import { SECRET } from './support/registrations.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(resetTime);

const html = { headers: { accept: 'text/html' } };
const later = (seconds: number): void => {
  setTime(new Date(Date.now() + seconds * 1000));
};
const isSignIn = (location: URL | undefined): boolean => location?.pathname.startsWith('/sign-in/') === true;
const reasonsOf = async (location: URL | undefined): Promise<unknown> => {
  const [row] = await house.db.query('SELECT reasons FROM sign_in_attempts WHERE uid = $1', [
    location?.pathname.split('/')[2],
  ]);
  return row?.reasons;
};
const signedIn = async (): Promise<{ browser: Browser; account: AccountId }> => {
  const browser = house.browser();
  const account = await house.person();
  await house.tokens({ browser, clientId: 'web', account });
  return { browser, account };
};

describe('an authorization request', () => {
  it.each([
    ['prompt', 'none select_account'],
    ['prompt', 'none login'],
    ['max_age', '-1'],
    ['max_age', 'soon'],
    ['claims', '{'],
    ['claims', '{"id_token":{"acr":{"essential":true,"values":"phr"}}}'],
    ['id_token_hint', 'x.y.z'],
    ['request', 'e30.e30.'],
    ['request_uri', 'https://evil.example/request'],
    ['scope', 'openid "'],
  ])('with %s=%s is refused on a page of ours', async (name, value) => {
    const answer = await house.browser().call(house.request({ clientId: 'web', params: { [name]: value } }).url, html);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
  });

  it('ignores parameters it does not know', async () => {
    const answer = await house.browser().call(house.request({ clientId: 'web', params: { utm_source: 'mail' } }).url);
    expect(isSignIn(answer.location)).toBe(true);
  });

  it('of an unknown client is a page of ours', async () => {
    const answer = await house.browser().call(house.request({ clientId: 'nobody' }).url, html);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
    expect(answer.body).toContain('"requestId":"request-1"');
  });

  it('may be asked for a consent that nobody has to give', async () => {
    const { browser, account } = await signedIn();
    const { code } = await house.code({ browser, clientId: 'web', account, params: { prompt: 'consent' } });
    expect(code).toEqual(expect.any(String));
  });
});

describe('PKCE at the token endpoint', () => {
  const redeem = async (clientId: string, params: object, verifier: string | undefined) => {
    const asked = await house.code({
      browser: house.browser(),
      clientId,
      account: await house.person(),
      params: params as never,
    });
    return house.post('/oidc/token', clientId, {
      grant_type: 'authorization_code',
      code: asked.code,
      redirect_uri: asked.redirectUri,
      ...(verifier === undefined ? {} : { code_verifier: verifier }),
    });
  };
  const challenge = createHash('sha256').update('v'.repeat(43)).digest('base64url');
  const none = { code_challenge: undefined, code_challenge_method: undefined };

  it.each([
    ['the right verifier', 'web', { code_challenge: challenge }, 'v'.repeat(43)],
    ['none where the registration needs none', 'poster', none, undefined],
  ])('%s of %s', async (_, clientId, params, verifier) => {
    expect((await redeem(clientId, params, verifier)).status).toBe(200);
  });
});

describe('a client', () => {
  const grant = { grant_type: 'client_credentials' };
  const send = (headers: Record<string, string>, form: Record<string, string>) =>
    house.browser().call(house.address('/oidc/token'), {
      headers: { accept: 'application/json', ...headers },
      form: { ...grant, ...form },
    });
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  });
  const asserted = async (claims: JWTPayload = {}, header = {}): Promise<Record<string, string>> =>
    assertionFields(await house.assertion('service', claims, header));

  it('proves itself in the way it is registered for', async () => {
    expect((await send({}, await asserted())).status).toBe(200);
    expect((await send(basic('batch', SECRET), {})).status).toBe(200);
  });

  it('that is built in cannot use the token endpoint', async () => {
    const { browser } = await signedIn();
    const verifier = 'v'.repeat(43);
    const url = house.own.authorizationUrl({
      state: 's',
      codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
    });
    const code = (await browser.call(url)).location?.searchParams.get('code') ?? '';
    const form = {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: `${house.issuer}/session/callback`,
    };
    for (const extra of [
      { client_id: 'asn-digital' },
      assertionFields(await house.assertion('web', { iss: 'asn-digital', sub: 'asn-digital' })),
    ]) {
      const answer = await house
        .browser()
        .call(house.address('/oidc/token'), { headers: { accept: 'application/json' }, form: { ...form, ...extra } });
      expect(errorOf(answer)).toBe('invalid_client');
    }
    expect(await house.own.redeem({ code, codeVerifier: verifier })).toBeDefined();
  });
});

describe('what a relying party asks of the login', () => {
  const AAL2 = 'urn:asn:aal2';
  const essential = (member: object): string => JSON.stringify({ id_token: { acr: { essential: true, ...member } } });

  // Answered by `ask`: sign in again (with what reason), a code at once, or an error at the client.
  it.each<[string, string, Record<string, string>, { signIn: string[] } | { code: true } | { error: string }]>([
    ['nothing', 'web', {}, { code: true }],
    ['prompt=none', 'web', { prompt: 'none' }, { code: true }],
    ['prompt=login', 'web', { prompt: 'login' }, { signIn: ['login_prompt'] }],
    ['prompt=login consent', 'web', { prompt: 'login consent' }, { signIn: ['login_prompt'] }],
    ['max_age that has not passed', 'web', { max_age: '600' }, { code: true }],
    ['max_age that has passed', 'web', { max_age: '200' }, { signIn: ['max_age'] }],
    ['max_age=0', 'web', { max_age: '0' }, { signIn: ['login_prompt'] }],
    ['max_age that has passed, prompt=none', 'web', { max_age: '200', prompt: 'none' }, { error: 'login_required' }],
    ['acr_values aal2', 'web', { acr_values: AAL2 }, { code: true }],
    ['acr_values aal2 or phr', 'web', { acr_values: `phr ${AAL2}` }, { code: true }],
    ['acr_values unknown to us', 'web', { acr_values: '1 urn:mace:incommon:iap:silver' }, { code: true }],
    ['acr_values phr', 'web', { acr_values: 'phr' }, { signIn: ['phishing_resistant'] }],
    [
      'acr_values phr and max_age',
      'web',
      { acr_values: 'phr', max_age: '200' },
      { signIn: ['max_age', 'phishing_resistant'] },
    ],
    [
      'acr_values phr, prompt=none',
      'web',
      { acr_values: 'phr', prompt: 'none' },
      { error: 'unmet_authentication_requirements' },
    ],
    ['essential acr aal2', 'web', { claims: essential({ value: AAL2 }) }, { code: true }],
    ['essential acr of several', 'web', { claims: essential({ values: ['phr', AAL2] }) }, { code: true }],
    ['essential acr phr', 'web', { claims: essential({ values: ['phr'] }) }, { signIn: ['phishing_resistant'] }],
    [
      'essential acr unknown to us',
      'web',
      { claims: essential({ value: 'gold' }) },
      { error: 'unmet_authentication_requirements' },
    ],
    [
      'voluntary acr phr',
      'web',
      { claims: JSON.stringify({ id_token: { acr: { values: ['phr'] } } }) },
      { code: true },
    ],
    ['a registered factor age that has not passed', 'web', {}, { code: true }],
    ['a registered factor age that has passed', 'fresh', {}, { signIn: ['factor_age'] }],
    ['a registered factor age that has passed, prompt=none', 'fresh', { prompt: 'none' }, { error: 'login_required' }],
    ['a registered factor age and max_age', 'fresh', { max_age: '200' }, { signIn: ['max_age', 'factor_age'] }],
    ['a registered class that the session lacks', 'strong', {}, { signIn: ['phishing_resistant'] }],
    ['a registered class, and acr_values below it', 'strong', { acr_values: AAL2 }, { signIn: ['phishing_resistant'] }],
  ])('five and a half minutes after it: %s', async (_, clientId, params, expected) => {
    const { browser } = await signedIn();
    later(330);
    const answer = await browser.call(house.request({ clientId, params }).url);
    if ('signIn' in expected) expect(await reasonsOf(answer.location)).toEqual(expected.signIn);
    else if ('error' in expected) expect(errorOf(answer)).toBe(expected.error);
    else expect(answer.location?.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('without a session and prompt=none is login_required', async () => {
    const answer = await house.browser().call(house.request({ clientId: 'web', params: { prompt: 'none' } }).url);
    expect(errorOf(answer)).toBe('login_required');
  });

  it('about the subject is held against who signed in', async () => {
    const { browser, account } = await signedIn();
    const { id_token: hint } = await house.tokens({ browser, clientId: 'web', account });
    expect(
      errorOf(
        await (
          await signedIn()
        ).browser.call(house.request({ clientId: 'web', params: { id_token_hint: hint, prompt: 'none' } }).url),
      ),
    ).toBe('login_required');
    const own = await browser.call(
      house.request({ clientId: 'web', params: { id_token_hint: hint, prompt: 'none' } }).url,
    );
    expect(own.location?.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('once given is what the next token says', async () => {
    const { browser, account } = await signedIn();
    later(330);
    const tokens = await house.tokens({ browser, clientId: 'fresh', account });
    expect(claimsOf(tokens.id_token).auth_time).toBe(Math.floor(Date.now() / 1000));
    const other = await house.tokens({ browser, clientId: 'web', account });
    expect(claimsOf(other.id_token).auth_time).toBe(claimsOf(tokens.id_token).auth_time);
  });
});

describe('text that the database cannot hold (R-43, R-47)', () => {
  it.each([
    ['NUL in a claims request', { claims: '{"id_token":{"sub":{"value":"\\u0000"}}}' }],
    ['half a pair in a claims request', { claims: '{"id_token":{"sub":{"value":"\\udc00"}}}' }],
    ['half a pair as a name', { claims: '{"userinfo":{"\\ud800":null}}' }],
  ])('%s is the request’s fault', async (_, params) => {
    const { browser } = await signedIn();
    const answer = await browser.call(house.request({ clientId: 'web', params }).url);
    expect([answer.status, errorOf(answer)]).toEqual([400, 'invalid_request']);
    const stranger = await house.browser().call(house.request({ clientId: 'web', params }).url);
    expect(isSignIn(stranger.location) || stranger.status === 400).toBe(true);
  });

  it('also where it was pushed before', async () => {
    const { url } = house.request({ clientId: 'web' });
    const fields = { ...Object.fromEntries(new URL(url).searchParams), state: 'a\u0000b' };
    const pushed = await house.post('/oidc/par', 'web', fields);
    const uri = (JSON.parse(pushed.body) as { request_uri?: string }).request_uri;
    const asked = new URLSearchParams({ client_id: 'web', request_uri: uri ?? '' });
    const answer = await house.browser().call(`${house.address('/oidc/auth')}?${asked.toString()}`);
    expect([pushed.status, answer.status]).toEqual([201, 400]);
    expect(errorOf(answer)).toBe('invalid_request');
  });
});

describe('a service that is not for everyone', () => {
  it('is shown to be closed on a page of ours, without an OAuth error', async () => {
    const account = await house.person({ employment: 'PNS' });
    const answer = await house.authorize({ browser: house.browser(), clientId: 'limited', account });
    expect([answer.status, answer.location]).toEqual([403, undefined]);
    expect(answer.body).toContain('data-page="no-access"');
    expect(answer.body).toContain('Client limited');
  });

  it('is denied at the client with prompt=none', async () => {
    const { browser } = await signedIn();
    const answer = await browser.call(house.request({ clientId: 'limited', params: { prompt: 'none' } }).url);
    expect(errorOf(answer)).toBe('access_denied');
  });

  it('is closed to tokens too once the person is no longer of those it is for (A29)', async () => {
    const account = await house.person({ employment: 'PPPK' });
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'limited', account });
    expect((await house.userinfo(tokens.access_token)).status).toBe(200);
    await house.db.query(`UPDATE accounts SET employment = 'PNS' WHERE id = $1`, [account]);
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(errorOf(await house.refresh('limited', tokens.refresh_token))).toBe('invalid_grant');
  });

  it('lets in whom it is for', async () => {
    const account = await house.person({ employment: 'PPPK' });
    await house.tokens({ browser: house.browser(), clientId: 'limited', account });
    const officer = await house.person();
    expect((await house.authorize({ browser: house.browser(), clientId: 'officers', account: officer })).status).toBe(
      403,
    );
    await house.db.query(
      "INSERT INTO role_grants (account_id, role, agency_code, granted_at) VALUES ($1, 'helpdesk', '3300', now())",
      [officer],
    );
    await house.tokens({ browser: house.browser(), clientId: 'officers', account: officer });
  });
});

describe('pushed requests', () => {
  const push = async (): Promise<{ uri: string; asked: ReturnType<House['request']> }> => {
    const asked = house.request({ clientId: 'pushed' });
    const answer = await house.post('/oidc/par', 'pushed', Object.fromEntries(asked.url.searchParams));
    expect(answer.status).toBe(201);
    return { uri: (JSON.parse(answer.body) as { request_uri: string }).request_uri, asked };
  };
  const open = (uri: string): URL =>
    new URL(house.address(`/oidc/auth?client_id=pushed&request_uri=${encodeURIComponent(uri)}`));

  it('are demanded where registered', async () => {
    expect(errorOf(await house.browser().call(house.request({ clientId: 'pushed' }).url))).toBe('invalid_request');
  });

  it('end in tokens, also when the login takes longer than the request lives', async () => {
    const browser = house.browser();
    const { uri, asked } = await push();
    const page = await house.toSignIn(browser, open(uri));
    later(300);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: await house.person() });
    const back = await house.follow(browser, resumed.redirect());
    const code = back.location?.searchParams.get('code') ?? '';
    expect(tokensOf(await house.redeem('pushed', { ...asked, code })).access_token).toEqual(expect.any(String));
    const again = await browser.call(open(uri), html);
    expect([again.status, again.location, again.body.includes('invalid_request_uri')]).toEqual([400, undefined, true]);
  });

  it('are used once, in 16 browsers at the same time', async () => {
    const { uri } = await push();
    const account = await house.person();
    const ready = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const browser = house.browser();
        const page = await house.toSignIn(browser, open(uri));
        return { browser, resumed: await house.signIn(browser, page.redirect(), { accountId: account }) };
      }),
    );
    const answers = await Promise.all(ready.map(({ browser, resumed }) => browser.call(resumed.redirect())));
    expect(answers.filter(({ location }) => location?.searchParams.has('code') === true)).toHaveLength(1);
    expect(
      answers.filter((answer) => answer.location !== undefined && errorOf(answer) === 'invalid_request_uri'),
    ).toHaveLength(15);
  });
});

describe('a request by POST', () => {
  it.each(['/oidc/auth', '/oidc/logout'])('at %s is sent on as the same request by GET', async (endpoint) => {
    const form = new URLSearchParams([
      ['client_id', 'web'],
      ['state', 'a b&c=d'],
      ['state', 'twice'],
    ]);
    const answer = await house.browser().call(house.address(endpoint), { form });
    expect([answer.status, answer.location?.pathname]).toEqual([303, endpoint]);
    expect([...(answer.location?.searchParams ?? [])]).toEqual([...form]);
  });

  it('logs in', async () => {
    const { browser } = await signedIn();
    const answer = await browser.call(house.address('/oidc/auth'), {
      form: house.request({ clientId: 'web' }).url.searchParams,
    });
    expect((await browser.call(answer.redirect())).location?.searchParams.get('code')).toEqual(expect.any(String));
  });

  it.each([
    ['of another type', 415, { headers: { 'content-type': 'application/json' }, body: '{}' }],
    ['of 9 kB', 413, { form: { state: 'x'.repeat(9000) } }],
    ['of 20 kB', 413, { form: { state: 'x'.repeat(20_000) } }],
  ])('%s is refused with %i', async (_, status, call) => {
    expect((await house.browser().call(house.address('/oidc/auth'), call)).status).toBe(status);
  });
});

describe('the login of our own pages', () => {
  const verifier = 'v'.repeat(43);
  const codeChallenge = createHash('sha256').update(verifier).digest('base64url');
  const codeFor = async (browser: Browser): Promise<string> =>
    (await browser.call(house.own.authorizationUrl({ state: 's', codeChallenge }))).location?.searchParams.get(
      'code',
    ) ?? '';

  it('redeems its code in process, once, for the right verifier', async () => {
    const { browser, account } = await signedIn();
    const code = await codeFor(browser);
    expect(await house.own.redeem({ code, codeVerifier: 'w'.repeat(43) })).toBeUndefined();
    const redeemed = await house.own.redeem({ code, codeVerifier: verifier });
    expect(redeemed).toMatchObject({ accountId: account, acr: 'urn:asn:aal2', authenticatedAt: expect.any(Date) });
    expect(await house.own.redeem({ code, codeVerifier: verifier })).toBeUndefined();
  });

  it('is won by one of 16 at the same time', async () => {
    const { browser } = await signedIn();
    const code = await codeFor(browser);
    const all = await Promise.all(Array.from({ length: 16 }, () => house.own.redeem({ code, codeVerifier: verifier })));
    expect(all.filter((each) => each !== undefined)).toHaveLength(1);
  });

  it('takes no code of another client, nor an old one', async () => {
    const browser = house.browser();
    const asked = await house.code({ browser, clientId: 'web', account: await house.person() });
    expect(await house.own.redeem({ code: asked.code, codeVerifier: asked.verifier })).toBeUndefined();
    const code = await codeFor(browser);
    later(61);
    expect(await house.own.redeem({ code, codeVerifier: verifier })).toBeUndefined();
  });

  it('asks for a second factor, and for nothing else, when it has to be fresh', async () => {
    const { browser } = await signedIn();
    const url = house.own.authorizationUrl({ state: 's', codeChallenge, fresh: true });
    const code = new URL((await browser.call(url)).location ?? '').searchParams.get('code') ?? '';
    expect(await house.own.redeem({ code, codeVerifier: verifier })).toBeUndefined();
    expect(await house.own.redeem({ code, codeVerifier: verifier, fresh: true })).toBeDefined();
    later(301);
    expect(await reasonsOf((await browser.call(url)).location)).toEqual(['factor_age']);
  });

  it('lives as long as the session, and keeps it awake', async () => {
    const { browser, account } = await signedIn();
    const redeemed = await house.own.redeem({ code: await codeFor(browser), codeVerifier: verifier });
    const uid = redeemed?.sessionUid ?? '';
    expect(await house.own.isAlive(uid)).toBe(true);
    later(59 * 60);
    expect(await house.own.isAlive(uid)).toBe(true);
    later(59 * 60);
    expect(await house.own.isAlive(uid)).toBe(true);
    await house.db.query('UPDATE accounts SET frozen_at = now() WHERE id = $1', [account]);
    expect(await house.own.isAlive(uid)).toBe(false);
    expect(await house.own.isAlive('unknown')).toBe(false);
  });
});
