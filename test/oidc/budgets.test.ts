import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { House } from './support/house.js';
import { API } from './support/registrations.js';
import { PAYROLL, services } from './support/services.js';

// PERFORMANCE.md, Targets: statements are what a login costs, and they can be counted.
let house: House;
beforeAll(async () => {
  house = await House.open({ clients: services });
});
afterAll(() => house.close());

const counted = async (work: () => Promise<unknown>): Promise<number> => {
  house.statements.length = 0;
  await work();
  return house.statements.length;
};

describe('statements', () => {
  it('of a full login: what the provider adds to sign-in', async () => {
    const browser = house.browser();
    const account = await house.person();
    expect(await counted(() => house.tokens({ browser, clientId: 'web', account }))).toBe(12);
  });

  it('of single sign-on at one more client: at most 10', async () => {
    const browser = house.browser();
    const account = await house.person();
    await house.tokens({ browser, clientId: 'web', account });
    expect(await counted(() => house.tokens({ browser, clientId: 'other', account }))).toBe(9);
  });

  it('of single sign-on at a client that was there before: at most 10', async () => {
    const browser = house.browser();
    const account = await house.person();
    await house.tokens({ browser, clientId: 'web', account });
    expect(await counted(() => house.tokens({ browser, clientId: 'web', account }))).toBe(8);
  });

  it('of single sign-on at a client that is not for everyone: at most 10', async () => {
    const browser = house.browser();
    const account = await house.person({ employment: 'PPPK' });
    await house.tokens({ browser, clientId: 'web', account });
    expect(await counted(() => house.tokens({ browser, clientId: 'limited', account }))).toBeLessThanOrEqual(10);
  });

  it.each([
    ['web', 3],
    ['legacy', 5],
    ['spa', 4],
  ])('of a refresh by %s: at most 6', async (clientId, expected) => {
    const tokens = await house.tokens({ browser: house.browser(), clientId, account: await house.person() });
    expect(await counted(() => house.refresh(clientId, tokens.refresh_token))).toBe(expected);
  });

  it('of userinfo: at most 3', async () => {
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'web', account: await house.person() });
    expect(await counted(() => house.userinfo(tokens.access_token))).toBe(2);
  });

  it('of introspection: at most 3', async () => {
    const tokens = await house.tokens({ browser: house.browser(), clientId: 'web', account: await house.person() });
    expect(await counted(() => house.isActive('web', tokens.access_token))).toBe(2);
    expect(await counted(() => house.isActive('web', 'unknown'))).toBe(2);
  });

  it.each([
    ['archive', 2],
    ['members', 3],
  ])(
    'of introspection of a JWT of %s by its resource: the proof, the grant, and the person where asked',
    async (clientId, expected) => {
      const asked = { browser: house.browser(), clientId, account: await house.person() };
      const tokens = await house.tokens({ ...asked, params: { scope: 'openid read', resource: API } });
      expect(await counted(() => house.introspect('desk-api', tokens.access_token))).toBe(expected);
      expect(await counted(() => house.introspect('old-api', tokens.access_token))).toBe(expected - 1);
    },
  );

  it('of token exchange: the proof, the grant, the audit row, and the person where asked', async () => {
    const exchange = (clientId: string, token: string) => () =>
      house.post('/oidc/token', clientId, {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: PAYROLL,
      });
    for (const [clientId, expected] of [
      ['archive', 3],
      ['members', 4],
    ] as const) {
      const asked = { browser: house.browser(), clientId, account: await house.person() };
      const tokens = await house.tokens({ ...asked, params: { scope: 'openid read', resource: API } });
      expect([clientId, await counted(exchange('records', tokens.access_token))]).toEqual([clientId, expected]);
    }
  });

  it('of client credentials: 1, and the proof against replay when the client has a key', async () => {
    const ask =
      (clientId: string, fields: Record<string, string> = {}) =>
      (): Promise<unknown> =>
        house.post('/oidc/token', clientId, { grant_type: 'client_credentials', ...fields });
    expect(await counted(ask('batch'))).toBe(1);
    expect(await counted(ask('service', { resource: 'https://api.example/archive', scope: 'read' }))).toBe(1);
    expect(await counted(ask('service'))).toBe(2);
  });

  it('of the key set and discovery: none', async () => {
    expect(await counted(() => house.browser().call(house.address('/oidc/jwks')))).toBe(0);
    expect(await counted(() => house.browser().call(house.address('/.well-known/openid-configuration')))).toBe(0);
  });

  it('of verifying an admin token: 1', async () => {
    expect(await counted(() => house.verifyAdminToken('unknown'))).toBe(1);
  });
});
