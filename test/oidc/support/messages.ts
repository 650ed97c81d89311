import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, importJWK, SignJWT, type JWK, type JWTPayload } from 'jose';
import type { House, Request } from './house.js';
import { keyOf } from './registrations.js';

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

export interface RequestObject extends Request {
  readonly claims?: JWTPayload;
  readonly header?: { alg?: string; typ?: string; kid?: string };
  /** In place of the client's own key. */
  readonly key?: KeyObject;
}

/** An authorization request as a signed request object (RFC 9101), with what is beside it in the address. */
export async function signedRequest(
  house: House,
  { claims = {}, header = {}, key, ...request }: RequestObject,
): Promise<{ url: URL; object: string; verifier: string; redirectUri: string }> {
  const { url, verifier, redirectUri } = house.request(request);
  const now = nowSeconds();
  const object = await new SignJWT({
    ...Object.fromEntries(url.searchParams),
    iss: request.clientId,
    aud: house.issuer,
    iat: now,
    nbf: now,
    exp: now + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'oauth-authz-req+jwt', ...header })
    .sign(key ?? (await importJWK(keyOf(request.clientId) as JWK, 'ES256')));
  const asked = new URL(house.address('/oidc/auth'));
  asked.searchParams.set('client_id', request.clientId);
  asked.searchParams.set('request', object);
  return { url: asked, object, verifier, redirectUri };
}

/** A key of a client with which it makes proofs of possession (RFC 9449). */
export interface ProofKey {
  readonly jkt: string;
  proof(method: string, address: string, extra?: { claims?: JWTPayload; header?: object }): Promise<string>;
}

export async function proofKey(): Promise<ProofKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = await exportJWK(publicKey);
  return {
    jkt: await calculateJwkThumbprint(jwk),
    proof: (method, address, { claims = {}, header = {} } = {}) =>
      new SignJWT({ htm: method, htu: address, iat: nowSeconds(), jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
        .sign(privateKey),
  };
}
