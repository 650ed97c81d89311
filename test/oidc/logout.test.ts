import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import type { Browser, Answer } from './support/browser.js';
import { claimsOf, House, resetTime, setTime, type Tokens } from './support/house.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const html = { headers: { accept: 'text/html' } };
const signedIn = async (): Promise<{ browser: Browser; account: AccountId; tokens: Tokens }> => {
  const browser = house.browser();
  const account = await house.person();
  return { browser, account, tokens: await house.tokens({ browser, clientId: 'web', account }) };
};
const ask = (browser: Browser, params: Record<string, string> = {}): Promise<Answer> => {
  const url = new URL(house.address('/oidc/logout'));
  url.search = new URLSearchParams(params).toString();
  return browser.call(url, html);
};
interface Page {
  readonly action: string;
  readonly xsrf: string;
  readonly service?: string;
}
const pageOf = (answer: Answer): Page => JSON.parse(/\{.*\}/.exec(answer.body)?.[0] ?? '{}') as Page;
const confirm = (browser: Browser, { action, xsrf }: Page): Promise<Answer> =>
  browser.call(house.address(action), { form: { xsrf, logout: 'yes' } });
const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.call(house.request({ clientId: 'web' }).url)).location?.searchParams.has('code') === true;

const BYE = 'https://web.example/bye';

describe('signing out (R-32)', () => {
  it('asks, then ends the session with all its tokens, and returns to the client', async () => {
    const { browser, tokens, account } = await signedIn();
    const other = await house.tokens({ browser, clientId: 'other', account });
    const answer = await ask(browser, { id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE, state: 's&1' });
    expect(answer.status).toBe(200);
    expect(pageOf(answer)).toMatchObject({ action: '/oidc/logout/confirm', service: 'Client web' });
    expect(await isSignedIn(browser)).toBe(true);
    const again = await ask(browser, { id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE, state: 's&1' });
    const done = await confirm(browser, pageOf(again));
    expect([done.status, done.location?.href]).toEqual([303, `${BYE}?state=s%261`]);
    expect(await isSignedIn(browser)).toBe(false);
    for (const { access_token: token } of [tokens, other]) expect((await house.userinfo(token)).status).toBe(401);
    expect((await house.refresh('other', other.refresh_token)).status).toBe(400);
  });

  it('hands what a relying party is to be told over for delivery, with the session id it knows', async () => {
    const { browser, account } = await signedIn();
    const { id_token: idToken } = await house.tokens({ browser, clientId: 'other', account });
    await house.notices();
    await confirm(browser, pageOf(await ask(browser)));
    expect(await house.notices()).toEqual([{ clientId: 'other', accountId: account, sid: claimsOf(idToken).sid }]);
  });

  it('takes a hint that has expired', async () => {
    const { browser, tokens } = await signedIn();
    setTime(new Date(Date.now() + 1800_000));
    expect((await ask(browser, { id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE })).status).toBe(200);
    resetTime();
  });

  it('writes its audit row once', async () => {
    const { browser, account } = await signedIn();
    const page = pageOf(await ask(browser));
    await confirm(browser, page);
    await confirm(browser, page);
    expect(await house.rows('audit_events', `type = 'session.ended' AND account_id = '${account}'`)).toBe(1);
  });

  it('leaves other browsers of the person alone', async () => {
    const { browser, account } = await signedIn();
    const second = house.browser();
    await house.tokens({ browser: second, clientId: 'web', account });
    await confirm(browser, pageOf(await ask(browser)));
    expect(await isSignedIn(second)).toBe(true);
  });

  it.each<[string, (tokens: Tokens, foreign: Tokens) => Record<string, string>, number, boolean]>([
    // What is asked, the status of the first answer, whether a page asks.
    ['nothing', () => ({}), 200, true],
    ['the hint of this session', ({ id_token: hint }) => ({ id_token_hint: hint }), 200, true],
    ['the hint of somebody else', (_, { id_token: hint }) => ({ id_token_hint: hint }), 200, true],
    ['the client only', () => ({ client_id: 'web' }), 200, true],
    ['the client and its address', () => ({ client_id: 'web', post_logout_redirect_uri: BYE }), 200, true],
    ['an address alone', () => ({ post_logout_redirect_uri: BYE }), 200, true],
    ['an unknown client', () => ({ client_id: 'nobody', post_logout_redirect_uri: BYE }), 200, true],
    ['a hint that is none', () => ({ id_token_hint: 'x.y.z' }), 400, false],
    ['a hint signed by nobody', ({ id_token: hint }) => ({ id_token_hint: `${hint.slice(0, -4)}AAAA` }), 400, false],
    ['a hint of another client', ({ id_token: hint }) => ({ id_token_hint: hint, client_id: 'other' }), 400, false],
    [
      'an address of another client',
      () => ({ client_id: 'web', post_logout_redirect_uri: 'https://other.example/bye' }),
      400,
      false,
    ],
    [
      'an address nobody registered',
      () => ({ client_id: 'web', post_logout_redirect_uri: 'https://evil.example/' }),
      400,
      false,
    ],
    [
      'a redirect address of the login',
      () => ({ client_id: 'web', post_logout_redirect_uri: 'https://web.example/cb' }),
      400,
      false,
    ],
  ])('with %s ends nothing by a GET', async (_, params, status, asks) => {
    const { browser, tokens } = await signedIn();
    const foreign = (await signedIn()).tokens;
    const answer = await ask(browser, params(tokens, foreign));
    expect([answer.status, answer.location]).toEqual([status, undefined]);
    expect(answer.body.includes('sign-out/confirm')).toBe(asks);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('sends nobody to an address that was given without its client', async () => {
    const { browser } = await signedIn();
    const done = await confirm(browser, pageOf(await ask(browser, { post_logout_redirect_uri: BYE })));
    expect(done.location?.pathname).toBe('/oidc/logout/success');
    expect((await browser.call(done.redirect(), html)).body).toContain('data-page="sign-out/done"');
  });

  it('needs the secret of the page that asked', async () => {
    const { browser } = await signedIn();
    const page = pageOf(await ask(browser));
    for (const xsrf of ['', 'x', `${page.xsrf}x`]) {
      expect((await confirm(browser, { ...page, xsrf })).status).toBe(400);
    }
    const stranger = await signedIn();
    expect((await confirm(stranger.browser, page)).status).toBe(400);
    expect(await isSignedIn(browser)).toBe(true);
    expect(await isSignedIn(stranger.browser)).toBe(true);
  });

  it('without the answer yes ends the share of the client that asked, and leaves the session', async () => {
    const { browser, tokens, account } = await signedIn();
    const other = await house.tokens({ browser, clientId: 'other', account });
    const page = pageOf(await ask(browser, { id_token_hint: tokens.id_token }));
    await browser.call(house.address(page.action), { form: { xsrf: page.xsrf } });
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect((await house.userinfo(other.access_token)).status).toBe(200);
    const [row] = await house.db.query('SELECT authorizations FROM sso_sessions WHERE account_id = $1', [account]);
    expect(Object.keys(row?.authorizations as object)).toEqual(['other']);
    expect(await isSignedIn(browser)).toBe(true);
  });

  it('before anyone has signed in does not disturb the login that follows', async () => {
    const browser = house.browser();
    const account = await house.person();
    await ask(browser);
    await house.tokens({ browser, clientId: 'web', account });
    expect(await isSignedIn(browser)).toBe(true);
    const [row] = await house.db.query('SELECT started_at, last_seen_at FROM sso_sessions WHERE account_id = $1', [
      account,
    ]);
    expect(Math.abs((row?.started_at as Date).getTime() - (row?.last_seen_at as Date).getTime())).toBeLessThan(2000);
  });

  it('without a session keeps nothing', async () => {
    const before = await house.rows('sso_sessions');
    for (const params of [{}, { client_id: 'web', post_logout_redirect_uri: BYE, state: 'x'.repeat(2000) }]) {
      expect((await ask(house.browser(), params)).status).toBe(303);
    }
    expect(await house.rows('sso_sessions')).toBe(before);
  });

  it('without a session goes straight back, and without script', async () => {
    const browser = house.browser();
    const { tokens } = await signedIn();
    const back = await ask(browser, { id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE, state: '1' });
    expect([back.status, back.location?.href]).toEqual([303, `${BYE}?state=1`]);
    const nowhere = await ask(browser);
    expect([nowhere.status, nowhere.location?.pathname]).toEqual([303, '/oidc/logout/success']);
    expect(
      (await ask(browser, { client_id: 'web', post_logout_redirect_uri: 'https://evil.example/' })).location,
    ).toBeUndefined();
  });

  it('of one session keeps a token that was given for longer', async () => {
    const browser = house.browser();
    const account = await house.person();
    const tokens = await house.tokens({
      browser,
      clientId: 'web',
      account,
      params: { scope: 'openid offline_access', prompt: 'consent' },
    });
    expect(claimsOf(tokens.id_token).sid).toEqual(expect.any(String));
    await confirm(browser, pageOf(await ask(browser)));
    expect(await isSignedIn(browser)).toBe(false);
    expect((await house.refresh('web', tokens.refresh_token)).status).toBe(200);
  });
});
