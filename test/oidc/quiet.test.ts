import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { claimsOf, House } from './support/house.js';

const lines: unknown[][] = [];
const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
  jest.spyOn(console, name).mockImplementation((...line) => void lines.push(line)),
);
let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(async () => {
  for (const spy of spies) spy.mockRestore();
  await house.close();
});

it('starts, logs in, refreshes, introspects and logs out without a NOTICE or WARNING of the provider', async () => {
  const browser = house.browser();
  const account = await house.person();
  const tokens = await house.tokens({ browser, clientId: 'legacy', account });
  await house.refresh('legacy', tokens.refresh_token);
  await house.userinfo(tokens.access_token);
  await house.isActive('legacy', tokens.access_token);
  await house.post('/oidc/revoke', 'legacy', { token: tokens.refresh_token });
  await house.post('/oidc/token', 'service', { grant_type: 'client_credentials' });
  const spa = { origin: 'https://spa.example', accept: 'application/json' };
  const asked = await house.code({ browser, clientId: 'spa', account });
  await house.browser().call(house.address('/oidc/token'), {
    headers: spa,
    form: {
      client_id: 'spa',
      grant_type: 'authorization_code',
      code: asked.code,
      code_verifier: asked.verifier,
      redirect_uri: asked.redirectUri,
    },
  });
  await browser.call(house.address('/oidc/logout'), { headers: { accept: 'text/html' } });
  await browser.call(house.address('/oidc/auth'), { headers: { accept: 'text/html' } });
  expect(claimsOf(tokens.id_token).sub).toBe(account);
  expect(lines).toEqual([]);
});

it('tells what happened: ids and codes, never a name, number or token', async () => {
  house.events.length = 0;
  house.log.length = 0;
  const account = await house.person();
  const asked = await house.code({ browser: house.browser(), clientId: 'web', account });
  await house.redeem('web', asked);
  await house.redeem('web', asked);
  await house.userinfo('unknown-token');
  await house.browser().call(house.request({ clientId: 'web', params: { prompt: 'none' } }).url);
  expect(house.events).toEqual([
    { type: 'authorization.succeeded', clientId: 'web' },
    { type: 'grant.succeeded', clientId: 'web', grantType: 'authorization_code', carried: expect.any(Function) },
    expect.objectContaining({ type: 'grant.refused', clientId: 'web', endpoint: 'token', error: 'invalid_grant' }),
    expect.objectContaining({ type: 'endpoint.refused', endpoint: 'userinfo', error: 'invalid_token' }),
    expect.objectContaining({ type: 'authorization.refused', clientId: 'web', error: 'login_required' }),
  ]);
  const text = JSON.stringify([house.log, house.events]);
  expect(house.log.map(({ fields }) => fields.request_id)).toEqual(['request-1', 'request-1', 'request-1']);
  for (const secret of [asked.code, 'unknown-token', 'Siti', 'siti@mail.example', '19800101201001']) {
    expect(text).not.toContain(secret);
  }
});
