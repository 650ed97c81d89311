import { createECDH, type JsonWebKey } from 'node:crypto';
import { createKeyedDigest } from '../security/digests.js';

/** The relying parties that this program plays itself in demo mode, below `/demo/<id>`. */
export const DEMO_CLIENT_IDS = ['myasn', 'siasn', 'sscasn', 'dms'];

/** Order of the curve P-256: private keys are below it (SEC 2, section 2.4.2). */
const ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

/**
 * The ES256 key of a sample relying party. Derived from a secret that all processes share, so that each of them can
 * be the relying party that another one has to recognise.
 */
export function demoKey(secret: Buffer, clientId: string): JsonWebKey {
  const derive = createKeyedDigest(secret);
  let attempt = 0;
  let scalar = derive('demo client key', clientId);
  // One in four billion is not a valid key.
  while (Buffer.compare(scalar, ORDER) >= 0) scalar = derive('demo client key', `${clientId}|${(attempt += 1)}`);
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  return {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: scalar.toString('base64url'),
    kid: `demo-${clientId}`,
    alg: 'ES256',
    use: 'sig',
  };
}

/** The registration of a sample relying party: as in the file, at addresses of this program, with its derived key. */
export function demoRegistration(
  registration: object,
  parts: { clientId: string; origin: string; key: JsonWebKey },
): object {
  const home = `${parts.origin}/demo/${parts.clientId}`;
  const { kty, crv, x, y, kid, alg, use } = parts.key;
  const rest: Record<string, unknown> = { ...registration };
  delete rest.jwks_uri;
  return {
    ...rest,
    token_endpoint_auth_method: 'private_key_jwt',
    redirect_uris: [`${home}/callback`],
    post_logout_redirect_uris: [home, `${home}/signed-out`],
    backchannel_logout_uri: `${home}/backchannel-logout`,
    backchannel_logout_session_required: true,
    jwks: { keys: [{ kty, crv, x, y, kid, alg, use }] },
    x: { ...(rest.x as object | undefined), launch_uri: home },
  };
}
