import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { logoutTokens, type ReadLogoutToken } from '#src/demo/logout-token.js';

// OpenID Connect Back-Channel Logout 1.0, section 2.6: what a relying party takes for a logout.
const ISSUER = 'https://sso.asn.example';
const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
const now = Math.floor(Date.now() / 1000);
const GOOD: JWTPayload = {
  iss: ISSUER,
  aud: 'myasn',
  sub: 'a-person',
  sid: 'a-session',
  iat: now,
  exp: now + 120,
  jti: 'once',
  events: EVENTS,
};

const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
const stranger = await generateKeyPair('ES256');
const published = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k1' };
const server = createServer((_, response) => response.end(JSON.stringify({ keys: [published] })));
let read: ReadLogoutToken;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  read = logoutTokens({ issuer: ISSUER, clientId: 'myasn', jwksUri: new URL(`http://127.0.0.1:${port}/`) });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const sign = (claims: JWTPayload, header: object = {}, key = privateKey): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'logout+jwt', ...header }).sign(key);
const without = (name: string): JWTPayload =>
  Object.fromEntries(Object.entries(GOOD).filter(([each]) => each !== name));

describe('a logout token', () => {
  it('tells which session ended', async () => {
    expect(await read(await sign(GOOD))).toEqual({
      sid: 'a-session',
      sub: 'a-person',
      jti: 'once',
      issuedAtSeconds: now,
    });
    expect(await read(await sign(without('sid')))).toMatchObject({ sid: undefined, sub: 'a-person' });
    expect(await read(await sign(without('sub')))).toMatchObject({ sid: 'a-session', sub: undefined });
  });

  it.each<[string, JWTPayload]>([
    ['of another issuer', { ...GOOD, iss: 'https://evil.example' }],
    ['for another client', { ...GOOD, aud: 'siasn' }],
    ['that is over', { ...GOOD, iat: now - 200, exp: now - 60 }],
    ['that would live for long', { ...GOOD, iat: now - 3600, exp: now + 3600 }],
    ['with a nonce', { ...GOOD, nonce: 'n' }],
    ['of another event', { ...GOOD, events: { 'https://schemas.openid.net/secevent/caep/event-type/x': {} } }],
    ['whose event is no object', { ...GOOD, events: { [Object.keys(EVENTS)[0] ?? '']: true } }],
    ['whose events are a list', { ...GOOD, events: Object.keys(EVENTS) }],
    ...['iss', 'aud', 'iat', 'exp', 'jti', 'events'].map((name): [string, JWTPayload] => [
      `without ${name}`,
      without(name),
    ]),
    ['about nobody', Object.fromEntries(Object.entries(GOOD).filter(([name]) => !['sub', 'sid'].includes(name)))],
  ])('%s is none', async (_, claims) => {
    expect(await read(await sign(claims))).toBeUndefined();
  });

  it('is none when it is an ID token, unsigned, or signed by a stranger (A31)', async () => {
    expect(await read(await sign(GOOD, { typ: 'JWT' }))).toBeUndefined();
    expect(await read(await sign(GOOD, { typ: undefined }))).toBeUndefined();
    expect(await read(await sign(GOOD, {}, stranger.privateKey))).toBeUndefined();
    expect(await read(new UnsecuredJWT(GOOD).encode())).toBeUndefined();
    for (const text of ['', 'a.b.c', 'x'.repeat(9000)]) expect(await read(text)).toBeUndefined();
  });
});
