import { createPublicKey, X509Certificate } from 'node:crypto';

interface Jwk {
  readonly kty: string;
  readonly use?: unknown;
  readonly alg?: unknown;
  readonly crv?: unknown;
  readonly x5c?: unknown;
}

/** The fields of a registration that keys of the client are needed for. */
export interface KeyFields {
  readonly token_endpoint_auth_method: string;
  readonly jwks?: { readonly keys: readonly Jwk[] } | undefined;
  readonly jwks_uri?: string | undefined;
  readonly request_object_signing_alg?: string | undefined;
  readonly require_signed_request_object?: boolean | undefined;
  readonly id_token_encrypted_response_alg?: string | undefined;
  readonly id_token_encrypted_response_enc?: string | undefined;
}

/** For which of its fields a client needs keys of its own. */
function* needsOf(client: KeyFields): Generator<string> {
  const { token_endpoint_auth_method: method } = client;
  if (method === 'private_key_jwt' || method === 'self_signed_tls_client_auth') yield method;
  if (client.request_object_signing_alg !== undefined) yield 'request_object_signing_alg';
  if (client.require_signed_request_object === true) yield 'require_signed_request_object';
  if (client.id_token_encrypted_response_alg !== undefined) yield 'id_token_encrypted_response_alg';
}

/** OpenID Connect Core section 10.2: a key for encryption, not one that says it is for something else. */
const fits = (alg: string, key: Jwk): boolean => {
  const usable = key.use === undefined || key.use === 'enc';
  const kinds = alg.startsWith('RSA') ? ['RSA'] : ['EC', 'OKP'];
  return usable && kinds.includes(key.kty) && key.crv !== 'Ed25519' && (key.alg === undefined || key.alg === alg);
};

/** Whether a key can be used as it stands: one that cannot would be found out at the first login. */
export function isPublicKey(jwk: Readonly<Record<string, unknown>>): boolean {
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
    return ['kid', 'alg', 'use'].every((name) => jwk[name] === undefined || typeof jwk[name] === 'string');
  } catch {
    return false;
  }
}

function isCertificate(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  try {
    return new X509Certificate(Buffer.from(value, 'base64')).raw.length > 0;
  } catch {
    return false;
  }
}

/** What is wrong with the keys of a registration, as a client needs them. */
export function* keyProblems(client: KeyFields): Generator<{ field: string; problem: string }> {
  const { jwks, jwks_uri: address, id_token_encrypted_response_alg: encryption } = client;
  const needs = [...needsOf(client)];
  if (jwks !== undefined && address !== undefined) {
    yield { field: 'jwks', problem: 'either jwks or jwks_uri, not both' };
  } else if (jwks === undefined && address === undefined && needs.length > 0) {
    yield { field: 'jwks', problem: `either jwks or jwks_uri is needed for ${needs.join(', ')}` };
  }
  if (encryption === undefined && client.id_token_encrypted_response_enc !== undefined) {
    yield { field: 'id_token_encrypted_response_enc', problem: 'needs id_token_encrypted_response_alg' };
  }
  if (jwks === undefined) return;
  if (encryption !== undefined && !jwks.keys.some((key) => fits(encryption, key))) {
    yield { field: 'jwks', problem: `holds no key to encrypt to with ${encryption}` };
  }
  if (client.token_endpoint_auth_method === 'self_signed_tls_client_auth') {
    const certificates = jwks.keys.flatMap(({ x5c }) => (Array.isArray(x5c) ? (x5c.slice(0, 1) as unknown[]) : []));
    if (certificates.length === 0 || !certificates.every(isCertificate)) {
      yield { field: 'jwks', problem: 'must hold the certificate as x5c for self_signed_tls_client_auth' };
    }
  }
}
