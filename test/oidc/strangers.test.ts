import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEVICE_GRANT } from '#src/clients/client-schema.js';
import { STRANGER_QUOTAS } from '#src/throttle/policies.js';
import type { Answer } from './support/browser.js';
import { errorOf, House, resetTime, setTime } from './support/house.js';
import { web } from './support/registrations.js';

// what anybody can send fills no disk. All of this comes from one address.
let house: House;
beforeAll(async () => {
  const screen = { ...web('screen'), redirect_uris: undefined, post_logout_redirect_uris: undefined, jwks: undefined };
  house = await House.open({
    clients: [
      JSON.parse(
        JSON.stringify({ ...screen, token_endpoint_auth_method: 'none', grant_types: [DEVICE_GRANT] }),
      ) as object,
    ],
  });
});
afterAll(() => house.close());

const push = (clientId: string, params: Record<string, string> = {}): Promise<Answer> =>
  house.post('/oidc/par', clientId, Object.fromEntries(house.request({ clientId, params }).url.searchParams));
const device = (more: Record<string, string> = {}): Promise<Answer> =>
  house.post('/oidc/device', 'screen', { scope: 'openid', ...more });
const begin = (params: Record<string, string> = {}): Promise<Answer> =>
  house.browser().call(house.request({ clientId: 'web', params }).url, { headers: { accept: 'text/html' } });

/** Calls until one is refused; answers that one and how many were not. */
async function untilRefused(call: () => Promise<Answer>, refused = 429): Promise<{ answer: Answer; times: number }> {
  let times = 0;
  for (;;) {
    const batch = await Promise.all(Array.from({ length: 20 }, call));
    const answer = batch.find(({ status }) => status === refused);
    times += batch.filter(({ status }) => status !== refused).length;
    if (answer !== undefined) return { answer, times };
    if (times > 2000) throw new Error('never refused');
  }
}

describe('what strangers make us keep', () => {
  const wait = (answer: Answer): number => Number(answer.headers['retry-after']);

  it('is so many begun logins a minute', async () => {
    setTime(new Date('2030-01-01T08:00:00Z'));
    const { answer, times } = await untilRefused(begin);
    expect(times).toBe(STRANGER_QUOTAS.login.limit);
    expect([answer.location, answer.body.includes('data-page="error"')]).toEqual([undefined, true]);
    expect(wait(answer)).toBe(60);
    expect(await house.rows('sign_in_attempts')).toBe(times);
    setTime(new Date('2030-01-01T08:01:00Z'));
    expect((await begin()).status).toBe(303);
    resetTime();
  }, 120_000);

  it('is so many pushed requests of clients without a secret; who proves itself is let in', async () => {
    setTime(new Date('2030-01-01T09:00:00Z'));
    const { answer, times } = await untilRefused(() => push('spa'));
    expect(times).toBe(STRANGER_QUOTAS.pushed.limit);
    expect([errorOf(answer), wait(answer)]).toEqual(['temporarily_unavailable', 60]);
    expect((await push('legacy')).status).toBe(201);
    resetTime();
  }, 120_000);

  it('is so many devices', async () => {
    setTime(new Date('2030-01-01T10:00:00Z'));
    const { answer, times } = await untilRefused(device);
    expect(times).toBe(STRANGER_QUOTAS.device.limit);
    expect([errorOf(answer), wait(answer)]).toEqual(['temporarily_unavailable', 60]);
    resetTime();
  }, 120_000);

  it.each<[string, Record<string, string>]>([
    ['a hint', { login_hint: 'x'.repeat(4_200) }],
    ['all together', { login_hint: 'x'.repeat(2_100), acr_values: 'y'.repeat(2_100) }],
    ['letters of more than a byte', { login_hint: 'é'.repeat(2_100) }],
    ['claims', { claims: JSON.stringify({ userinfo: { ['x'.repeat(4_100)]: null } }) }],
  ])('is not long: %s', async (_, params) => {
    const before = [
      await house.rows('oidc_tokens'),
      await house.rows('device_codes'),
      await house.rows('sign_in_attempts'),
    ];
    for (const answer of [await push('spa', params), await push('web', params), await device(params)]) {
      expect([answer.status, errorOf(answer)]).toEqual([400, 'invalid_request']);
    }
    expect((await begin(params)).status).toBe(400);
    expect([
      await house.rows('oidc_tokens'),
      await house.rows('device_codes'),
      await house.rows('sign_in_attempts'),
    ]).toEqual(before);
  });
});
