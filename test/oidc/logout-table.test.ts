import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AccountId } from '#src/kernel/ids.js';
import type { Answer, Browser } from './support/browser.js';
import { House, resetTime, setTime, type Tokens } from './support/house.js';

// OpenID Connect RP-Initiated Logout 1.0 sections 2 to 4, case by case, to the end: what the first answer
// is, whether the person is asked, where the person is sent after yes, and that nothing ends before.
const BYE = 'https://web.example/bye';
const EVIL = 'https://evil.example/';
const html = { accept: 'text/html' };

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(() => {
  resetTime();
});

interface Scene {
  readonly browser: Browser;
  readonly tokens: Tokens;
  /** Of somebody else, in another browser. */
  readonly foreign: Tokens;
  /** Of an earlier session of the same person, in another browser. */
  readonly earlier: Tokens;
}

async function scene(): Promise<Scene> {
  const [account, other] = [await house.person(), await house.person()];
  const at = async (browser: Browser, who: AccountId) => ({
    browser,
    tokens: await house.tokens({ browser, clientId: 'web', account: who }),
  });
  const { browser, tokens } = await at(house.browser(), account);
  const { tokens: foreign } = await at(house.browser(), other);
  const { tokens: earlier } = await at(house.browser(), account);
  return { browser, tokens, foreign, earlier };
}

const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.call(house.request({ clientId: 'web' }).url)).location?.searchParams.has('code') === true;
const asks = ({ body }: Answer): boolean => body.includes('sign-out/confirm');
function yes(browser: Browser, page: Answer): Promise<Answer> {
  const { action, xsrf } = JSON.parse(/\{.*\}/.exec(page.body)?.[0] ?? '{}') as { action: string; xsrf: string };
  return browser.call(house.address(action), { form: { xsrf, logout: 'yes' }, headers: html });
}

type Params = (scene: Scene) => Readonly<Record<string, string>>;
const OWN_PAGE = 'https://sso.asn.example/oidc/logout/success';
const none = { alg: 'none', typ: 'JWT' };
const unsigned = (token: string): string =>
  `${Buffer.from(JSON.stringify(none)).toString('base64url')}.${token.split('.')[1] ?? ''}.`;

/** `ends`: where yes leads; undefined: it is refused on a page of ours and nothing can end. */
const CASES: readonly (readonly [name: string, params: Params, ends: string | undefined])[] = [
  ['1 nothing at all', () => ({}), OWN_PAGE],
  ['2 a valid hint', ({ tokens }) => ({ id_token_hint: tokens.id_token }), OWN_PAGE],
  [
    '3 a valid hint, a registered address and a state',
    ({ tokens }) => ({ id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE, state: 'a b&c' }),
    `${BYE}?state=a+b%26c`,
  ],
  [
    '4 a hint and its client',
    ({ tokens }) => ({ id_token_hint: tokens.id_token, client_id: 'web', post_logout_redirect_uri: BYE }),
    BYE,
  ],
  [
    '5 a hint of another client',
    ({ tokens }) => ({ id_token_hint: tokens.id_token, client_id: 'other', post_logout_redirect_uri: BYE }),
    undefined,
  ],
  [
    '6 a hint of somebody else',
    ({ foreign }) => ({ id_token_hint: foreign.id_token, post_logout_redirect_uri: BYE, state: 's' }),
    OWN_PAGE,
  ],
  [
    '7 a hint of the same person in another session',
    ({ earlier }) => ({ id_token_hint: earlier.id_token, post_logout_redirect_uri: BYE }),
    BYE,
  ],
  ['8 a client and its address, no hint', () => ({ client_id: 'web', post_logout_redirect_uri: BYE }), BYE],
  ['9 an address, no hint and no client', () => ({ post_logout_redirect_uri: BYE }), OWN_PAGE],
  [
    '10 an address that is not registered',
    ({ tokens }) => ({ id_token_hint: tokens.id_token, post_logout_redirect_uri: EVIL }),
    undefined,
  ],
  ['11 garbage for a hint', () => ({ id_token_hint: 'bukan.sebuah.token', post_logout_redirect_uri: BYE }), undefined],
  ['11 an unsigned hint', ({ tokens }) => ({ id_token_hint: unsigned(tokens.id_token) }), undefined],
  [
    '11 an encrypted hint, which nobody here can read',
    () => ({ id_token_hint: 'eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSJ9..aXY.Y2lwaGVy.dGFn' }),
    OWN_PAGE,
  ],
  ['11 an access token for a hint', ({ tokens }) => ({ id_token_hint: tokens.access_token }), undefined],
  [
    '12 languages, and a hint who it is about',
    ({ tokens }) => ({ id_token_hint: tokens.id_token, ui_locales: 'en id', logout_hint: 'siti@mail.example' }),
    OWN_PAGE,
  ],
  ['12 a parameter nobody knows', () => ({ client_id: 'web', next: EVIL, returnTo: EVIL }), OWN_PAGE],
];

describe.each(CASES)('%s', (_, params, ends) => {
  it.each(['GET', 'POST'])('by %s: nothing ends unasked, and yes leads nowhere else', async (method) => {
    const here = await scene();
    const { browser } = here;
    const fields = params(here);
    const url = new URL(house.address('/oidc/logout'));
    let answer: Answer;
    if (method === 'GET') {
      url.search = new URLSearchParams(fields).toString();
      answer = await browser.call(url, { headers: html });
    } else {
      // As a form of the relying party, which brings none of our cookies: to the same address, by GET (303, R-31).
      const sent = await house.browser().call(url, { method: 'POST', form: fields, headers: html });
      expect(sent.status).toBe(303);
      const target = sent.redirect();
      expect([target.origin, target.pathname]).toEqual([new URL(house.issuer).origin, url.pathname]);
      expect(Object.fromEntries(target.searchParams)).toEqual(fields);
      answer = await browser.call(target, { headers: html });
    }
    expect(answer.location).toBeUndefined();
    expect([answer.status, asks(answer)]).toEqual(ends === undefined ? [400, false] : [200, true]);
    expect(await isSignedIn(browser)).toBe(true);
    if (ends === undefined) return;

    const page = await browser.call(method === 'GET' ? url : `${url.href}?${new URLSearchParams(fields).toString()}`, {
      headers: html,
    });
    const done = await yes(browser, page);
    expect([done.status, done.location?.href]).toEqual([303, ends]);
    expect(await isSignedIn(browser)).toBe(false);

    // Twice: the same answer, and nobody is asked about nothing.
    const again = await browser.call(
      page.status === 200 ? `${url.origin}${url.pathname}?${new URLSearchParams(fields).toString()}` : url,
      {
        headers: html,
      },
    );
    expect(asks(again)).toBe(false);
    expect([new URL(house.issuer).origin, 'https://web.example']).toContain(again.location?.origin ?? house.issuer);
  });
});

it('a hint that has expired is taken', async () => {
  const { browser, tokens } = await scene();
  setTime(new Date(Date.now() + 1800_000));
  const url = new URL(house.address('/oidc/logout'));
  url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE }).toString();
  const page = await browser.call(url, { headers: html });
  expect(asks(page)).toBe(true);
  expect((await yes(browser, page)).location?.href).toBe(BYE);
});

it('no other site can answer for the person, by GET or POST', async () => {
  const { browser, tokens } = await scene();
  const url = new URL(house.address('/oidc/logout'));
  url.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE }).toString();
  await browser.call(url, { headers: html });
  const confirm = house.address('/oidc/logout/confirm');
  for (const xsrf of ['', 'x']) {
    expect((await browser.call(`${confirm}?xsrf=${xsrf}&logout=yes`, { headers: html })).status).toBeGreaterThanOrEqual(
      400,
    );
    const posted = await browser.call(confirm, { form: { xsrf, logout: 'yes' }, headers: html });
    expect([posted.status, posted.location]).toEqual([400, undefined]);
  }
  expect(await isSignedIn(browser)).toBe(true);
});
