import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { attemptId } from '#src/kernel/ids.js';
import { claimsOf, errorOf, House, tokensOf } from './support/house.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const SIGN_IN = /^\/sign-in\/[\w-]+$/;
const uidOf = (page: URL | undefined): string => page?.pathname.split('/')[2] ?? '';

describe('logging in at a relying party', () => {
  it('ends with tokens that say what was proved', async () => {
    const account = await house.person();
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'web', account });

    const jwks = JSON.parse((await house.browser().call(house.address('/oidc/jwks'))).body) as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token, createLocalJWKSet(jwks), {
      issuer: house.issuer,
      audience: 'web',
    });
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toEqual({
      iss: house.issuer,
      aud: 'web',
      sub: account,
      nonce: 'nonce-1',
      acr: 'urn:asn:aal2',
      amr: ['pwd', 'otp', 'mfa'],
      sid: expect.any(String),
      auth_time: expect.any(Number),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 600,
    });
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, refresh_token: expect.any(String) });
  });

  it('signs with RS256 where the registration says so', async () => {
    const tokens = await house.tokens({
      browser: house.browser(),
      clientId: 'legacy',
      account: await house.person(),
    });
    expect(JSON.parse(Buffer.from(tokens.id_token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'RS256',
    });
  });

  it('is done once for every relying party', async () => {
    const browser = house.browser();
    const account = await house.person();
    const first = await house.tokens({ browser, clientId: 'web', account });
    const second = await house.authorize({ browser, clientId: 'other', account });
    expect(second.location?.origin).toBe('https://other.example');
    expect(second.location?.searchParams.get('iss')).toBe(house.issuer);
    const code = second.location?.searchParams.get('code') ?? '';
    const tokens = tokensOf(await house.redeem('other', { ...second, code }));
    expect(claimsOf(tokens.id_token).auth_time).toBe(claimsOf(first.id_token).auth_time);
    expect(claimsOf(tokens.id_token).sid).not.toBe(claimsOf(first.id_token).sid);
  });

  it('tells one relying party the same session id every time', async () => {
    const browser = house.browser();
    const account = await house.person();
    const sids = [];
    for (let i = 0; i < 2; i += 1) {
      sids.push(claimsOf((await house.tokens({ browser, clientId: 'web', account })).id_token).sid);
    }
    expect(sids[0]).toBe(sids[1]);
  });

  it('takes the time of the second factor for auth_time, and a refresh keeps it', async () => {
    const browser = house.browser();
    const account = await house.person();
    const asked = house.request({ clientId: 'web' });
    const page = await house.toSignIn(browser, asked.url);
    const authenticatedAt = new Date(Date.now() - 120_000);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: account, authenticatedAt });
    const back = await house.follow(browser, resumed.redirect());
    const code = back.location?.searchParams.get('code') ?? '';
    const tokens = tokensOf(await house.redeem('web', { ...asked, code }));
    const refreshed = tokensOf(await house.refresh('web', tokens.refresh_token));
    const expected = Math.floor(authenticatedAt.getTime() / 1000);
    expect(claimsOf(tokens.id_token).auth_time).toBe(expected);
    expect(claimsOf(refreshed.id_token).auth_time).toBe(expected);
  });

  it('issues one code however often the browser resumes at once', async () => {
    const browser = house.browser();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: await house.person() });
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => browser.call(resumed.redirect(), { headers: { accept: 'text/html' } })),
    );
    expect(answers.filter((answer) => answer.location?.searchParams.has('code'))).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 410)).toHaveLength(15);
  });

  it('gives a lost answer again, and after that leads to where the service begins', async () => {
    const browser = house.browser();
    const account = await house.person({ employment: 'PPPK' });
    const page = await house.toSignIn(browser, house.request({ clientId: 'limited' }).url);
    const uid = attemptId(uidOf(page.location));
    const first = await house.signIn(browser, page.redirect(), { accountId: account });
    expect(await house.interactions.authorizationRequest(uid)).toBe(first.location?.href);
    await house.follow(browser, first.redirect());
    expect(await house.interactions.authorizationRequest(uid)).toBe('https://limited.example/');
    expect(await house.interactions.authorizationRequest(attemptId('unknown'))).toBeUndefined();
  });

  it('makes the request again where a service has told no beginning, without what was satisfied', async () => {
    const browser = house.browser();
    const account = await house.person();
    const asked = house.request({ clientId: 'web', params: { prompt: 'login', max_age: '60' } });
    const page = await house.toSignIn(browser, asked.url);
    const first = await house.signIn(browser, page.redirect(), { accountId: account });
    await house.follow(browser, first.redirect());
    const again = new URL((await house.interactions.authorizationRequest(attemptId(uidOf(page.location)))) ?? '');
    expect(again.searchParams.has('prompt')).toBe(false);
    expect(again.searchParams.has('max_age')).toBe(false);
    expect((await browser.call(again)).location?.searchParams.get('code')).toEqual(expect.any(String));
  });

  it('never puts a code, token or session id in clear into the database', async () => {
    const browser = house.browser();
    const account = await house.person();
    const asked = await house.code({ browser, clientId: 'web', account });
    const tokens = tokensOf(await house.redeem('web', asked));
    // A second interaction is kept while a session lives.
    await house.toSignIn(browser, house.request({ clientId: 'web', params: { prompt: 'login' } }).url);
    const pushed = await house.post(
      '/oidc/par',
      'pushed',
      Object.fromEntries(house.request({ clientId: 'pushed' }).url.searchParams),
    );
    const requestUri = (JSON.parse(pushed.body) as { request_uri: string }).request_uri;
    const secrets = [
      asked.code,
      tokens.access_token,
      tokens.refresh_token,
      browser.cookie('__Host-sid') ?? '',
      requestUri.split(':').at(-1) ?? '',
    ];
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
    for (const table of [
      'oidc_tokens',
      'sso_sessions',
      'oidc_grants',
      'sign_in_attempts',
      'oidc_replays',
      'audit_events',
    ]) {
      for (const secret of secrets) {
        expect([table, await house.rows(`${table} t`, `t::text LIKE '%${secret}%'`)]).toEqual([table, 0]);
      }
    }
  });
});

describe('response_mode=form_post', () => {
  it('posts the code by the one script that its policy allows, and to the client only', async () => {
    const browser = house.browser();
    const account = await house.person();
    await house.tokens({ browser, clientId: 'web', account });
    const asked = house.request({ clientId: 'web', params: { response_mode: 'form_post' } });
    const answer = await browser.call(asked.url);
    const field = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(answer.body)?.[1] ?? '';
    const script = /<script>([^]*)<\/script>/.exec(answer.body)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    const policy = answer.headers['content-security-policy'];
    expect(policy).toContain(`script-src 'sha256-${hash}';`);
    expect(policy).toContain("form-action 'self' https://web.example;");
    expect(answer.body).toContain('<h1>Client web</h1>');
    expect(answer.body).toContain('action="https://web.example/cb"');
    expect([field('state'), field('iss')]).toEqual(['state-1', house.issuer]);
    expect((await house.redeem('web', { ...asked, code: field('code') })).status).toBe(200);
  });
});

describe('the browser that began an interaction', () => {
  it('is the only one that may finish it', async () => {
    const page = await house.toSignIn(house.browser(), house.request({ clientId: 'web' }).url);
    expect(page.location?.pathname).toMatch(SIGN_IN);
    const stranger = await house.signIn(house.browser(), page.redirect(), { accountId: await house.person() });
    expect(stranger.status).toBe(410);
  });

  it('is known by a signature, not by knowing the name', async () => {
    const browser = house.browser();
    const page = await house.toSignIn(house.browser(), house.request({ clientId: 'web' }).url);
    browser.plant('__Secure-int', uidOf(page.location));
    browser.plant('__Secure-int.sig', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA');
    expect((await house.signIn(browser, page.redirect(), { accountId: await house.person() })).status).toBe(410);
  });

  it('cannot finish with the cookie of another interaction', async () => {
    const browser = house.browser();
    const one = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const two = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const mixed = house.browser();
    mixed.plant('__Secure-int', uidOf(one.location));
    mixed.plant('__Secure-int.sig', browser.cookie('__Secure-int.sig') ?? '');
    expect((await house.signIn(mixed, two.redirect(), { accountId: await house.person() })).status).toBe(410);
  });

  it('gets nothing for resuming without having signed in', async () => {
    const browser = house.browser();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const resume = house.address(`/oidc/auth/${uidOf(page.location)}`);
    expect((await browser.call(resume)).location?.pathname).toMatch(SIGN_IN);
    expect((await house.browser().call(resume, { headers: { accept: 'text/html' } })).status).toBe(410);
  });

  it('has lost when the account is ended between the proof and the result', async () => {
    const browser = house.browser();
    const account = await house.person();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    await house.db.query('UPDATE sign_in_attempts SET account_id = $2 WHERE uid = $1', [uidOf(page.location), account]);
    await house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account]));
    expect((await house.signIn(browser, page.redirect(), { accountId: account })).status).toBe(410);
  });

  it('is asked again when the credentials changed after their proof', async () => {
    const browser = house.browser();
    const account = await house.person();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: account });
    await house.db.query('UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1', [account]);
    const again = await browser.call(resumed.redirect());
    expect(again.location?.pathname).toMatch(SIGN_IN);
    const [row] = await house.db.query('SELECT reasons FROM sign_in_attempts WHERE uid = $1', [uidOf(again.location)]);
    expect(row?.reasons).toEqual(['cred_epoch']);
    expect((await house.signIn(browser, again.redirect(), { accountId: account, credEpoch: 1 })).status).toBe(303);
  });

  it.each([
    ['inactive', "status = 'inactive'"],
    ['frozen', 'frozen_at = now()'],
  ])('is asked again when the account became %s before the end', async (_, change) => {
    const browser = house.browser();
    const account = await house.person();
    const page = await house.toSignIn(browser, house.request({ clientId: 'web' }).url);
    const resumed = await house.signIn(browser, page.redirect(), { accountId: account });
    await house.db.query(`UPDATE accounts SET ${change} WHERE id = $1`, [account]);
    expect((await browser.call(resumed.redirect())).location?.pathname).toMatch(SIGN_IN);
  });
});

describe('a browser in which somebody else is signed in', () => {
  it('changes hands without a sign-out page, and the first session ends', async () => {
    const browser = house.browser();
    const one = await house.person();
    const two = await house.person();
    const tokens = await house.tokens({ browser, clientId: 'web', account: one });
    const answer = await house.authorize({ browser, clientId: 'web', account: two, params: { prompt: 'login' } });
    const code = answer.location?.searchParams.get('code') ?? '';
    expect(claimsOf(tokensOf(await house.redeem('web', { ...answer, code })).id_token).sub).toBe(two);
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(await house.rows('sso_sessions', `account_id = '${one}'`)).toBe(0);
  });

  it('changes hands also when the other one signed in meanwhile, in another tab', async () => {
    const browser = house.browser();
    const waiting = house.request({ clientId: 'web' });
    const page = await house.toSignIn(browser, waiting.url);
    await house.tokens({ browser, clientId: 'other', account: await house.person() });
    const two = await house.person();
    const resumed = await house.signIn(browser, page.redirect(), { accountId: two });
    const back = await house.follow(browser, resumed.redirect());
    const code = back.location?.searchParams.get('code') ?? '';
    expect(claimsOf(tokensOf(await house.redeem('web', { ...waiting, code })).id_token).sub).toBe(two);
  });

  it('cannot turn a step-up of an ended session into a new session', async () => {
    const browser = house.browser();
    const account = await house.person();
    await house.authorize({
      browser,
      clientId: 'web',
      account,
    });
    const page = await house.toSignIn(browser, house.request({ clientId: 'web', params: { prompt: 'login' } }).url);
    const [session] = await house.db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [account]);
    await house.db.transaction((tx) => house.endSessions.one(tx, session?.uid as string));
    expect((await house.signIn(browser, page.redirect(), { accountId: account })).status).toBe(410);
  });
});

describe('parallel authorizations in one session', () => {
  it('keep every client', async () => {
    const browser = house.browser();
    const account = await house.person();
    await house.tokens({ browser, clientId: 'web', account });
    const clients = ['other', 'legacy', 'bare', 'few', 'roles', 'archive'];
    const codes = await Promise.all(clients.map((clientId) => house.code({ browser, clientId, account })));
    const [row] = await house.db.query('SELECT authorizations FROM sso_sessions WHERE account_id = $1', [account]);
    expect(Object.keys(row?.authorizations as object).sort()).toEqual([...clients, 'web'].sort());
    const answers = await Promise.all(clients.map((clientId, i) => house.redeem(clientId, codes[i] as never)));
    expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 200));
  });

  it('of one client all end in tokens, with one session id', async () => {
    for (let round = 0; round < 5; round += 1) {
      const browser = house.browser();
      const account = await house.person();
      await house.tokens({ browser, clientId: 'web', account });
      const codes = await Promise.all(
        Array.from({ length: 6 }, () => house.code({ browser, clientId: 'other', account })),
      );
      const answers = await Promise.all(codes.map((code) => house.redeem('other', code)));
      const sids = answers.map((answer) => claimsOf(tokensOf(answer).id_token).sid);
      expect(new Set(sids).size).toBe(1);
    }
  });
});

describe('the session cookie', () => {
  it('has a new value after every login and step-up, and the old one is dead', async () => {
    const browser = house.browser();
    const account = await house.person();
    await house.tokens({ browser, clientId: 'web', account });
    const first = browser.cookie('__Host-sid');
    const thief = house.browser();
    for (const name of ['__Host-sid', '__Host-sid.sig']) thief.plant(name, browser.cookie(name) ?? '');
    await house.tokens({ browser, clientId: 'web', account, params: { prompt: 'login' } });
    expect(browser.cookie('__Host-sid')).not.toBe(first);
    expect((await thief.call(house.request({ clientId: 'web' }).url)).location?.pathname).toMatch(SIGN_IN);
    expect(await house.rows('sso_sessions', `account_id = '${account}'`)).toBe(1);
  });

  it('is never taken over from what was planted', async () => {
    const browser = house.browser();
    // Signed by us, but of no living session.
    const dead = house.browser();
    const account = await house.person();
    await house.tokens({ browser: dead, clientId: 'web', account });
    await house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account]));
    const value = dead.cookie('__Host-sid') ?? '';
    for (const name of ['__Host-sid', '__Host-sid.sig']) browser.plant(name, dead.cookie(name) ?? '');
    await house.tokens({ browser, clientId: 'web', account: await house.person() });
    expect(browser.cookie('__Host-sid')).not.toBe(value);
    expect((await dead.call(house.request({ clientId: 'web' }).url)).location?.pathname).toMatch(SIGN_IN);
  });

  it('and all others are HttpOnly, Secure, SameSite=Lax, signed, small and end with the browser session', async () => {
    const browser = house.browser();
    await house.tokens({ browser, clientId: 'web', account: await house.person() });
    const set = browser.setCookies.filter((cookie) => !/^[^=]+=;/.test(cookie));
    expect(set.length).toBeGreaterThan(5);
    for (const cookie of set) {
      expect(cookie).toMatch(/^(__Host-sid|__Secure-(int|res))(\.sig)?=/);
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
      expect(cookie).not.toMatch(/domain=/i);
      expect(cookie.length).toBeLessThan(4096);
      if (cookie.startsWith('__Host-')) expect(cookie).toMatch(/; path=\/(;|$)/);
      if (cookie.startsWith('__Host-')) expect(cookie).not.toMatch(/expires/i);
    }
  });
});

describe('over plain http', () => {
  it('the same cookies have no prefix and no Secure', async () => {
    const plain = await House.open({ issuer: 'http://localhost:3000' });
    try {
      const browser = plain.browser();
      await plain.tokens({ browser, clientId: 'web', account: await plain.person() });
      for (const cookie of browser.setCookies) {
        expect(cookie).toMatch(/^(sid|int|res)(\.sig)?=/);
        expect(cookie).not.toMatch(/secure/i);
      }
    } finally {
      await plain.close();
    }
  });
});

describe('ending sessions', () => {
  it('of an account ends its sessions, grants and tokens within the transaction, and nobody else', async () => {
    const browsers = [house.browser(), house.browser(), house.browser()];
    const account = await house.person();
    const mine = await Promise.all(browsers.map((browser) => house.tokens({ browser, clientId: 'web', account })));
    const other = await house.tokens({ browser: house.browser(), clientId: 'web', account: await house.person() });
    await house.db.transaction((tx) => house.endSessions.ofAccounts(tx, [account]));
    for (const [i, tokens] of mine.entries()) {
      expect((await house.userinfo(tokens.access_token)).status).toBe(401);
      expect(await house.isActive('web', tokens.access_token)).toBe(false);
      expect(errorOf(await house.refresh('web', tokens.refresh_token))).toBe('invalid_grant');
      const again = await browsers[i]?.call(house.request({ clientId: 'web' }).url);
      expect(again?.location?.pathname).toMatch(SIGN_IN);
    }
    expect((await house.userinfo(other.access_token)).status).toBe(200);
  });

  it('one by one leaves the other sessions of the person', async () => {
    const account = await house.person();
    const first = await house.tokens({ browser: house.browser(), clientId: 'web', account });
    const [session] = await house.db.query('SELECT uid FROM sso_sessions WHERE account_id = $1', [account]);
    const second = await house.tokens({ browser: house.browser(), clientId: 'web', account });
    const uid = session?.uid as string;
    expect(await house.db.transaction((tx) => house.endSessions.one(tx, uid))).toBe(true);
    expect(await house.db.transaction((tx) => house.endSessions.one(tx, uid))).toBe(false);
    expect((await house.userinfo(first.access_token)).status).toBe(401);
    expect((await house.userinfo(second.access_token)).status).toBe(200);
  });

  it('rolled back, ends nothing', async () => {
    const account = await house.person();
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'web', account });
    const failed = house.db.transaction(async (tx) => {
      await house.endSessions.ofAccounts(tx, [account]);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect((await house.userinfo(tokens.access_token)).status).toBe(200);
  });
});
