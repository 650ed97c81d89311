import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { House } from './support/house.js';

// ADR 0031: why a request was refused is kept in fixed words. Nothing of the request stands in it.
let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

const CANARY = 'QZ9';
const part = (text: string): string => Buffer.from(text).toString('base64url');
const VALUES = [
  CANARY,
  `{"id_token":${CANARY}}`,
  `{"userinfo":{"${CANARY}":1}}`,
  `{"userinfo":{}} ${CANARY}`,
  `${part(`{"alg":${CANARY}`)}.${part('{}')}.AAAA`,
  `${part('{"alg":"ES256"}')}.${part(`{"sub":${CANARY}`)}.AAAA`,
  `${part(`{"alg":"${CANARY}"}`)}.${part(`{"aud":"web","iss":"web"}`)}.AAAA`,
  `${part(`{"alg":"ES256","kid":"${CANARY}"}`)}.${part(`{"aud":"web","iss":"${CANARY}"}`)}.AAAA`,
  `${part(`{"alg":"ES256","crit":["${CANARY}"],"${CANARY}":1}`)}.${part(`{"aud":"web","iss":"web"}`)}.AAAA`,
];
const AT_AUTH = [
  ...['claims', 'id_token_hint', 'request', 'request_uri', 'scope', 'prompt', 'acr_values', 'max_age', 'resource'],
  ...[
    'redirect_uri',
    'response_type',
    'response_mode',
    'code_challenge',
    'code_challenge_method',
    'login_hint',
    'dpop_jkt',
  ],
  ...['state', 'nonce', 'display', 'ui_locales', 'registration', 'authorization_details'],
];
const AT_TOKEN = [
  ...['grant_type', 'code', 'code_verifier', 'redirect_uri', 'refresh_token', 'scope', 'resource', 'client_assertion'],
  ...['subject_token', 'token', 'audience', 'device_code', 'client_assertion_type', 'client_secret'],
];

it('no detail holds anything of a request', async () => {
  const browser = house.browser();
  for (const value of VALUES) {
    for (const name of AT_AUTH) {
      const { url } = house.request({ clientId: 'web', params: { prompt: 'none', [name]: value } });
      await browser.call(url);
      await house.post('/oidc/par', 'web', Object.fromEntries(url.searchParams));
    }
    for (const name of AT_TOKEN) {
      const asked = {
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: 'https://web.example/cb',
        [name]: value,
      };
      for (const path of ['token', 'introspect', 'revoke']) await house.post(`/oidc/${path}`, 'web', asked);
    }
    for (const name of ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state']) {
      const url = new URL(house.address('/oidc/logout?client_id=web'));
      url.searchParams.set(name, value);
      await browser.call(url);
    }
    for (const header of ['authorization', 'dpop', 'origin']) {
      const given = header === 'authorization' ? `Bearer ${value}` : header === 'origin' ? `https://${CANARY}` : value;
      await browser.call(house.address('/oidc/userinfo'), { headers: { [header]: given } });
      await browser.call(house.address('/oidc/token'), {
        headers: { [header]: given },
        form: { client_id: 'spa', grant_type: 'refresh_token', refresh_token: 'x' },
      });
    }
  }
  const refused = house.events.filter((event) => 'detail' in event);
  expect(refused.length).toBeGreaterThan(200);
  expect(refused.filter(({ detail }) => detail?.includes(CANARY))).toEqual([]);
  expect(house.log.filter((line) => JSON.stringify(line).includes(CANARY))).toEqual([]);
  expect(new Set(refused.map(({ detail }) => detail))).toContain('could not parse the claims parameter JSON');
}, 120_000);
