import { createHash, generateKeyPairSync, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { importJWK, SignJWT, type JWK } from 'jose';
import type { Answer, Visitor } from './visitor.js';

const REDIRECT_URI = 'http://127.0.0.1:9/callback';
const SECRET = 'a-shared-secret-of-forty-characters-long';

const pair = (): { privateKey: KeyObject; publicKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey, publicKey } = pair();

/** A client with a shared secret, whose refresh tokens rotate at every use (R-17). */
export const ROTATING = 'rotating';
/** A client with a key of its own, which pushes its requests (R-18). */
export const SIGNING = 'signing';

/** As they stand in a clients file. */
export const REGISTRATIONS: readonly object[] = [
  {
    client_id: ROTATING,
    client_name: 'Layanan Uji',
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: SECRET,
    grant_types: ['authorization_code', 'refresh_token'],
  },
  {
    client_id: SIGNING,
    client_name: 'Layanan Bertanda Tangan',
    redirect_uris: [REDIRECT_URI],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'signing' }] },
    grant_types: ['authorization_code', 'refresh_token'],
  },
];

export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
}

/** A new authorization request and what redeems its code. */
export interface AuthorizationRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly verifier: string;
}

export function authorizationRequest(
  clientId = ROTATING,
  more: Readonly<Record<string, string>> = {},
): AuthorizationRequest {
  const verifier = randomBytes(32).toString('base64url');
  const params = {
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile',
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  };
  return { path: `/oidc/auth?${new URLSearchParams(params).toString()}`, params, verifier };
}

/** The code in the redirect that ends an authorization request; undefined when it ended otherwise. */
export function codeIn({ location }: Answer): string | undefined {
  if (location?.startsWith(REDIRECT_URI) !== true) return undefined;
  return new URL(location).searchParams.get('code') ?? undefined;
}

export const tokensIn = (answer: Answer): Tokens => JSON.parse(answer.body) as Tokens;

/** The OAuth error code of an answer, as JSON or in a redirect. */
export function errorIn({ body, location }: Answer): string | undefined {
  if (location !== undefined) return new URL(location, REDIRECT_URI).searchParams.get('error') ?? undefined;
  return /"error":"([a-z_]+)"/.exec(body)?.[1];
}

const basic = { authorization: `Basic ${Buffer.from(`${ROTATING}:${SECRET}`).toString('base64')}` };

/** The back channel of the rotating client. */
export const rotating = {
  redeem: (channel: Visitor, { code, verifier }: { code: string; verifier: string }, port?: number): Promise<Answer> =>
    channel.ask('/oidc/token', {
      form: { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier },
      headers: basic,
      ...(port === undefined ? {} : { port }),
    }),
  refresh: (channel: Visitor, refreshToken: string, port?: number): Promise<Answer> =>
    channel.ask('/oidc/token', {
      form: { grant_type: 'refresh_token', refresh_token: refreshToken },
      headers: basic,
      ...(port === undefined ? {} : { port }),
    }),
};

export const userinfo = (channel: Visitor, { access_token: token }: Tokens): Promise<Answer> =>
  channel.ask('/oidc/userinfo', { headers: { authorization: `Bearer ${token}` } });

/** A client assertion of the signing client (RFC 7523), for one use. */
export async function assertion(issuer: string): Promise<string> {
  const key = await importJWK(privateKey.export({ format: 'jwk' }) as JWK, 'ES256');
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'signing' })
    .setIssuer(SIGNING)
    .setSubject(SIGNING)
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('55s')
    .sign(key);
}

/** Pushes an authorization request of the signing client (RFC 9126). */
export const push = (
  channel: Visitor,
  { request, proof, port }: { request: AuthorizationRequest; proof: string; port?: number },
): Promise<Answer> =>
  channel.ask('/oidc/par', {
    form: {
      ...request.params,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: proof,
    },
    ...(port === undefined ? {} : { port }),
  });
