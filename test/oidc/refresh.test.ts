import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { claimsOf, errorOf, House, resetTime, setTime, tokensOf, type Tokens } from './support/house.js';
import { API, web, withSecret } from './support/registrations.js';
import { PAYROLL, services } from './support/services.js';

// What a refresh may give, and when it gives nothing any more (R-17, RFC 6749 section 6, RFC 8707 section 2.2).
const both = {
  grant_types: ['authorization_code', 'refresh_token'],
  x: { resources: { [API]: ['read', 'write'], [PAYROLL]: ['pay:read'] } },
};

let house: House;
beforeAll(async () => {
  house = await House.open({
    clients: [
      ...services,
      web('both', both),
      withSecret('shared', 'client_secret_basic', both) as { jwks?: unknown },
    ].map((client) => JSON.parse(JSON.stringify(client)) as object),
  });
});
afterAll(() => house.close());
afterEach(resetTime);

const later = (seconds: number): void => {
  setTime(new Date(Date.now() + seconds * 1000));
};
const refresh = (clientId: string, token: string, fields: Record<string, string>) =>
  house.post('/oidc/token', clientId, { grant_type: 'refresh_token', refresh_token: token, ...fields });

describe('several resources in one authorization', () => {
  /** An authorization for both resources; the parameter is repeated (RFC 8707 section 2). */
  async function authorized(clientId: string) {
    const [browser, account] = [house.browser(), await house.person()];
    await house.tokens({ browser, clientId, account });
    const params = { scope: 'openid read write pay:read' };
    const { url, verifier, redirectUri } = house.request({ clientId, params });
    for (const resource of [API, PAYROLL]) url.searchParams.append('resource', resource);
    const answer = await house.follow(browser, url);
    return { code: answer.location?.searchParams.get('code') ?? '', verifier, redirectUri };
  }
  const redeem = (
    clientId: string,
    { code, verifier, redirectUri }: Awaited<ReturnType<typeof authorized>>,
    fields: Record<string, string>,
  ) =>
    house.post('/oidc/token', clientId, {
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: redirectUri,
      ...fields,
    });

  it.each(['both', 'shared'])('give %s a token for one at a time, with the scopes of that one', async (clientId) => {
    let tokens = tokensOf(await redeem(clientId, await authorized(clientId), { resource: API }));
    expect(claimsOf(tokens.access_token)).toMatchObject({ aud: API, scope: 'read write' });
    expect(tokens.scope).toBe('read write');
    tokens = tokensOf(await refresh(clientId, tokens.refresh_token, { resource: PAYROLL }));
    expect(claimsOf(tokens.access_token)).toMatchObject({ aud: PAYROLL, scope: 'pay:read' });
    tokens = tokensOf(await refresh(clientId, tokens.refresh_token, { resource: API, scope: 'read' }));
    expect(claimsOf(tokens.access_token)).toMatchObject({ aud: API, scope: 'read' });
    // Asked for less, it does not lose the rest.
    tokens = tokensOf(await refresh(clientId, tokens.refresh_token, { resource: API }));
    expect(claimsOf(tokens.access_token).scope).toBe('read write');
  });

  it('give none when it is not said for which, or for another one', async () => {
    expect(errorOf(await redeem('both', await authorized('both'), {}))).toBe('invalid_target');
    expect(errorOf(await redeem('both', await authorized('both'), { resource: 'https://x.example/' }))).toBe(
      'invalid_target',
    );
    const tokens = tokensOf(await redeem('both', await authorized('both'), { resource: API }));
    expect(errorOf(await refresh('both', tokens.refresh_token, {}))).toBe('invalid_target');
    expect(errorOf(await refresh('both', tokens.refresh_token, { resource: house.adminResource }))).toBe(
      'invalid_target',
    );
    const back = house.change('both', (each) => ({ ...each, x: { resources: { [API]: ['read'] } } }));
    expect(errorOf(await refresh('both', tokens.refresh_token, { resource: PAYROLL }))).toBe('invalid_target');
    const fewer = tokensOf(await refresh('both', tokens.refresh_token, { resource: API }));
    expect(claimsOf(fewer.access_token).scope).toBe('read');
    back();
  });
});

describe('a refresh', () => {
  const login = async (clientId: string, params: Record<string, string> = {}) => {
    const account = await house.person();
    return { account, ...(await house.tokens({ browser: house.browser(), clientId, account, params })) };
  };

  it('gives fewer scopes when fewer are asked for, and never more', async () => {
    const tokens = await login('web', { scope: 'openid profile' });
    const fewer = tokensOf(await refresh('web', tokens.refresh_token, { scope: 'openid' }));
    expect(fewer.scope).toBe('openid');
    expect(JSON.parse((await house.userinfo(fewer.access_token)).body)).toEqual({ sub: tokens.account });
    expect(errorOf(await refresh('web', tokens.refresh_token, { scope: 'openid email' }))).toBe('invalid_scope');
    expect(tokensOf(await house.refresh('web', tokens.refresh_token)).scope).toBe('openid profile');
  });

  it.each<[string, string, string]>([
    ['the account is inactive', "UPDATE accounts SET status = 'inactive' WHERE id = $1", 'members'],
    ['the account is frozen', 'UPDATE accounts SET frozen_at = now() WHERE id = $1', 'members'],
    ['the password changed', 'UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1', 'members'],
    ['the entitlement is lost', "UPDATE accounts SET employment = 'PPPK' WHERE id = $1", 'members'],
    ['the grant ended', 'DELETE FROM oidc_grants WHERE account_id = $1', 'members'],
    ['the session ended', 'DELETE FROM sso_sessions WHERE account_id = $1', 'members'],
    ['the account is inactive', "UPDATE accounts SET status = 'inactive' WHERE id = $1", 'shared'],
    ['the password changed', 'UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1', 'spa'],
    ['the session ended', 'DELETE FROM sso_sessions WHERE account_id = $1', 'spa'],
  ])('gives nothing once %s', async (_, change, clientId) => {
    const tokens = await login(clientId);
    const renewed = tokensOf(await house.refresh(clientId, tokens.refresh_token));
    await house.db.query(change, [tokens.account]);
    expect(errorOf(await house.refresh(clientId, renewed.refresh_token))).toBe('invalid_grant');
    expect((await house.userinfo(renewed.access_token)).status).toBe(401);
  });

  it.each(['web', 'shared', 'spa'])(
    'gives %s nothing once it is disabled, nor the grant once it is taken',
    async (clientId) => {
      const tokens = await login(clientId);
      const gone = house.change(clientId, () => undefined);
      const { headers, form } = await house.credentials(clientId);
      const answer = await house.browser().call(house.address('/oidc/token'), {
        headers: { accept: 'application/json', ...headers },
        form: { ...form, grant_type: 'refresh_token', refresh_token: tokens.refresh_token },
      });
      expect(errorOf(answer)).toBe('invalid_client');
      expect((await house.userinfo(tokens.access_token)).status).toBe(401);
      gone();
      const without = house.change(clientId, (each) => ({ ...each, grant_types: ['authorization_code'] }));
      expect(errorOf(await house.refresh(clientId, tokens.refresh_token))).toBe('invalid_request');
      without();
    },
  );

  it.each(['web', 'shared', 'spa'])(
    'of %s with offline_access ends 12 hours after the login, used or not',
    async (clientId) => {
      let { refresh_token: token } = (await login(clientId, {
        scope: 'openid offline_access',
        prompt: 'consent',
      })) as Tokens;
      for (let hour = 1; hour < 12; hour += 1) {
        later(3600);
        token = tokensOf(await house.refresh(clientId, token)).refresh_token;
      }
      later(3590);
      token = tokensOf(await house.refresh(clientId, token)).refresh_token;
      later(20);
      expect(errorOf(await house.refresh(clientId, token))).toBe('invalid_grant');
    },
  );
});

describe('client credentials', () => {
  const ask = (fields: Record<string, string>) =>
    house.post('/oidc/token', 'service', { grant_type: 'client_credentials', ...fields });

  it('give a token for the resource, with the agency, and no other token', async () => {
    const tokens = tokensOf(await ask({ resource: API, scope: 'read' }));
    expect(Object.keys(tokens).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    const { gid, sid, auth_time: authTime, act, ...claims } = claimsOf(tokens.access_token);
    expect(claims).toMatchObject({ sub: 'service', client_id: 'service', aud: API, scope: 'read', agency: '3300' });
    expect([gid, sid, authTime, act]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each(['openid', 'openid profile', 'email', 'offline_access'])('give no %s: there is no person', async (scope) => {
    expect(errorOf(await ask({ scope }))).toBe('invalid_scope');
    expect(tokensOf(await ask({ scope: `read ${scope}`, resource: API })).scope).toBe('read');
  });

  it('are for clients with the grant, that prove themselves, and for their own resources', async () => {
    for (const clientId of ['web', 'spa', 'legacy', 'records']) {
      const answer = await house.post('/oidc/token', clientId, { grant_type: 'client_credentials' });
      expect([clientId, errorOf(answer)]).toEqual([clientId, 'invalid_request']);
    }
    const bare = { form: { grant_type: 'client_credentials', client_id: 'service' } };
    expect(errorOf(await house.browser().call(house.address('/oidc/token'), bare))).toBe('invalid_client');
    expect(errorOf(await ask({ resource: PAYROLL }))).toBe('invalid_target');
    expect(errorOf(await house.userinfo(tokensOf(await ask({})).access_token))).toBe('invalid_token');
  });
});
