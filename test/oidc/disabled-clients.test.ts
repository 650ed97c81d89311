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

const disable = (): void => {
  house.registry.replace([]);
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
