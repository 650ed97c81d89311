import { openInProcess } from '#src/storage/in-process.js';
import { createAddressRates } from '#src/throttle/address-rates.js';
import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type JSONWebKeySet,
} from 'jose';
import { createAudit } from '#src/audit/audit.js';
import { systemClock } from '#src/kernel/clock.js';
import { adapterFactory } from '#src/oidc/storage/adapter.js';
import { anyClient } from '../clients/support/registry.js';
import { noNotices } from '../support/end-sessions.js';
import { claimsOf, errorOf, House, KEYED, resetTime, setTime, tokensOf, type Tokens } from './support/house.js';
import { API } from './support/registrations.js';

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());
afterEach(resetTime);

const login = async (clientId: string, params = {}): Promise<Tokens> =>
  house.tokens({ browser: house.browser(), clientId, account: await house.person(), params });
const later = (seconds: number): void => {
  setTime(new Date(Date.now() + seconds * 1000));
};
const parse = (body: string): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>;

describe('an authorization code', () => {
  it('is accepted once, and a second use ends what the first one gave', async () => {
    const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
    const tokens = tokensOf(await house.redeem('web', asked));
    expect((await house.userinfo(tokens.access_token)).status).toBe(200);
    expect(errorOf(await house.redeem('web', asked))).toBe('invalid_grant');
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(await house.isActive('web', tokens.access_token)).toBe(false);
    expect(errorOf(await house.refresh('web', tokens.refresh_token))).toBe('invalid_grant');
  });

  it('is accepted once of 16 uses at the same time, and none of them keeps working tokens', async () => {
    const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
    const before = await house.audited('grant.revoked');
    const answers = await Promise.all(Array.from({ length: 16 }, () => house.redeem('web', asked)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won.length).toBeLessThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(16 - won.length);
    for (const answer of won) expect((await house.userinfo(tokensOf(answer).access_token)).status).toBe(401);
    expect(await house.audited('grant.revoked')).toBeLessThanOrEqual(before + 1);
  });

  it('that loses the race for it ends what the winner got, with an audit event', async () => {
    const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
    const tokens = tokensOf(await house.redeem('web', asked));
    const before = await house.audited('grant.revoked');
    // Both have found it unspent; this is the one that comes second.
    const audit = createAudit(systemClock);
    const codes = adapterFactory({
      db: house.db,
      clock: systemClock,
      audit,
      notices: noNotices,
      registry: anyClient,
      keyed: KEYED,
      rates: createAddressRates({ keyValue: openInProcess(systemClock), keyed: KEYED, clock: systemClock }),
    })('AuthorizationCode');
    await expect(codes.consume(asked.code)).rejects.toMatchObject({ message: 'invalid_grant' });
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(await house.audited('grant.revoked')).toBe(before + 1);
  });

  it.each([
    ['after 61 seconds', 'web', {}, 61],
    ['by another client', 'other', {}, 0],
    ['with another redirect address', 'web', { redirectUri: 'https://web.example/cb2' }, 0],
    ['with another verifier', 'web', { verifier: 'x'.repeat(43) }, 0],
  ])('is refused %s', async (_, clientId, changed, seconds) => {
    const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
    if (seconds > 0) later(seconds);
    expect(errorOf(await house.redeem(clientId, { ...asked, ...changed }))).toBe('invalid_grant');
  });

  it('is refused once its session has been idle too long', async () => {
    const asked = await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() });
    await house.db.query("UPDATE sso_sessions SET expires_at = now() - interval '1 second'");
    expect(errorOf(await house.redeem('web', asked))).toBe('invalid_grant');
  });
});

describe('a refresh token of a client with a key of its own', () => {
  it('stays the same', async () => {
    const tokens = await login('web');
    const again = tokensOf(await house.refresh('web', tokens.refresh_token));
    expect(again.refresh_token).toBe(tokens.refresh_token);
    expect(again.access_token).not.toBe(tokens.access_token);
  });

  it('lives 12 hours at most', async () => {
    const [row] = await house.db.query(
      "SELECT max(extract(epoch FROM expires_at))::bigint AS last FROM oidc_tokens WHERE kind = 'RefreshToken'",
    );
    expect(Number(row?.last)).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 12 * 3600);
  });
});

describe.each(['legacy', 'spa'])('a refresh token of %s, without a key', (clientId) => {
  it('is replaced at every use, and its successor lives no longer', async () => {
    const tokens = await login(clientId);
    later(1000);
    const again = tokensOf(await house.refresh(clientId, tokens.refresh_token));
    expect(again.refresh_token).not.toBe(tokens.refresh_token);
    const lives = await house.db.query(
      "SELECT count(*)::int AS tokens, count(DISTINCT expires_at)::int AS ends FROM oidc_tokens WHERE kind = 'RefreshToken' AND account_id = $1",
      [claimsOf(tokens.id_token).sub],
    );
    expect(lives).toEqual([{ tokens: 2, ends: 1 }]);
  });

  it('used again within 10 seconds is refused, and its successor goes on working', async () => {
    const tokens = await login(clientId);
    const again = tokensOf(await house.refresh(clientId, tokens.refresh_token));
    later(9);
    expect(errorOf(await house.refresh(clientId, tokens.refresh_token))).toBe('invalid_grant');
    expect((await house.refresh(clientId, again.refresh_token)).status).toBe(200);
  });

  it('used again later ends the family, with an audit event', async () => {
    const tokens = await login(clientId);
    const again = tokensOf(await house.refresh(clientId, tokens.refresh_token));
    const before = await house.audited('refresh_token.reused');
    later(11);
    expect(errorOf(await house.refresh(clientId, tokens.refresh_token))).toBe('invalid_grant');
    expect(errorOf(await house.refresh(clientId, again.refresh_token))).toBe('invalid_grant');
    expect((await house.userinfo(again.access_token)).status).toBe(401);
    expect(await house.audited('refresh_token.reused')).toBe(before + 1);
    expect(errorOf(await house.refresh(clientId, tokens.refresh_token))).toBe('invalid_grant');
    expect(await house.audited('refresh_token.reused')).toBe(before + 1);
  });

  it('used 16 times at once has one successor, and the family lives', async () => {
    const tokens = await login(clientId);
    const answers = await Promise.all(Array.from({ length: 16 }, () => house.refresh(clientId, tokens.refresh_token)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(15);
    const [winner] = won.map(tokensOf);
    expect((await house.refresh(clientId, winner?.refresh_token ?? '')).status).toBe(200);
  });
});

describe('a refresh token', () => {
  it('of another client is refused and does not end the family', async () => {
    const tokens = await login('legacy');
    const again = tokensOf(await house.refresh('legacy', tokens.refresh_token));
    later(11);
    expect(errorOf(await house.refresh('spa', tokens.refresh_token))).toBe('invalid_grant');
    expect((await house.refresh('legacy', again.refresh_token)).status).toBe(200);
  });

  it('that was replaced is inactive at introspection at once', async () => {
    const tokens = await login('legacy');
    await house.refresh('legacy', tokens.refresh_token);
    expect(await house.isActive('legacy', tokens.refresh_token)).toBe(false);
    expect(tokensOf(await house.refresh('legacy', (await login('legacy')).refresh_token))).toBeDefined();
  });

  it('is not issued to a client that did not register the grant', async () => {
    expect((await login('fresh')).refresh_token).toBeUndefined();
  });

  it('with offline_access outlives the session; without it does not', async () => {
    for (const [scope, outlives] of [
      ['openid offline_access', true],
      ['openid', false],
    ] as const) {
      const tokens = await login('web', { scope, prompt: 'consent' });
      await house.db.query('DELETE FROM sso_sessions');
      expect([scope, (await house.refresh('web', tokens.refresh_token)).status === 200]).toEqual([scope, outlives]);
    }
  });

  it('with offline_access of a phone lives 30 days, in the partition of long lives', async () => {
    const browser = house.browser();
    const account = await house.person();
    const params = { redirect_uri: 'http://127.0.0.1:49152/cb', scope: 'openid offline_access', prompt: 'consent' };
    const tokens = await house.tokens({ browser, clientId: 'phone', account, params });
    expect(await house.rows('oidc_tokens_long')).toBe(1);
    await house.db.query('DELETE FROM sso_sessions');
    later(29 * 86_400);
    expect((await house.refresh('phone', tokens.refresh_token)).status).toBe(200);
  });
});

describe('an account that may no longer be used', () => {
  it.each([
    ['inactive', "status = 'inactive'"],
    ['frozen', 'frozen_at = now()'],
    ['of newer credentials', 'cred_epoch = cred_epoch + 1'],
  ])('%s: its tokens are dead at userinfo, introspection and refresh', async (_, change) => {
    const account = await house.person();
    const tokens = await house.tokens({
      browser: house.browser(),
      clientId: 'web',
      account,
      params: { scope: 'openid offline_access', prompt: 'consent' },
    });
    await house.db.query(`UPDATE accounts SET ${change} WHERE id = $1`, [account]);
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(await house.isActive('web', tokens.access_token)).toBe(false);
    expect(errorOf(await house.refresh('web', tokens.refresh_token))).toBe('invalid_grant');
  });
});

describe('claims', () => {
  const asked = { scope: 'openid profile email asn' };
  const everything = {
    name: 'Siti Rahayu',
    preferred_username: expect.stringMatching(/^\d{18}$/),
    email: 'siti@mail.example',
    email_verified: true,
    nip: expect.stringMatching(/^\d{18}$/),
    employment: 'PNS',
    agency: { code: '3300', name: 'Kota Contoh' },
  };

  it.each([
    ['web', 'openid', {}],
    ['web', 'openid profile', { name: everything.name, preferred_username: everything.preferred_username }],
    ['web', 'openid email', { email: everything.email, email_verified: true }],
    ['web', 'openid asn', { nip: everything.nip, employment: 'PNS', agency: everything.agency }],
    ['web', asked.scope, everything],
    ['bare', asked.scope, {}],
    ['few', asked.scope, { name: everything.name, nip: everything.nip }],
    ['few', 'openid profile', { name: everything.name }],
    ['roles', asked.scope, { name: everything.name, roles: ['helpdesk'] }],
    ['legacy', asked.scope, everything],
  ])('of %s with %s at userinfo', async (clientId, scope, expected) => {
    const account = await house.person();
    await house.db.query(
      "INSERT INTO role_grants (account_id, role, agency_code, granted_at) VALUES ($1, 'helpdesk', '3300', now())",
      [account],
    );
    const tokens = await house.tokens({ browser: house.browser(), clientId, account, params: { scope } });
    expect(parse((await house.userinfo(tokens.access_token)).body)).toEqual({ sub: account, ...expected });
  });

  it('are in the ID token only where the registration says so', async () => {
    expect(claimsOf((await login('legacy')).id_token)).toMatchObject(everything);
    expect(Object.keys(claimsOf((await login('web')).id_token))).not.toEqual(expect.arrayContaining(['name']));
  });

  it('asked for one by one never give the NIP, which is for a scope', async () => {
    const claims = JSON.stringify({ userinfo: { nip: { essential: true } }, id_token: { name: null, nip: null } });
    const tokens = await login('web', { scope: 'openid', claims });
    expect(parse((await house.userinfo(tokens.access_token)).body)).toEqual({ sub: expect.any(String) });
    expect(claimsOf(tokens.id_token)).not.toHaveProperty('nip');
  });
});

describe('userinfo', () => {
  let tokens: Tokens;
  let jwks: JSONWebKeySet;
  beforeAll(async () => {
    tokens = await login('web');
    jwks = JSON.parse((await house.browser().call(house.address('/oidc/jwks'))).body) as JSONWebKeySet;
  });

  const unsigned = (header: object, claims: object): string =>
    `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;

  it('refuses every token that is not an access token of its own', async () => {
    const claims = { ...claimsOf(tokens.id_token), scope: 'openid', client_id: 'web' };
    const publicKey = createPublicKey({ key: jwks.keys[0] as never, format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const hs = unsigned({ alg: 'HS256', typ: 'at+jwt' }, claims);
    const forged: Record<string, string> = {
      'an ID token': tokens.id_token,
      'a refresh token': tokens.refresh_token,
      'alg none': `${unsigned({ alg: 'none', typ: 'at+jwt' }, claims)}.`,
      'HS256 with the public key': `${hs}.${createHmac('sha256', pem).update(hs).digest('base64url')}`,
      'a key in the header': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', jku: 'https://evil.example/jwks', kid: '../../etc/passwd' })
        .sign(Buffer.alloc(32)),
      'SQL for an id': "'/**/OR/**/'1'='1",
      'a code': (await house.code({ browser: house.browser(), clientId: 'web', account: await house.person() })).code,
      'one letter changed': `${tokens.access_token.slice(0, -1)}${tokens.access_token.endsWith('A') ? 'B' : 'A'}`,
    };
    for (const [what, token] of Object.entries(forged)) {
      expect([what, (await house.userinfo(token)).status]).toEqual([what, 401]);
    }
    expect((await house.userinfo('a b')).status).toBe(400);
    expect((await house.userinfo(tokens.access_token)).status).toBe(200);
  });

  it('refuses a token in the address, and one without the scope openid', async () => {
    const answer = await house.browser().call(house.address(`/oidc/userinfo?access_token=${tokens.access_token}`));
    expect(answer.status).toBe(400);
    const api = await login('archive', { scope: 'openid read', resource: API });
    expect((await house.userinfo(api.access_token)).status).toBe(401);
  });

  it('refuses a token after 10 minutes', async () => {
    const own = await login('web');
    later(590);
    expect((await house.userinfo(own.access_token)).status).toBe(200);
    later(25);
    expect((await house.userinfo(own.access_token)).status).toBe(401);
  });
});

describe('a resource', () => {
  it('gets JWT access tokens (RFC 9068) with what was proved', async () => {
    const account = await house.person();
    const tokens = await house.tokens({
      browser: house.browser(),
      clientId: 'archive',
      account,
      params: { scope: 'openid read', resource: API },
    });
    const jwks = JSON.parse((await house.browser().call(house.address('/oidc/jwks'))).body) as JSONWebKeySet;
    const { payload } = await jwtVerify(tokens.access_token, createLocalJWKSet(jwks), {
      issuer: house.issuer,
      audience: API,
      typ: 'at+jwt',
    });
    expect(payload).toMatchObject({ sub: account, client_id: 'archive', scope: 'read', acr: 'urn:asn:aal2' });
    expect(payload).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], auth_time: expect.any(Number), aud: API });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
  });

  it.each([
    ['that is not known', 'archive', 'https://unknown.example/'],
    ['of which the client has no part', 'web', API],
  ])('%s is refused', async (_, clientId, resource) => {
    const { url } = house.request({ clientId, params: { resource, scope: 'openid read' } });
    expect(errorOf(await house.browser().call(url))).toBe('invalid_target');
  });

  it('gives only scopes that are registered', async () => {
    const tokens = await login('archive', { scope: 'openid read delete', resource: API });
    expect(claimsOf(tokens.access_token).scope).toBe('read');
  });
});

describe('a service', () => {
  const ask = (clientId: string, fields: Record<string, string> = {}) =>
    house.post('/oidc/token', clientId, { grant_type: 'client_credentials', ...fields });

  it('gets tokens of its own that name its agency', async () => {
    const { access_token: token } = tokensOf(await ask('service', { resource: API, scope: 'read' }));
    expect(decodeProtectedHeader(token).typ).toBe('at+jwt');
    expect(claimsOf(token)).toMatchObject({ sub: 'service', client_id: 'service', scope: 'read', agency: '3300' });
  });

  it('is told when it may do nothing of what it asks', async () => {
    expect(errorOf(await ask('service', { resource: API, scope: 'unregistered' }))).toBe('invalid_scope');
    expect(errorOf(await ask('service', { scope: 'read' }))).toBe('invalid_scope');
    expect(parse((await ask('service', { resource: API, scope: 'unregistered read' })).body)).toMatchObject({
      scope: 'read',
    });
    expect((await ask('service', { resource: API })).status).toBe(200);
  });

  it('finds its agency at introspection of an opaque token too', async () => {
    const { access_token: token } = tokensOf(await ask('service'));
    const answer = await house.post('/oidc/introspect', 'service', { token });
    expect(parse(answer.body)).toMatchObject({ active: true, agency: '3300' });
  });

  it('cannot be a person, nor use what it is not registered for', async () => {
    expect(
      errorOf(await house.post('/oidc/token', 'service', { grant_type: 'password', username: 'a', password: 'b' })),
    ).toBe('unsupported_grant_type');
    expect(errorOf(await ask('web'))).toBe('invalid_request');
    expect(errorOf(await ask('batch', { resource: API }))).toBe('invalid_target');
    const { url } = house.request({ clientId: 'service', params: { redirect_uri: 'https://service.example/cb' } });
    expect((await house.browser().call(url, { headers: { accept: 'text/html' } })).location).toBeUndefined();
  });
});

describe('introspection and revocation', () => {
  it('answer for tokens of the caller only', async () => {
    const tokens = await login('web');
    expect(await house.isActive('other', tokens.access_token)).toBe(false);
    expect((await house.post('/oidc/revoke', 'other', { token: tokens.access_token })).status).toBe(200);
    expect(await house.isActive('web', tokens.access_token)).toBe(true);
  });

  it('a public client may not introspect', async () => {
    const tokens = await login('spa');
    expect(await house.isActive('spa', tokens.access_token)).toBe(false);
    expect((await house.userinfo(tokens.access_token)).status).toBe(200);
  });

  it('a revoked refresh token takes all of its family with it', async () => {
    const tokens = await login('web');
    await house.post('/oidc/revoke', 'web', { token: tokens.refresh_token });
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);
    expect(errorOf(await house.refresh('web', tokens.refresh_token))).toBe('invalid_grant');
  });

  it('after a revocation the same session gets working tokens again', async () => {
    const browser = house.browser();
    const account = await house.person();
    const tokens = await house.tokens({ browser, clientId: 'web', account });
    await house.post('/oidc/revoke', 'web', { token: tokens.refresh_token });
    const again = await house.tokens({ browser, clientId: 'web', account });
    expect((await house.userinfo(again.access_token)).status).toBe(200);
  });
});

describe('a token for the admin API', () => {
  const admin = (account: Awaited<ReturnType<House['person']>>, scope: string) =>
    house.tokens({
      browser: house.browser(),
      clientId: 'admin',
      account,
      params: { scope, resource: house.adminResource },
    });

  it('of a person says who, what for and how fresh', async () => {
    const account = await house.person();
    const tokens = await admin(account, 'openid accounts:read accounts:write');
    expect(await house.verifyAdminToken(tokens.access_token)).toEqual({
      clientId: 'admin',
      accountId: account,
      scopes: new Set(['accounts:read']),
      authenticatedAt: new Date((claimsOf(tokens.id_token).auth_time as number) * 1000),
      acr: 'urn:asn:aal2',
      agency: undefined,
    });
  });

  it('of a service names its agency', async () => {
    const answer = await house.post('/oidc/token', 'service', {
      grant_type: 'client_credentials',
      resource: house.adminResource,
      scope: 'accounts:read',
    });
    expect(await house.verifyAdminToken(tokensOf(answer).access_token)).toEqual({
      clientId: 'service',
      accountId: undefined,
      scopes: new Set(['accounts:read']),
      authenticatedAt: undefined,
      acr: undefined,
      agency: '3300',
    });
  });

  it.each([
    ['its session has ended', 'DELETE FROM sso_sessions WHERE account_id = $1'],
    ['its grant was revoked', 'DELETE FROM oidc_grants WHERE account_id = $1'],
    ['the account is frozen', 'UPDATE accounts SET frozen_at = now() WHERE id = $1'],
    ['the credentials changed', 'UPDATE accounts SET cred_epoch = cred_epoch + 1 WHERE id = $1'],
  ])('is refused at the next call once %s', async (_, change) => {
    const account = await house.person();
    const { access_token: token } = await admin(account, 'openid accounts:read');
    expect(await house.verifyAdminToken(token)).toBeDefined();
    await house.db.query(change, [account]);
    expect(await house.verifyAdminToken(token)).toBeUndefined();
  });

  it('is refused after 10 minutes', async () => {
    const { access_token: token } = await admin(await house.person(), 'openid accounts:read');
    later(601);
    expect(await house.verifyAdminToken(token)).toBeUndefined();
  });

  it('bound to a key is refused without proof of the key', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const asked = await house.code({
      browser: house.browser(),
      clientId: 'admin',
      account: await house.person(),
      params: { scope: 'openid accounts:read', resource: house.adminResource },
    });
    const proof = await new SignJWT({ htm: 'POST', htu: house.address('/oidc/token'), jti: 'proof-1' })
      .setIssuedAt()
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .sign(privateKey);
    const { form } = await house.credentials('admin');
    const answer = await house.browser().call(house.address('/oidc/token'), {
      headers: { accept: 'application/json', dpop: proof },
      form: {
        ...form,
        grant_type: 'authorization_code',
        code: asked.code,
        code_verifier: asked.verifier,
        redirect_uri: asked.redirectUri,
      },
    });
    const tokens = tokensOf(answer);
    expect(tokens.token_type).toBe('DPoP');
    expect(await house.verifyAdminToken(tokens.access_token)).toBeUndefined();
  });

  it('is no other token', async () => {
    const tokens = await login('admin');
    const archive = await login('archive', { scope: 'openid read', resource: API });
    for (const token of [tokens.access_token, tokens.id_token, tokens.refresh_token, archive.access_token, '', 'x']) {
      expect(await house.verifyAdminToken(token)).toBeUndefined();
    }
  });

  it('is for registered clients only', async () => {
    const { url } = house.request({
      clientId: 'web',
      params: { scope: 'openid accounts:read', resource: house.adminResource },
    });
    expect(errorOf(await house.browser().call(url))).toBe('invalid_target');
  });
});
