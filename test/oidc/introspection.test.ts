import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT, generateKeyPair } from 'jose';
import { claimsOf, errorOf, House, resetTime, setTime, tokensOf } from './support/house.js';
import { API } from './support/registrations.js';
import { services } from './support/services.js';

// RFC 7662 and RFC 7009 for JWT access tokens (ADR 0029).
let house: House;
beforeAll(async () => {
  house = await House.open({ clients: services });
});
afterAll(() => house.close());
afterEach(resetTime);

const login = async (clientId = 'archive', params: Record<string, string> = {}) => {
  const account = await house.person();
  const browser = house.browser();
  const asked = { browser, clientId, account, params: { scope: 'openid read', resource: API, ...params } };
  return { account, browser, ...(await house.tokens(asked)) };
};
const INACTIVE = '{"active":false}';
const answer = async (clientId: string, token: string): Promise<string> =>
  (await house.post('/oidc/introspect', clientId, { token })).body;

describe('introspection by a resource', () => {
  it.each(['desk-api', 'old-api', 'records'])('%s is told of a token that is for it', async (clientId) => {
    const tokens = await login();
    const claims = claimsOf(tokens.access_token);
    expect(await house.introspect(clientId, tokens.access_token)).toEqual({
      active: true,
      iss: house.issuer,
      sub: tokens.account,
      client_id: 'archive',
      aud: API,
      scope: 'read',
      token_type: 'Bearer',
      iat: claims.iat,
      exp: claims.exp,
      jti: claims.jti,
      acr: 'urn:asn:aal2',
      amr: ['pwd', 'otp', 'mfa'],
      auth_time: claims.auth_time,
    });
  });

  it('tells the client that has it, too, and of a service its agency', async () => {
    const tokens = await login();
    expect(await house.introspect('archive', tokens.access_token)).toMatchObject({ active: true, aud: API });
    const asked = { grant_type: 'client_credentials', resource: API, scope: 'read' };
    const own = tokensOf(await house.post('/oidc/token', 'service', asked)).access_token;
    const expected = { active: true, sub: 'service', client_id: 'service', agency: '3300', scope: 'read' };
    expect(await house.introspect('service', own)).toMatchObject(expected);
    expect(await house.introspect('desk-api', own)).toMatchObject(expected);
  });

  it('names the person as the client of the token knows them', async () => {
    const tokens = await login('masked');
    const { sub } = await house.introspect('desk-api', tokens.access_token);
    expect(sub).toBe(house.subjects.at('masked', tokens.account));
  });

  it('answers the same bytes for a token of another resource, of nobody, and for no token', async () => {
    const tokens = await login();
    const { privateKey } = await generateKeyPair('ES256');
    const claims = claimsOf(tokens.access_token);
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(privateKey);
    const [head = '', body = '', signature = ''] = tokens.access_token.split('.');
    const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url');
    const unsigned = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    for (const token of [
      forged,
      `${head}.${changed}.${signature}`,
      `${unsigned}.${body}.`,
      tokens.id_token,
      'unknown',
      'a.b.c',
      tokens.refresh_token,
    ]) {
      expect([token, await answer('desk-api', token)]).toEqual([token, INACTIVE]);
    }
    for (const stranger of ['payroll', 'web', 'spa', 'other']) {
      expect([stranger, await answer(stranger, tokens.access_token)]).toEqual([stranger, INACTIVE]);
    }
    // An opaque token of the client is nobody else's either.
    const opaque = await house.tokens({ browser: house.browser(), clientId: 'web', account: tokens.account });
    expect(await answer('desk-api', opaque.access_token)).toBe(INACTIVE);
    // And what is refused is no refusal in the log.
    expect(house.events.filter(({ type }) => type === 'endpoint.refused')).toEqual([]);
  });

  it('needs proof of the client before anything', async () => {
    const tokens = await login();
    const asked = { form: { client_id: 'desk-api', token: tokens.access_token } };
    const refused = await house.browser().call(house.address('/oidc/introspect'), asked);
    expect([refused.status, errorOf(refused)]).toEqual([401, 'invalid_client']);
  });

  it.each([
    ['the account is frozen', 'UPDATE accounts SET frozen_at = now() WHERE id = $1'],
    ['the account is inactive', "UPDATE accounts SET status = 'inactive' WHERE id = $1"],
    ['the password changed', 'UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1'],
    ['the session ended', 'DELETE FROM sso_sessions WHERE account_id = $1'],
    ['the session was idle', "UPDATE sso_sessions SET expires_at = now() - interval '1 s' WHERE account_id = $1"],
    ['the client left the session', "UPDATE sso_sessions SET authorizations = '{}' WHERE account_id = $1"],
    ['the grant ended', 'DELETE FROM oidc_grants WHERE account_id = $1'],
    ['the entitlement is lost', "UPDATE accounts SET employment = 'PPPK' WHERE id = $1"],
  ])('says no more once %s', async (_, change) => {
    const tokens = await login('members');
    expect(await answer('desk-api', tokens.access_token)).not.toBe(INACTIVE);
    await house.db.query(change, [tokens.account]);
    expect(await answer('desk-api', tokens.access_token)).toBe(INACTIVE);
    expect(await answer('members', tokens.access_token)).toBe(INACTIVE);
  });

  it('of a token with offline_access outlives the session, not the grant', async () => {
    const tokens = await login('members', { scope: 'openid read offline_access', prompt: 'consent' });
    await house.db.query('DELETE FROM sso_sessions WHERE account_id = $1', [tokens.account]);
    expect(await answer('desk-api', tokens.access_token)).not.toBe(INACTIVE);
    await house.db.query('DELETE FROM oidc_grants WHERE account_id = $1', [tokens.account]);
    expect(await answer('desk-api', tokens.access_token)).toBe(INACTIVE);
  });

  it('says no more once the client is gone or has no part in the resource, and at the end of its time', async () => {
    const tokens = await login();
    for (const changed of [() => undefined, (each: { x: object }) => ({ ...each, x: {} })]) {
      const back = house.change('archive', changed as never);
      expect(await answer('desk-api', tokens.access_token)).toBe(INACTIVE);
      back();
      expect(await answer('desk-api', tokens.access_token)).not.toBe(INACTIVE);
    }
    const back = house.change('desk-api', (each) => ({ ...each, x: { ...each.x, serves: [] } }));
    expect(await answer('desk-api', tokens.access_token)).toBe(INACTIVE);
    back();
    setTime(new Date(Date.now() + 601_000));
    expect(await answer('desk-api', tokens.access_token)).toBe(INACTIVE);
  });

  it('of an opaque token says no more once the entitlement or the client is gone', async () => {
    const account = await house.person();
    const { access_token: token } = await house.tokens({ browser: house.browser(), clientId: 'members', account });
    expect(await house.isActive('members', token)).toBe(true);
    await house.db.query("UPDATE accounts SET employment = 'PPPK' WHERE id = $1", [account]);
    expect(await house.isActive('members', token)).toBe(false);
  });
});

describe('revocation of a JWT access token', () => {
  const revoke = (clientId: string, token: string) => house.post('/oidc/revoke', clientId, { token });

  it('by its client ends it, and what was given with it', async () => {
    const tokens = await login();
    const answered = await revoke('archive', tokens.access_token);
    expect([answered.status, answered.body]).toEqual([200, '']);
    expect(await answer('desk-api', tokens.access_token)).toBe(INACTIVE);
    expect(errorOf(await house.refresh('archive', tokens.refresh_token))).toBe('invalid_grant');
    const again = await house.tokens({
      browser: tokens.browser,
      clientId: 'archive',
      account: tokens.account,
      params: { scope: 'openid read', resource: API },
    });
    expect(await answer('desk-api', again.access_token)).not.toBe(INACTIVE);
  });

  it.each(['desk-api', 'records', 'web', 'spa'])(
    'by %s, whose it is not, does nothing and says nothing',
    async (who) => {
      const tokens = await login();
      const answered = await revoke(who, tokens.access_token);
      expect([answered.status, answered.body]).toEqual([200, '']);
      expect(await answer('desk-api', tokens.access_token)).not.toBe(INACTIVE);
      expect((await revoke(who, `${tokens.access_token.slice(0, -4)}AAAA`)).status).toBe(200);
    },
  );

  it('of a service is not possible, which it is told', async () => {
    const asked = { grant_type: 'client_credentials', resource: API, scope: 'read' };
    const own = tokensOf(await house.post('/oidc/token', 'service', asked)).access_token;
    expect(errorOf(await revoke('service', own))).toBe('unsupported_token_type');
    expect((await revoke('archive', own)).status).toBe(200);
  });
});
