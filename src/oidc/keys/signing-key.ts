import { createPrivateKey, createPublicKey, generateKeyPair, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { ExternalSigningKey } from 'oidc-provider';
import type { SealedBox } from '../../security/sealed-box.js';
import type { SealedPlace } from '../../security/sealed-place.js';
import type { NewKey, SigningKeyRow } from './signing-key-store.js';

/** ES256 for all, RS256 for the relying parties that register it (SECURITY.md 0.6). */
export const SIGNING_ALGS = ['ES256', 'RS256'] as const;
export type SigningAlg = (typeof SIGNING_ALGS)[number];

const generate = promisify(generateKeyPair);

/**
 * A signing key that signs in this thread with node:crypto: 0.03 ms for ES256, and not in the queue of the thread
 * pool behind the password hashes, where a signature waits 58 ms at peak (PERFORMANCE.md section 2). Without a private
 * half it only verifies.
 */
export class SigningKey extends ExternalSigningKey {
  readonly #private: KeyObject | undefined;
  readonly #public: KeyObject;
  readonly #kid: string;
  readonly #alg: SigningAlg;

  constructor(key: { kid: string; alg: SigningAlg; publicJwk: JsonWebKey; privateKey: KeyObject | undefined }) {
    super();
    this.#kid = key.kid;
    this.#alg = key.alg;
    this.#private = key.privateKey;
    this.#public = createPublicKey({ key: key.publicJwk, format: 'jwk' });
  }

  override get kid(): string {
    return this.#kid;
  }

  override get alg(): SigningAlg {
    return this.#alg;
  }

  override keyObject(): KeyObject {
    return this.#public;
  }

  override sign(data: Uint8Array): Buffer {
    if (this.#private === undefined) throw new Error('a key that signs no more was asked to');
    // RFC 7518 section 3.4: the two numbers side by side, not DER.
    return this.#alg === 'ES256'
      ? sign('sha256', data, { key: this.#private, dsaEncoding: 'ieee-p1363' })
      : sign('sha256', data, this.#private);
  }
}

export const SEALED_SIGNING_KEY: SealedPlace = {
  table: 'signing_keys',
  column: 'private_jwk',
  row: ['kid'],
  context: (kid = '') => `signing_keys|${kid}|private`,
};

/** Throws `SealBroken` when its private half does not open with the encryption keys given. */
export function openKey({ kid, alg, publicJwk, sealedPrivateJwk }: SigningKeyRow, box: SealedBox): SigningKey {
  const privateKey =
    sealedPrivateJwk === undefined
      ? undefined
      : createPrivateKey({
          key: JSON.parse(box.open(sealedPrivateJwk, SEALED_SIGNING_KEY.context(kid)).toString()) as JsonWebKey,
          format: 'jwk',
        });
  return new SigningKey({ kid, alg: alg as SigningAlg, publicJwk, privateKey });
}

/** A new key, named by its thumbprint (RFC 7638), its private half sealed. */
export async function makeKey(alg: SigningAlg, box: SealedBox): Promise<NewKey> {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 3072, publicExponent: 65_537 });
  const publicJwk = publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    alg,
    publicJwk,
    sealedPrivateJwk: box.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), SEALED_SIGNING_KEY.context(kid)),
  };
}
