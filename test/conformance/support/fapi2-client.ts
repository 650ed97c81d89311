import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { expect } from '@jest/globals';
import { importJWK, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client';
import { callbackOf, logInIfAsked, random, type Answer, type Suite, type Tokens, type Visit } from './suite.js';

/** A client as `config/conformance/fapi2.json` names it. */
export interface Fapi2Configuration {
  readonly client_id: string;
  readonly scope: string;
  readonly jwks: { readonly keys: readonly [JWK] };
}

type Claims = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string | undefined>>;

/** How a client assertion differs from a right one; `none` leaves it out. */
export type Assertion = Claims | 'none' | { readonly signedAs: 'RS256' };

export interface Key {
  readonly private: CryptoKey | KeyObject;
  readonly public: JWK;
  readonly alg: string;
}

export function newKey(alg: 'ES256' | 'RS256' = 'ES256'): Key {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { private: privateKey, public: publicKey.export({ format: 'jwk' }), alg };
}

/** How a proof of possession differs from a right one. */
export interface Proof {
  readonly key?: Key;
  readonly claims?: Claims;
  readonly header?: Claims;
}

/** What one request for tokens differs in. */
export interface Redemption {
  readonly assertion?: Assertion;
  readonly proof?: Proof | 'none';
  readonly form?: Parameters;
}

export interface Pushed {
  readonly requestUri: string;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  readonly expiresInSeconds: number;
}

const defined = (all: Parameters): Record<string, string> =>
  Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined));

/** Claims that are undefined are left out. */
const told = (claims: Claims): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** A client of the plan fapi2-security-profile-final with private_key_jwt and DPoP. */
export class Fapi2Client {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly dpop = newKey();
  readonly #suite: Suite;
  readonly #configuration: Fapi2Configuration;

  constructor(suite: Suite, configuration: Fapi2Configuration) {
    this.#suite = suite;
    this.#configuration = configuration;
    this.clientId = configuration.client_id;
    this.redirectUri = suite.redirectUri(this.clientId);
  }

  async #assertion(differs: Assertion): Promise<Parameters> {
    if (differs === 'none') return {};
    const [jwk] = this.#configuration.jwks.keys;
    const badly = 'signedAs' in differs;
    const now = nowSeconds();
    const claims = {
      iss: this.clientId,
      sub: this.clientId,
      aud: this.#suite.metadata.issuer,
      jti: randomUUID(),
      iat: now,
      exp: now + 60,
      ...(badly ? {} : differs),
    };
    const signed = await new SignJWT(told(claims))
      .setProtectedHeader({ alg: badly ? 'RS256' : 'ES256', kid: jwk.kid ?? '' })
      .sign(badly ? newKey('RS256').private : await importJWK(jwk, 'ES256'));
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signed,
    };
  }

  /** A DPoP proof (RFC 9449) for one request. */
  async proof(method: string, address: string, token?: string, differs: Proof = {}): Promise<string> {
    const key = differs.key ?? this.dpop;
    const ath = token === undefined ? undefined : createHash('sha256').update(token).digest('base64url');
    const claims = { jti: randomUUID(), htm: method, htu: address, iat: nowSeconds(), ath, ...differs.claims };
    const header = told({ typ: 'dpop+jwt', alg: key.alg, jwk: key.public, ...differs.header });
    return new SignJWT(told(claims)).setProtectedHeader(header as { alg: string }).sign(key.private);
  }

  /** A pushed authorization request (RFC 9126), as it is answered. */
  async push(
    parameters: Parameters = {},
    { assertion = {}, proof }: { assertion?: Assertion; proof?: Proof } = {},
  ): Promise<{ readonly answer: Answer; readonly pushed: Pushed }> {
    const verifier = randomPKCECodeVerifier();
    const [state, nonce] = [random(), random()];
    const all: Parameters = {
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      scope: this.#configuration.scope,
      response_type: 'code',
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...parameters,
      ...(await this.#assertion(assertion)),
    };
    const address = this.#suite.metadata.pushed_authorization_request_endpoint;
    const headers = proof === undefined ? {} : { dpop: await this.proof('POST', address, undefined, proof) };
    const answer = await this.#suite.post(address, defined(all), headers);
    const { request_uri: requestUri, expires_in: expiresInSeconds } = answer.body as {
      request_uri: string;
      expires_in: number;
    };
    return { answer, pushed: { requestUri, expiresInSeconds, verifier, state, nonce } };
  }

  /** The browser goes with the pushed request, and only what RFC 9126 wants beside it. */
  async open({ browser }: Visit, { requestUri }: Pick<Pushed, 'requestUri'>, more: Parameters = {}): Promise<void> {
    const url = new URL(this.#suite.metadata.authorization_endpoint);
    url.search = new URLSearchParams(
      defined({ client_id: this.clientId, request_uri: requestUri, ...more }),
    ).toString();
    await browser.get(url.href);
  }

  /** What came back; it must have. */
  callback(visit: Visit): URLSearchParams {
    const callback = callbackOf(visit, this.redirectUri.split('?')[0] ?? '');
    if (callback === undefined) throw new Error(`nothing came back, but ${String(visit.browser.shown.page)}`);
    expect(callback.get('iss')).toBe(this.#suite.metadata.issuer);
    // What stands in the registered address comes back with the answer.
    for (const [name, value] of new URL(this.redirectUri).searchParams) expect(callback.get(name)).toBe(value);
    return callback;
  }

  /** Pushes, logs in, and answers the code. */
  async authorize(
    visit: Visit,
    parameters: Parameters = {},
    how: { proof?: Proof; more?: Parameters } = {},
  ): Promise<Pushed & { readonly code: string }> {
    const { answer, pushed } = await this.push(parameters, how.proof === undefined ? {} : { proof: how.proof });
    expect(answer).toMatchObject({ status: 201, body: { request_uri: expect.stringMatching(/^urn:/) } });
    await this.open(visit, pushed, how.more);
    await logInIfAsked(this.#suite, visit);
    const callback = this.callback(visit);
    const state = 'state' in parameters ? (parameters.state ?? null) : pushed.state;
    expect(callback.get('state')).toBe(state);
    return { ...pushed, code: callback.get('code') ?? '' };
  }

  async #askToken(form: Parameters, { assertion = {}, proof = {}, form: differs }: Redemption): Promise<Answer> {
    const address = this.#suite.metadata.token_endpoint;
    const all = { client_id: this.clientId, ...form, ...(await this.#assertion(assertion)), ...differs };
    const headers = proof === 'none' ? {} : { dpop: await this.proof('POST', address, undefined, proof) };
    return this.#suite.post(address, defined(all), headers);
  }

  redeem({ code, verifier }: { code: string; verifier: string }, redemption: Redemption = {}): Promise<Answer> {
    const { redirectUri } = this;
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
    return this.#askToken(form, redemption);
  }

  refresh(refreshToken: string, redemption: Redemption = {}): Promise<Answer> {
    return this.#askToken({ grant_type: 'refresh_token', refresh_token: refreshToken }, redemption);
  }

  /** The protected resource of the plan: userinfo. */
  async resource(token: string, differs: Proof = {}, scheme = 'DPoP'): Promise<Answer> {
    const { userinfo_endpoint: address } = this.#suite.metadata;
    const dpop = await this.proof('GET', address, token, differs);
    return this.#suite.get(address, { authorization: `${scheme} ${token}`, dpop });
  }

  /** From the push to tokens that were verified and work at the resource. */
  async logIn(visit: Visit, parameters: Parameters = {}, how: { proof?: Proof; more?: Parameters } = {}) {
    const begun = await this.authorize(visit, parameters, how);
    const answer = await this.redeem(begun);
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    const tokens = answer.body as unknown as Tokens;
    const { payload: claims, protectedHeader } = await this.#suite.verify(tokens.id_token, this.clientId);
    expect(protectedHeader.alg).toBe('ES256');
    expect(claims.sub).toBe(visit.person.id);
    expect(claims.nonce).toBe('nonce' in parameters ? parameters.nonce : begun.nonce);
    expect(claims).not.toHaveProperty('s_hash');
    expect(await this.resource(tokens.access_token)).toMatchObject({ status: 200, body: { sub: claims.sub } });
    return { ...begun, tokens, claims };
  }
}
