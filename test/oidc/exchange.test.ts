import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT, type JSONWebKeySet } from 'jose';
import { claimsOf, errorOf, House, resetTime, setTime, tokensOf, type Tokens } from './support/house.js';
import { API } from './support/registrations.js';
import { CELLAR, PAYROLL, services, VAULT } from './support/services.js';

// RFC 8693: a service that was called on behalf of a person calls the next one (ADR 0029).
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

let house: House;
beforeAll(async () => {
  house = await House.open({ clients: services });
});
afterAll(() => house.close());
afterEach(resetTime);

const login = async (clientId = 'archive', params: Record<string, string> = {}) => {
  const account = await house.person();
  const asked = { browser: house.browser(), clientId, account };
  return { account, ...(await house.tokens({ ...asked, params: { scope: 'openid read', resource: API, ...params } })) };
};
const exchange = (clientId: string, token: string, fields: Record<string, string> = {}) =>
  house.post('/oidc/token', clientId, {
    grant_type: GRANT,
    subject_token: token,
    subject_token_type: ACCESS_TOKEN,
    resource: PAYROLL,
    ...fields,
  });
const exchanged = async (clientId: string, token: string, fields: Record<string, string> = {}): Promise<Tokens> =>
  tokensOf(await exchange(clientId, token, fields));
const later = (seconds: number): void => {
  setTime(new Date(Date.now() + seconds * 1000));
};

describe('an exchanged token', () => {
  it('is one of RFC 9068 that says who acts for whom, and its answer one of RFC 8693', async () => {
    const tokens = await login();
    const first = claimsOf(tokens.access_token);
    const answer = await exchange('records', tokens.access_token, { scope: 'pay:read' });
    expect(answer.headers['cache-control']).toBe('no-store');
    const { access_token: token, ...rest } = JSON.parse(answer.body) as { access_token: string };
    expect(rest).toEqual({
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: (first.exp ?? 0) - Math.floor(Date.now() / 1000),
      scope: 'pay:read',
    });
    const jwks = JSON.parse((await house.browser().call(house.address('/oidc/jwks'))).body) as JSONWebKeySet;
    const expected = { issuer: house.issuer, audience: PAYROLL, typ: 'at+jwt' };
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), expected);
    expect(payload).toEqual({
      iss: house.issuer,
      aud: PAYROLL,
      sub: tokens.account,
      client_id: 'records',
      act: { sub: 'records' },
      scope: 'pay:read',
      jti: expect.stringMatching(/^[\w-]{20,}$/),
      iat: expect.any(Number),
      exp: first.exp,
      acr: first.acr,
      amr: first.amr,
      auth_time: first.auth_time,
      gid: first.gid,
      sid: first.sid,
    });
    expect(await house.introspect('payroll', token)).toMatchObject({ active: true, act: { sub: 'records' } });
    expect(await house.introspect('desk-api', token)).toEqual({ active: false });
  });

  it('can be exchanged again by who it is for, and names all between, three at most', async () => {
    const { access_token: first } = await login();
    const second = (await exchanged('records', first)).access_token;
    const third = (await exchanged('payroll', second, { resource: VAULT })).access_token;
    const fourth = (await exchanged('vault', third, { resource: CELLAR })).access_token;
    expect(claimsOf(fourth)).toMatchObject({
      aud: CELLAR,
      client_id: 'vault',
      act: { sub: 'vault', act: { sub: 'payroll', act: { sub: 'records' } } },
      exp: claimsOf(first).exp,
    });
    expect(await house.introspect('cellar', fourth)).toMatchObject({ active: true });
    expect(errorOf(await exchange('cellar', fourth))).toBe('invalid_request');
  });

  it('tells no second name of the person', async () => {
    const tokens = await login('masked');
    const { access_token: token } = await exchanged('records', tokens.access_token);
    expect(claimsOf(token).sub).toBe(house.subjects.at('masked', tokens.account));
    expect((await house.introspect('payroll', token)).sub).toBe(claimsOf(token).sub);
    expect(token + JSON.stringify(claimsOf(token))).not.toContain(tokens.account);
  });

  it('lives no longer than what it was exchanged for', async () => {
    const tokens = await login();
    later(570);
    const { access_token: token, expires_in: left } = await exchanged('records', tokens.access_token);
    expect(left).toBeLessThanOrEqual(30);
    expect(claimsOf(token).exp).toBe(claimsOf(tokens.access_token).exp);
    later(31);
    expect(errorOf(await exchange('records', tokens.access_token))).toBe('invalid_request');
    expect(errorOf(await exchange('payroll', token, { resource: VAULT }))).toBe('invalid_request');
  });

  it('has the scopes that were asked for, and all that are registered when none was', async () => {
    const { access_token: token } = await login();
    expect((await exchanged('records', token)).scope).toBe('pay:read pay:write');
    expect((await exchanged('records', token, { scope: 'pay:write pay:write' })).scope).toBe('pay:write');
    for (const scope of ['pay:all', 'pay:read openid', 'open', 'accounts:read']) {
      expect([scope, errorOf(await exchange('records', token, { scope }))]).toEqual([scope, 'invalid_scope']);
    }
  });

  it('opens neither userinfo nor the admin API, and comes without any other token', async () => {
    const tokens = await login();
    const got = await exchanged('records', tokens.access_token);
    expect([got.refresh_token, got.id_token]).toEqual([undefined, undefined]);
    expect((await house.userinfo(got.access_token)).status).toBe(401);
    expect(await house.verifyAdminToken(got.access_token)).toBeUndefined();
    expect(errorOf(await house.post('/oidc/revoke', 'records', { token: got.access_token }))).toBe(
      'unsupported_token_type',
    );
    expect(await house.introspect('desk-api', tokens.access_token)).toMatchObject({ active: true });
  });

  it('is in the trail of the person, with the services and not with the token', async () => {
    const tokens = await login();
    await exchanged('records', tokens.access_token);
    const rows = await house.db.query(
      "SELECT client_id, detail FROM audit_events WHERE type = 'token.exchanged' AND account_id = $1",
      [tokens.account],
    );
    expect(rows).toEqual([{ client_id: 'records', detail: { from: 'archive', resource: PAYROLL } }]);
  });
});

describe('an exchange', () => {
  it.each<[string, Record<string, string>, string]>([
    ['without a type', { subject_token_type: '' }, 'invalid_request'],
    ['of an ID token', { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    ['of a SAML assertion', { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request'],
    [
      'for a refresh token',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    ['for an ID token', { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
    ['with an actor', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['with the type of an actor', { actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['of nothing', { subject_token: '' }, 'invalid_request'],
    ['of an unknown token', { subject_token: 'unknown' }, 'invalid_request'],
    ['for no resource', { resource: '' }, 'invalid_target'],
    ['for an unknown resource', { resource: 'https://unknown.example/' }, 'invalid_target'],
    ['for a resource of others', { resource: CELLAR }, 'invalid_target'],
    ['for what every object has', { resource: 'toString' }, 'invalid_target'],
    ['for an audience that every object has', { resource: '', audience: 'constructor' }, 'invalid_target'],
    ['for the prototype', { resource: '', audience: '__proto__' }, 'invalid_target'],
    ['for two resources', { audience: VAULT }, 'invalid_target'],
  ])('%s is refused', async (_, fields, error) => {
    const { access_token: token } = await login();
    expect(errorOf(await exchange('records', token, fields))).toBe(error);
  });

  it('takes the resource as audience, too, and a type that says what it gives', async () => {
    const { access_token: token } = await login();
    const got = await exchanged('records', token, {
      resource: '',
      audience: PAYROLL,
      requested_token_type: ACCESS_TOKEN,
    });
    expect(claimsOf(got.access_token).aud).toBe(PAYROLL);
  });

  it('is for clients that registered it, with proof of who they are', async () => {
    const { access_token: token } = await login();
    for (const clientId of ['archive', 'desk-api', 'service']) {
      expect([clientId, errorOf(await exchange(clientId, token))]).toEqual([clientId, 'invalid_request']);
    }
    const bare = { grant_type: GRANT, subject_token: token, subject_token_type: ACCESS_TOKEN, resource: PAYROLL };
    const answer = await house
      .browser()
      .call(house.address('/oidc/token'), { form: { ...bare, client_id: 'records' } });
    expect([answer.status, errorOf(answer)]).toEqual([401, 'invalid_client']);
  });

  it('is for tokens that the client was called with: no other kind, resource or owner', async () => {
    const tokens = await login();
    const own = { grant_type: 'client_credentials', resource: API, scope: 'read' };
    const opaque = await house.tokens({ browser: house.browser(), clientId: 'web', account: tokens.account });
    const { access_token: onward } = await exchanged('records', tokens.access_token);
    const refused: Record<string, string> = {
      'a service for itself': tokensOf(await house.post('/oidc/token', 'service', own)).access_token,
      'for another resource': onward,
      'an ID token': tokens.id_token,
      'a refresh token': tokens.refresh_token,
      'an opaque token': opaque.access_token,
    };
    for (const [what, token] of Object.entries(refused)) {
      expect([what, errorOf(await exchange('records', token))]).toEqual([what, 'invalid_request']);
    }
    expect(errorOf(await exchange('payroll', tokens.access_token, { resource: VAULT }))).toBe('invalid_request');
  });

  it('never gives a token for the admin API', async () => {
    const { access_token: token } = await login();
    expect(errorOf(await exchange('greedy', token, { resource: house.adminResource }))).toBe('invalid_target');
    expect((await exchange('greedy', token)).status).toBe(200);
  });

  it('asks whether the person may be at the exchanging client as well', async () => {
    const tokens = await login();
    const back = house.change('records', (each) => ({ ...each, x: { ...each.x, allowed_employment: ['PPPK'] } }));
    expect(errorOf(await exchange('records', tokens.access_token))).toBe('invalid_request');
    back();
    expect((await exchange('records', tokens.access_token)).status).toBe(200);
  });

  it.each([
    ['the account is frozen', 'UPDATE accounts SET frozen_at = now() WHERE id = $1'],
    ['the account is inactive', "UPDATE accounts SET status = 'inactive' WHERE id = $1"],
    ['the password changed', 'UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1'],
    ['the session ended', 'DELETE FROM sso_sessions WHERE account_id = $1'],
    ['the grant ended', 'DELETE FROM oidc_grants WHERE account_id = $1'],
    ['the entitlement is lost', "UPDATE accounts SET employment = 'PPPK' WHERE id = $1"],
  ])('ends once %s, in the middle of a chain too', async (_, change) => {
    const tokens = await login('members');
    const { access_token: onward } = await exchanged('records', tokens.access_token);
    await house.db.query(change, [tokens.account]);
    const before = await house.audited('token.exchanged');
    expect(errorOf(await exchange('records', tokens.access_token))).toBe('invalid_request');
    expect(errorOf(await exchange('payroll', onward, { resource: VAULT }))).toBe('invalid_request');
    expect(await house.introspect('payroll', onward)).toEqual({ active: false });
    expect(await house.audited('token.exchanged')).toBe(before);
  });

  it('ends with the registration of the first client, and of the second', async () => {
    const tokens = await login();
    const { access_token: onward } = await exchanged('records', tokens.access_token);
    for (const clientId of ['archive', 'records']) {
      const back = house.change(clientId, () => undefined);
      expect(errorOf(await exchange('payroll', onward, { resource: VAULT }))).toBe('invalid_request');
      back();
    }
    expect((await exchange('payroll', onward, { resource: VAULT })).status).toBe(200);
  });

  it('ends with a service in the middle of the chain, and for a person who is not welcome there', async () => {
    const tokens = await login();
    const second = (await exchanged('records', tokens.access_token)).access_token;
    const third = (await exchanged('payroll', second, { resource: VAULT })).access_token;
    for (const change of [
      () => house.change('records', () => undefined),
      () => house.change('records', (each) => ({ ...each, x: { ...each.x, allowed_employment: ['PPPK'] } })),
    ]) {
      const back = change();
      expect(await house.introspect('vault', third)).toEqual({ active: false });
      expect(errorOf(await exchange('vault', third, { resource: CELLAR }))).toBe('invalid_request');
      back();
    }
    expect(await house.introspect('vault', third)).toMatchObject({ active: true });
  });

  it('binds to a key where the client registered so, whatever the first was bound to', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const proof = (jti: string): Promise<string> =>
      new SignJWT({ htm: 'POST', htu: house.address('/oidc/token'), jti })
        .setIssuedAt()
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey);
    const { access_token: token } = await login();
    expect(errorOf(await exchange('bound', token))).toBe('invalid_grant');
    const ask = async (dpop: string) =>
      house.browser().call(house.address('/oidc/token'), {
        headers: { accept: 'application/json', dpop },
        form: {
          ...(await house.credentials('bound')).form,
          grant_type: GRANT,
          subject_token: token,
          subject_token_type: ACCESS_TOKEN,
          resource: PAYROLL,
        },
      });
    const first = await proof('proof-1');
    const got = tokensOf(await ask(first));
    expect(got.token_type).toBe('DPoP');
    expect(claimsOf(got.access_token).cnf).toEqual({ jkt: expect.any(String) });
    expect(await house.introspect('payroll', got.access_token)).toMatchObject({ active: true, token_type: 'DPoP' });
    expect(errorOf(await ask(first))).toBe('invalid_grant');
    // The service behind proves itself: it need not have the key of the one before.
    expect((await exchange('payroll', got.access_token, { resource: VAULT })).status).toBe(200);
  });
});
