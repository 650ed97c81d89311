import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ClientEntry } from '#src/clients/client-secrets.js';
import { systemClock } from '#src/kernel/clock.js';
import { API } from './support/registrations.js';
import { errorOf, House, resetTime, setTime, tokensOf } from './support/house.js';

let house: House;
let entries: readonly ClientEntry[];

beforeAll(async () => {
  house = await House.open();
  entries = house.registry
    .registrations()
    .filter(({ client_id: id }) => id === 'web' || id === 'service')
    .map((registration) => ({ registration, secrets: [], endedAt: undefined }));
});
beforeEach(() => {
  house.registry.replace(entries);
});
afterAll(() => house.close());
afterEach(resetTime);

const SINCE = new Date('2026-11-01T02:03:04Z');
const disable = (): void => {
  house.registry.replace(
    [],
    ['web', 'service'].map((clientId) => ({ clientId, name: `Client ${clientId}`, since: SINCE })),
  );
};
/** Disabled at this moment, and enabled again at once. */
const endAndEnable = (): void => {
  const endedAt = systemClock.now();
  house.registry.replace(entries.map((entry) => ({ ...entry, endedAt })));
  setTime(new Date(endedAt.getTime() + 2_000));
};

describe('a client that is disabled', () => {
  it('logs nobody in: a page says so, and nobody is sent anywhere', async () => {
    disable();
    const answer = await house.follow(house.browser(), house.request({ clientId: 'web' }).url);
    expect(answer.status).toBe(400);
    expect(answer.location).toBeUndefined();
    expect(answer.body).toContain('invalid_client');
    expect(answer.body).toContain('"about":"switched_off","service":"Client web"');
  });

  it('is told of what it was refused, at every endpoint and however it proves itself', async () => {
    const detail = `disabled since ${SINCE.toISOString()}`;
    disable();
    house.events.length = 0;
    await house.follow(house.browser(), house.request({ clientId: 'web' }).url);
    await house.refresh('web', 'x');
    await house.post('/oidc/token', 'service', { grant_type: 'client_credentials' });
    expect(house.events).toMatchObject([
      { type: 'authorization.refused', clientId: 'web', error: 'invalid_client', detail },
      { type: 'grant.refused', clientId: 'web', error: 'invalid_client', detail },
      { type: 'grant.refused', clientId: 'service', error: 'invalid_client', detail },
    ]);
    house.events.length = 0;
    await house.follow(house.browser(), house.request({ clientId: 'web', params: { client_id: 'nobody' } }).url);
    expect(house.events).toMatchObject([{ clientId: undefined }]);
  });

  it('keeps nobody from logging out, and leads them nowhere', async () => {
    const browser = house.browser();
    const { id_token: hint } = await house.tokens({ browser, clientId: 'web', account: await house.person() });
    disable();
    const url = new URL(house.address('/oidc/logout'));
    const back = { post_logout_redirect_uri: 'https://web.example/bye', state: 's' };
    url.search = new URLSearchParams({ id_token_hint: hint, ...back }).toString();
    const asked = await browser.call(url, { headers: { accept: 'text/html' } });
    expect([asked.status, asked.body.includes('sign-out/confirm')]).toEqual([200, true]);
    const { xsrf } = JSON.parse(/\{.*\}/.exec(asked.body)?.[0] ?? '{}') as { xsrf: string };
    const done = await browser.call(house.address('/oidc/logout/confirm'), { form: { xsrf, logout: 'yes' } });
    expect([done.status, done.location?.pathname]).toEqual([303, '/oidc/logout/success']);
    expect((await browser.call(url)).location?.pathname).toBe('/oidc/logout/success');
  });

  it('and a logout that cannot be is told as one', async () => {
    const url = house.address('/oidc/logout?client_id=web&post_logout_redirect_uri=https://evil.example/');
    const answer = await house.browser().call(url, { headers: { accept: 'text/html' } });
    expect([answer.status, answer.body.includes('"about":"sign_out"')]).toEqual([400, true]);
  });

  it('redeems no code, and its tokens are dead', async () => {
    const browser = house.browser();
    const account = await house.person();
    const tokens = await house.tokens({ browser, clientId: 'web', account });
    const asked = await house.code({ browser, clientId: 'web', account });
    disable();
    expect(errorOf(await house.redeem('web', asked))).toBe('invalid_client');
    expect(errorOf(await house.refresh('web', tokens.refresh_token))).toBe('invalid_client');
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
  });

  it('gets none of its tokens back when it is enabled again, and new ones at once', async () => {
    const browser = house.browser();
    const account = await house.person();
    const tokens = await house.tokens({ browser, clientId: 'web', account });
    const asked = await house.code({ browser, clientId: 'web', account });
    endAndEnable();
    expect(errorOf(await house.redeem('web', asked))).toBe('invalid_grant');
    expect(errorOf(await house.refresh('web', tokens.refresh_token))).toBe('invalid_grant');
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(await house.isActive('web', tokens.access_token)).toBe(false);
    const fresh = await house.tokens({ browser, clientId: 'web', account });
    expect((await house.userinfo(fresh.access_token)).status).toBe(200);
    expect(tokensOf(await house.refresh('web', fresh.refresh_token)).access_token).toEqual(expect.any(String));
  });

  it('has no JWT access token that a resource would still be told to be good', async () => {
    const token = tokensOf(
      await house.post('/oidc/token', 'service', { grant_type: 'client_credentials', resource: API, scope: 'read' }),
    ).access_token;
    expect(await house.isActive('service', token)).toBe(true);
    endAndEnable();
    expect(await house.isActive('service', token)).toBe(false);
  });

  it('has no token at the admin API, before and after', async () => {
    const token = tokensOf(
      await house.post('/oidc/token', 'service', {
        grant_type: 'client_credentials',
        resource: house.adminResource,
        scope: 'accounts:read',
      }),
    ).access_token;
    expect(await house.verifyAdminToken(token)).toBeDefined();
    disable();
    expect(await house.verifyAdminToken(token)).toBeUndefined();
    endAndEnable();
    expect(await house.verifyAdminToken(token)).toBeUndefined();
  });
});
