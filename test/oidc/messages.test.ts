import { createHash, createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  compactDecrypt,
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  jwtVerify,
  UnsecuredJWT,
  type CompactJWEHeaderParameters,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';
import type { Answer, Browser } from './support/browser.js';
import { claimsOf, errorOf, House, resetTime, setTime, tokensOf } from './support/house.js';
import { proofKey, signedRequest, type ProofKey } from './support/messages.js';
import { keyOf } from './support/registrations.js';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ENCRYPTED = [
  ['RSA-OAEP-256', 'A256GCM', RSA],
  ['RSA-OAEP-256', 'A128CBC-HS256', RSA],
  ['ECDH-ES', 'A256GCM', EC],
  ['ECDH-ES+A256KW', 'A128CBC-HS256', EC],
] as const;

let house: House;
let keySet: ReturnType<typeof createLocalJWKSet>;
beforeAll(async () => {
  const registration = (id: string, rest: object): object => ({
    client_id: id,
    client_name: `Client ${id}`,
    redirect_uris: [`https://${id}.example/cb`],
    post_logout_redirect_uris: [`https://${id}.example/bye`],
    ...rest,
  });
  const signingKey = await publicHalf('rsa');
  house = await House.open({
    clients: [
      registration('rsa', {
        jwks: { keys: [signingKey, { ...(await exportJWK(RSA.publicKey)), kid: 'rsa', use: 'sig' }] },
        request_object_signing_alg: 'RS256',
        response_modes: ['query.jwt'],
        authorization_signed_response_alg: 'RS256',
      }),
      registration('pss', { jwks: { keys: [signingKey, { ...(await exportJWK(RSA.publicKey)), use: 'sig' }] } }),
      ...(await Promise.all(
        ENCRYPTED.map(async ([alg, enc, { publicKey }], index) =>
          registration(`sealed-${index}`, {
            jwks: {
              keys: [await publicHalf(`sealed-${index}`), { ...(await exportJWK(publicKey)), use: 'enc', kid: 'e' }],
            },
            id_token_encrypted_response_alg: alg,
            id_token_encrypted_response_enc: enc,
          }),
        ),
      )),
    ],
  });
  const answer = await house.browser().call(house.address('/oidc/jwks'));
  keySet = createLocalJWKSet(JSON.parse(answer.body) as JSONWebKeySet);
});
afterAll(() => house.close());
afterEach(resetTime);

const publicHalf = async (clientId: string): Promise<object> =>
  exportJWK(createPublicKey({ key: keyOf(clientId), format: 'jwk' }));

const signedIn = async (): Promise<Browser> => {
  const browser = house.browser();
  await house.tokens({ browser, clientId: 'web', account: await house.person() });
  return browser;
};
const later = (seconds: number): void => {
  setTime(new Date(Date.now() + seconds * 1000));
};
const now = (): number => Math.floor(Date.now() / 1000);
const push = async (clientId: string, fields: Record<string, string>): Promise<Answer> =>
  house.post('/oidc/par', clientId, fields);
const uriOf = (answer: Answer): string => (JSON.parse(answer.body) as { request_uri: string }).request_uri;
const opened = (clientId: string, uri: string): URL =>
  new URL(house.address(`/oidc/auth?client_id=${clientId}&request_uri=${encodeURIComponent(uri)}`));

describe('a signed request (RFC 9101)', () => {
  it('ends in tokens, and nothing beside it counts', async () => {
    const browser = await signedIn();
    const asked = await signedRequest(house, { clientId: 'signed' });
    asked.url.searchParams.set('state', 'planted');
    asked.url.searchParams.set('scope', 'openid');
    asked.url.searchParams.set('redirect_uri', 'https://signed.example/cb');
    const answer = await browser.call(asked.url);
    const { searchParams } = answer.redirect();
    expect([searchParams.get('state'), searchParams.get('iss')]).toEqual(['state-1', house.issuer]);
    const tokens = tokensOf(await house.redeem('signed', { ...asked, code: searchParams.get('code') ?? '' }));
    expect(tokens.scope).toBe('openid profile email asn');
  });

  it('is demanded of whom registered it, also at the pushed-request endpoint', async () => {
    const plain = house.request({ clientId: 'signed' });
    expect(errorOf(await house.browser().call(plain.url))).toBe('invalid_request');
    const pushed = await push('signed', Object.fromEntries(plain.url.searchParams));
    expect([pushed.status, errorOf(pushed)]).toEqual([400, 'invalid_request']);
  });

  it('may be pushed, too', async () => {
    const browser = await signedIn();
    const asked = await signedRequest(house, { clientId: 'signed' });
    const uri = uriOf(await push('signed', { request: asked.object }));
    const { searchParams } = (await browser.call(opened('signed', uri))).redirect();
    expect(tokensOf(await house.redeem('signed', { ...asked, code: searchParams.get('code') ?? '' }))).toBeDefined();
  });

  it.each([
    ['rsa', 'RS256'],
    ['rsa', 'PS256'],
    ['pss', 'PS256'],
    ['pss', 'RS256'],
  ])('of %s with %s is taken as it is registered', async (clientId, alg) => {
    const params = clientId === 'rsa' ? { response_mode: 'query.jwt' } : {};
    const asked = await signedRequest(house, { clientId, params, header: { alg }, key: RSA.privateKey });
    const answer = await house.browser().call(asked.url);
    const isTaken = (clientId === 'rsa') === (alg === 'RS256');
    expect([answer.status, errorOf(answer)]).toEqual(isTaken ? [303, undefined] : [400, 'invalid_request_object']);
  });

  it.each<[string, { claims?: JWTPayload; header?: object }]>([
    ['for another audience', { claims: { aud: 'https://other.example' } }],
    ['for the authorization endpoint', { claims: { aud: 'https://sso.asn.example/oidc/auth' } }],
    ['for several', { claims: { aud: ['https://sso.asn.example', 'https://other.example'] } }],
    ['for nobody', { claims: { aud: undefined as never } }],
    ['of another issuer', { claims: { iss: 'web' } }],
    ['of no issuer', { claims: { iss: undefined as never } }],
    ['without end', { claims: { exp: undefined as never } }],
    ['that is over', { claims: { exp: now() - 20 } }],
    ['that lives too long', { claims: { exp: now() + 3600 } }],
    ['not yet good', { claims: { nbf: now() + 60 } }],
    ['from the future', { claims: { iat: now() + 60 } }],
    ['that is a client assertion', { claims: { sub: 'signed' } }],
    ['of another kind', { header: { typ: 'at+jwt' } }],
    ['for another client', { claims: { client_id: 'web' } }],
    ['with a request in it', { claims: { request: 'x' } }],
    ['with a request_uri in it', { claims: { request_uri: 'urn:x' } }],
    ['with a key that is not there', { header: { kid: 'elsewhere' } }],
  ])('%s is refused, whichever way it comes', async (_, change) => {
    const asked = await signedRequest(house, { clientId: 'signed', ...change });
    const answer = await house.browser().call(asked.url);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
    expect(errorOf(answer)).toMatch(/^invalid_request/);
    const pushed = await push('signed', { request: asked.object });
    expect([pushed.status, errorOf(pushed)]).toEqual([400, expect.stringMatching(/^invalid_request/)]);
  });

  it('unsigned, with a secret or with another key is refused', async () => {
    const { object } = await signedRequest(house, { clientId: 'signed' });
    const claims = claimsOf(object);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const symmetric = `${part({ alg: 'HS256' })}.${part(claims)}`;
    const others = [
      new UnsecuredJWT(claims).encode(),
      `${symmetric}.${createHmac('sha256', 'kept as a digest only').update(symmetric).digest('base64url')}`,
      (await signedRequest(house, { clientId: 'signed', key: EC.privateKey })).object,
      `${object.slice(0, -4)}AAAA`,
      `${part({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })}.a.b.c.d`,
    ];
    for (const request of others) {
      const url = new URL(house.address('/oidc/auth'));
      url.search = new URLSearchParams({ client_id: 'signed', request }).toString();
      const answer = await house.browser().call(url);
      expect([answer.status, answer.location, errorOf(answer)]).toEqual([400, undefined, 'invalid_request_object']);
    }
  });

  it('at an address of the client is not fetched', async () => {
    const url = new URL(house.address('/oidc/auth?client_id=web&request_uri=https%3A%2F%2Fweb.example%2Frequest'));
    const answer = await house.browser().call(url);
    expect([answer.status, answer.location, errorOf(answer)]).toEqual([400, undefined, 'request_uri_not_supported']);
  });
});

describe('a signed answer (JARM)', () => {
  const readAnswer = async (jwt: string, clientId: string, alg = 'ES256'): Promise<JWTPayload> => {
    const { payload } = await jwtVerify(jwt, keySet, { issuer: house.issuer, audience: clientId, algorithms: [alg] });
    expect((payload.exp ?? 0) - now()).toBeLessThanOrEqual(120);
    return payload;
  };

  it.each(['jwt', 'query.jwt', 'fragment.jwt'])('comes in the mode %s', async (mode) => {
    const browser = await signedIn();
    const asked = house.request({ clientId: 'jarm', params: { response_mode: mode } });
    const to = (await browser.call(asked.url)).redirect();
    const fields = mode === 'fragment.jwt' ? new URLSearchParams(to.hash.slice(1)) : to.searchParams;
    expect([...fields.keys()]).toEqual(['response']);
    const answer = await readAnswer(fields.get('response') ?? '', 'jarm');
    expect(answer).toMatchObject({ iss: house.issuer, aud: 'jarm', state: 'state-1', code: expect.any(String) });
    expect(tokensOf(await house.redeem('jarm', { ...asked, code: String(answer.code) }))).toBeDefined();
  });

  it('comes in a form', async () => {
    const browser = await signedIn();
    const { url } = house.request({ clientId: 'jarm', params: { response_mode: 'form_post.jwt' } });
    const page = await browser.call(url);
    const jwt = /name="response" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    expect(await readAnswer(jwt, 'jarm')).toMatchObject({ code: expect.any(String), state: 'state-1' });
  });

  it('is signed with RS256 where it is registered', async () => {
    const browser = await signedIn();
    const asked = await signedRequest(house, {
      clientId: 'rsa',
      params: { response_mode: 'query.jwt' },
      header: { alg: 'RS256' },
      key: RSA.privateKey,
    });
    const to = (await browser.call(asked.url)).redirect();
    expect(await readAnswer(to.searchParams.get('response') ?? '', 'rsa', 'RS256')).toMatchObject({ aud: 'rsa' });
  });

  it('tells errors as well', async () => {
    const { url } = house.request({ clientId: 'jarm', params: { response_mode: 'query.jwt', prompt: 'none' } });
    const to = (await house.browser().call(url)).redirect();
    expect(await readAnswer(to.searchParams.get('response') ?? '', 'jarm')).toMatchObject({
      error: 'login_required',
      state: 'state-1',
    });
  });

  it.each([
    ['web', 'query.jwt'],
    ['web', 'jwt'],
    ['web', 'fragment'],
    ['jarm', 'query'],
    ['jarm', 'form_post'],
    ['rsa', 'jwt'],
    ['spa', 'fragment.jwt'],
    ['web', 'web_message'],
  ])('%s gets none in the mode %s, for which it is not registered', async (clientId, mode) => {
    const browser = await signedIn();
    const answer = await browser.call(house.request({ clientId, params: { response_mode: mode } }).url);
    expect([answer.status, answer.location]).toEqual([400, undefined]);
    expect(errorOf(answer)).toMatch(/^(?:invalid_request|unsupported_response_mode)$/);
  });

  it('is not even an error of a silent request, for whom it is not registered', async () => {
    const { url } = house.request({ clientId: 'web', params: { response_mode: 'query.jwt', prompt: 'none' } });
    const { origin, searchParams } = (await house.browser().call(url)).redirect();
    expect([origin, [...searchParams.keys()].sort()]).toEqual([
      'https://web.example',
      ['error', 'error_description', 'iss', 'state'],
    ]);
  });
});

describe('an encrypted ID token', () => {
  it.each(ENCRYPTED.map((each, index) => [...each, `sealed-${index}`] as const))(
    'with %s and %s is for the client alone, and signed inside',
    async (alg, enc, { privateKey }, clientId) => {
      const tokens = await house.tokens({ browser: house.browser(), clientId, account: await house.person() });
      const header = decodeProtectedHeader(tokens.id_token) as CompactJWEHeaderParameters;
      expect(header).toMatchObject({ alg, enc, cty: 'JWT', kid: 'e', iss: house.issuer, aud: clientId });
      const { plaintext } = await compactDecrypt(tokens.id_token, privateKey);
      const { payload } = await jwtVerify(Buffer.from(plaintext).toString(), keySet, {
        issuer: house.issuer,
        audience: clientId,
        algorithms: ['ES256'],
      });
      expect(payload).toMatchObject({ acr: 'urn:asn:aal2', nonce: 'nonce-1', sid: expect.any(String) });
    },
  );

  it('logs out as the hint that is inside it; as it is, it is no hint, and the person is asked', async () => {
    const browser = house.browser();
    const tokens = await house.tokens({ browser, clientId: 'sealed-2', account: await house.person() });
    const inside = Buffer.from((await compactDecrypt(tokens.id_token, EC.privateKey)).plaintext).toString();
    const logout = (hint: string): URL => {
      const url = new URL(house.address('/oidc/logout'));
      url.search = new URLSearchParams({
        id_token_hint: hint,
        client_id: 'sealed-2',
        post_logout_redirect_uri: 'https://sealed-2.example/bye',
      }).toString();
      return url;
    };
    const sealed = await browser.call(logout(tokens.id_token));
    expect([sealed.status, sealed.location]).toEqual([200, undefined]);
    expect(sealed.body).toContain('data-page="sign-out/confirm"');
    const plain = await browser.call(logout(inside));
    expect(plain.body).toContain('data-page="sign-out/confirm"');
    expect(plain.body).toContain('Client sealed-2');
  });
});

describe('a client of the profile fapi2', () => {
  const tokenAddress = (): string => house.address('/oidc/token');

  /** A code that is bound to a key by the proof beside its pushed request (RFC 9449 section 10). */
  const codeFor = async (key: ProofKey): Promise<(dpop?: string) => Promise<Answer>> => {
    const asked = house.request({ clientId: 'fapi' });
    const pushed = await house.browser().call(house.address('/oidc/par'), {
      headers: { accept: 'application/json', dpop: await key.proof('POST', house.address('/oidc/par')) },
      form: { ...Object.fromEntries(asked.url.searchParams), ...(await house.credentials('fapi')).form },
    });
    expect(JSON.parse(pushed.body)).toMatchObject({ expires_in: 60 });
    const { searchParams } = (await (await signedIn()).call(opened('fapi', uriOf(pushed)))).redirect();
    expect(searchParams.get('iss')).toBe(house.issuer);
    return async (dpop) =>
      house.browser().call(tokenAddress(), {
        headers: { accept: 'application/json', ...(dpop === undefined ? {} : { dpop }) },
        form: {
          grant_type: 'authorization_code',
          code: searchParams.get('code') ?? '',
          code_verifier: asked.verifier,
          redirect_uri: asked.redirectUri,
          ...(await house.credentials('fapi')).form,
        },
      });
  };

  it('has to push its request', async () => {
    const direct = await house.browser().call(house.request({ clientId: 'fapi' }).url);
    expect([direct.status, direct.location, errorOf(direct)]).toEqual([400, undefined, 'invalid_request']);
  });

  it('gets nothing without its key', async () => {
    const key = await proofKey();
    expect(errorOf(await (await codeFor(key))())).toBe('invalid_grant');
    const other = await (await proofKey()).proof('POST', tokenAddress());
    expect(errorOf(await (await codeFor(key))(other))).toBe('invalid_grant');
  });

  it('gets tokens bound to its key', async () => {
    const key = await proofKey();
    const redeem = await codeFor(key);
    const tokens = tokensOf(await redeem(await key.proof('POST', tokenAddress())));
    expect(tokens.token_type).toBe('DPoP');
    expect((await house.userinfo(tokens.access_token)).status).toBe(401);

    const userinfo = house.address('/oidc/userinfo');
    const ath = createHash('sha256').update(tokens.access_token).digest('base64url');
    const answer = await house.browser().call(userinfo, {
      headers: {
        authorization: `DPoP ${tokens.access_token}`,
        dpop: await key.proof('GET', userinfo, { claims: { ath } }),
      },
    });
    expect(answer.status).toBe(200);

    const refreshed = await house.browser().call(tokenAddress(), {
      headers: { accept: 'application/json', dpop: await key.proof('POST', tokenAddress()) },
      form: {
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
        ...(await house.credentials('fapi')).form,
      },
    });
    expect(tokensOf(refreshed).refresh_token).toBe(tokens.refresh_token);
  });

  it.each([
    ['no challenge', { code_challenge: undefined, code_challenge_method: undefined }],
    ['a plain one', { code_challenge_method: 'plain' }],
    ['no redirect address', { redirect_uri: undefined }],
    ['another one', { redirect_uri: 'https://evil.example/cb' }],
    ['another response type', { response_type: 'code id_token' }],
  ])('is refused with %s', async (_, params) => {
    const { url } = house.request({ clientId: 'fapi', params });
    const answer = await push('fapi', Object.fromEntries(url.searchParams));
    expect(answer.status).toBe(400);
  });

  it('is refused with an assertion for the token endpoint, and forgiven a clock that is ten seconds ahead', async () => {
    const fields = Object.fromEntries(house.request({ clientId: 'fapi' }).url.searchParams);
    const pushWith = async (claims: JWTPayload): Promise<number> => {
      const assertion = await house.assertion('fapi', claims);
      const form = {
        ...fields,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      };
      return (await house.browser().call(house.address('/oidc/par'), { form })).status;
    };
    expect(await pushWith({ aud: tokenAddress() })).toBe(401);
    expect(await pushWith({ aud: [house.issuer] as never })).toBe(401);
    expect(await pushWith({ iat: now() + 9, nbf: now() + 9, exp: now() + 60 })).toBe(201);
    expect(await pushWith({ iat: now() + 61, exp: now() + 65 })).toBe(401);
    expect(await pushWith({ nbf: now() + 61, exp: now() + 65 })).toBe(401);
  });

  it('has 60 seconds for its code', async () => {
    const key = await proofKey();
    const redeem = await codeFor(key);
    later(61);
    expect(errorOf(await redeem(await key.proof('POST', tokenAddress())))).toBe('invalid_grant');
  });
});

describe('a proof of possession', () => {
  const send = async (at: House, dpop: string): Promise<Answer> =>
    at.browser().call(at.address('/oidc/token'), {
      headers: { accept: 'application/json', dpop },
      form: { grant_type: 'client_credentials', ...(await at.credentials('service')).form },
    });

  it('is good once, whichever process sees it, at the same moment or later', async () => {
    const second = await House.open({ url: house.url });
    const key = await proofKey();
    const proof = await key.proof('POST', house.address('/oidc/token'));
    const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => send(i % 2 === 0 ? house : second, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => errorOf(answer) === 'invalid_grant')).toHaveLength(15);
    await second.close();
  });

  it('of a clock that runs ahead stays used for as long as it would be taken', async () => {
    const key = await proofKey();
    const claims = { iat: now() + 55 };
    const proof = await key.proof('POST', house.address('/oidc/token'), { claims });
    expect((await send(house, proof)).status).toBe(200);
    later(100);
    // As the purge does, every minute.
    await house.db.query('DELETE FROM oidc_replays WHERE expires_at < $1', [new Date()]);
    expect(errorOf(await send(house, proof))).toBe('invalid_grant');
  });
});
