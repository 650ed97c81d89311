import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import type { AccountId } from '#src/kernel/ids.js';
import type { Browser } from './support/browser.js';
import { claimsOf, errorOf, House, resetTime, setTime, tokensOf, type Tokens } from './support/house.js';
import { API } from './support/registrations.js';

// R-35, RFC 9470: what tokens say of a login is what happened, also when a resource asked for more.
const AAL2 = { acr: 'urn:asn:aal2', amr: ['pwd', 'otp', 'mfa'] };
const PASSKEY = { acr: 'phr', amr: ['hwk', 'mfa', 'user'] };
const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);
const later = (by: number): void => {
  setTime(new Date(Date.now() + by * 1000));
};

let house: House;
let jwks: JSONWebKeySet;
beforeAll(async () => {
  house = await House.open();
  jwks = JSON.parse((await house.browser().call(house.address('/oidc/jwks'))).body) as JSONWebKeySet;
});
afterAll(() => house.close());
afterEach(resetTime);

interface Login {
  readonly browser: Browser;
  readonly account: AccountId;
  readonly at: Date;
}
const forArchive = { scope: 'openid read', resource: API };

/** Somebody who logged in with a one-time code five minutes ago. */
async function signedIn(): Promise<Login> {
  const [browser, account] = [house.browser(), await house.person()];
  await house.tokens({ browser, clientId: 'archive', account, params: forArchive });
  const at = new Date();
  later(300);
  return { browser, account, at };
}

/** One more request of the same browser; when the person is asked, they prove this, now. */
async function ask({ browser, account }: Login, params: Record<string, string>, proof = AAL2) {
  const { url, verifier, redirectUri } = house.request({ clientId: 'archive', params: { ...forArchive, ...params } });
  let answer = await house.toSignIn(browser, url);
  const asked = answer.location?.pathname.startsWith('/sign-in/') === true;
  if (asked && answer.location !== undefined) {
    const told = await house.signIn(browser, answer.location, { accountId: account, ...proof });
    answer = await house.follow(browser, told.redirect());
  }
  const code = answer.location?.searchParams.get('code');
  if (typeof code !== 'string') return { asked, error: errorOf(answer), tokens: undefined };
  return { asked, error: undefined, tokens: tokensOf(await house.redeem('archive', { code, verifier, redirectUri })) };
}
const proofIn = (token: string) => {
  const { acr, amr, auth_time: authTime } = claimsOf(token);
  return { acr, amr, authTime };
};

describe('tokens', () => {
  const essential = (acr: string): string =>
    JSON.stringify({ id_token: { acr: { essential: true, values: [acr] }, auth_time: { essential: true } } });

  it.each<[string, Record<string, string>, boolean, typeof AAL2]>([
    ['nothing asked', {}, false, AAL2],
    ['prompt=none', { prompt: 'none' }, false, AAL2],
    ['prompt=consent', { prompt: 'consent' }, false, AAL2],
    ['prompt=login', { prompt: 'login' }, true, AAL2],
    ['prompt=select_account', { prompt: 'select_account' }, true, AAL2],
    ['prompt=login select_account', { prompt: 'login select_account' }, true, AAL2],
    ['max_age that has not passed', { max_age: '600' }, false, AAL2],
    ['max_age that has passed', { max_age: '200' }, true, AAL2],
    ['max_age=0', { max_age: '0' }, true, AAL2],
    ['a class it has', { acr_values: AAL2.acr }, false, AAL2],
    ['a stronger class', { acr_values: 'phr' }, true, PASSKEY],
    ['a stronger class, essential', { claims: essential('phr') }, true, PASSKEY],
    ['a stronger class or its own', { acr_values: `phr ${AAL2.acr}` }, false, AAL2],
    ['a class of others', { acr_values: 'gold' }, false, AAL2],
    ['a stronger class, now', { acr_values: 'phr', max_age: '0' }, true, PASSKEY],
    ['a display', { display: 'popup' }, false, AAL2],
    ['a hint of whom', { login_hint: '199001012023211001' }, false, AAL2],
    ['languages', { ui_locales: 'en-GB id' }, false, AAL2],
  ])('say what happened: %s', async (_, params, isAsked, proof) => {
    const login = await signedIn();
    const { asked, tokens } = await ask(login, params, proof);
    expect(asked).toBe(isAsked);
    const expected = { ...(isAsked ? proof : AAL2), authTime: seconds(isAsked ? new Date() : login.at) };
    for (const token of [tokens?.id_token ?? '', tokens?.access_token ?? '']) {
      const { authTime, ...rest } = proofIn(token);
      expect(rest).toEqual({ acr: expected.acr, amr: expected.amr });
      expect(Math.abs(Number(authTime) - expected.authTime)).toBeLessThanOrEqual(1);
    }
  });

  it.each<[string, Record<string, string>, string]>([
    ['a class that was not reached', { acr_values: 'phr' }, 'unmet_authentication_requirements'],
    ['an essential class that was not reached', { claims: essential('phr') }, 'unmet_authentication_requirements'],
    ['an essential class that nobody has', { claims: essential('gold') }, 'unmet_authentication_requirements'],
    [
      'an essential class beside one that was reached',
      { claims: essential('phr'), acr_values: AAL2.acr },
      'unmet_authentication_requirements',
    ],
    [
      'an essential class beside unknown ones',
      { claims: essential('phr'), acr_values: 'gold' },
      'unmet_authentication_requirements',
    ],
    ['a stronger class without a word', { acr_values: 'phr', prompt: 'none' }, 'unmet_authentication_requirements'],
    ['a newer login without a word', { max_age: '0', prompt: 'none' }, 'login_required'],
    ['a choice without a word', { prompt: 'none select_account' }, 'invalid_request'],
  ])('are not given: %s', async (_, params, error) => {
    expect((await ask(await signedIn(), params, AAL2)).error).toBe(error);
  });

  it('are not given for less than an essential class where the client has a default', async () => {
    const back = house.change('archive', (each) => ({ ...each, default_acr_values: ['urn:asn:aal2'] }));
    const login = await signedIn();
    expect((await ask(login, { claims: essential('phr') }, AAL2)).error).toBe('unmet_authentication_requirements');
    const { asked, tokens } = await ask(login, { claims: essential('phr') }, PASSKEY);
    expect([asked, claimsOf(tokens?.id_token ?? '').acr]).toEqual([true, 'phr']);
    back();
  });

  it('keep the time of the login over refreshes, whatever was asked since', async () => {
    const login = await signedIn();
    const { tokens } = await ask(login, { prompt: 'login' });
    const proved = proofIn(tokens?.id_token ?? '');
    let refreshed: Tokens | undefined = tokens;
    for (let turn = 0; turn < 3; turn += 1) {
      later(700);
      refreshed = tokensOf(await house.refresh('archive', refreshed?.refresh_token ?? ''));
      expect(proofIn(refreshed.id_token)).toEqual(proved);
      expect(proofIn(refreshed.access_token)).toEqual(proved);
    }
    // A step-up in another window makes the tokens of this one no stronger.
    await ask(login, { acr_values: 'phr' }, PASSKEY);
    refreshed = tokensOf(await house.refresh('archive', refreshed?.refresh_token ?? ''));
    expect(proofIn(refreshed.access_token)).toEqual(proved);
  });

  it('after select_account may be somebody else’s', async () => {
    const login = await signedIn();
    const other = await house.person();
    const { tokens } = await ask({ ...login, account: other }, { prompt: 'select_account' });
    expect(claimsOf(tokens?.id_token ?? '').sub).toBe(other);
    expect(await house.rows('sso_sessions', `account_id = '${login.account}'`)).toBe(0);
  });
});

describe('a resource that asks for more (RFC 9470)', () => {
  let resource: Server;
  let address: string;
  beforeAll(async () => {
    // What the guide for relying parties tells a resource to do.
    resource = createServer((request, response) => {
      void (async () => {
        const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
        const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), {
          issuer: house.issuer,
          audience: API,
          typ: 'at+jwt',
          currentDate: new Date(),
        });
        const fresh = Date.now() / 1000 - Number(payload.auth_time) <= 120;
        if (payload.acr === 'phr' && fresh) {
          response.writeHead(200).end('opened');
          return;
        }
        response
          .writeHead(401, {
            'www-authenticate':
              'Bearer error="insufficient_user_authentication", acr_values="phr", max_age="120", scope="read"',
          })
          .end();
      })();
    });
    await new Promise<void>((resolve) => resource.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(resource.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    resource.close();
  });
  const call = (token: string): Promise<Response> =>
    fetch(address, { headers: { authorization: `Bearer ${token}`, connection: 'close' } });

  it('gets it by its own challenge, sent on as a request', async () => {
    const login = await signedIn();
    const { tokens } = await ask(login, {});
    const refused = await call(tokens?.access_token ?? '');
    expect(refused.status).toBe(401);
    const challenge = refused.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_user_authentication"');
    const asked = Object.fromEntries(
      [...challenge.matchAll(/(acr_values|max_age)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
    );
    expect(asked).toEqual({ acr_values: 'phr', max_age: '120' });
    // A refresh does not do: nobody has proved anything.
    const renewed = tokensOf(await house.refresh('archive', tokens?.refresh_token ?? ''));
    expect((await call(renewed.access_token)).status).toBe(401);
    const stronger = await ask(login, asked, PASSKEY);
    expect(stronger.asked).toBe(true);
    expect((await call(stronger.tokens?.access_token ?? '')).status).toBe(200);
    later(121);
    expect((await call(stronger.tokens?.access_token ?? '')).status).toBe(401);
  });
});
