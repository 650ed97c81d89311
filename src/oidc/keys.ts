import { createPrivateKey, createPublicKey, generateKeyPair, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { ExternalSigningKey } from 'oidc-provider';
import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { SealedBox } from '../security/sealed-box.js';
import type { Database } from '../storage/database.js';
import { signingKeyStore, type SigningKeyRow } from './signing-key-store.js';

/** ES256 for all, RS256 for the relying parties that register it (SECURITY.md 0.6). */
export const SIGNING_ALGS = ['ES256', 'RS256'] as const;
export type SigningAlg = (typeof SIGNING_ALGS)[number];

const generate = promisify(generateKeyPair);

/**
 * A signing key that signs in this thread with node:crypto: 0.03 ms for ES256, and not in the queue of the thread
 * pool behind the password hashes, where a signature waits 58 ms at peak (PERFORMANCE.md section 2).
 */
class SigningKey extends ExternalSigningKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #kid: string;
  readonly #alg: SigningAlg;

  constructor(key: { kid: string; alg: SigningAlg; privateKey: KeyObject }) {
    super();
    this.#kid = key.kid;
    this.#alg = key.alg;
    this.#private = key.privateKey;
    this.#public = createPublicKey(key.privateKey);
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
    // RFC 7518 section 3.4: the two numbers side by side, not DER.
    return this.#alg === 'ES256'
      ? sign('sha256', data, { key: this.#private, dsaEncoding: 'ieee-p1363' })
      : sign('sha256', data, this.#private);
  }
}

export interface KeyParts {
  readonly db: Database;
  readonly box: SealedBox;
  readonly clock: Clock;
  readonly audit: Audit;
}

const context = (kid: string): string => `signing_keys|${kid}|private`;

function open(row: SigningKeyRow, box: SealedBox): SigningKey {
  const jwk = JSON.parse(box.open(row.sealedPrivateJwk, context(row.kid)).toString()) as JsonWebKey;
  return new SigningKey({
    kid: row.kid,
    alg: row.alg as SigningAlg,
    privateKey: createPrivateKey({ key: jwk, format: 'jwk' }),
  });
}

async function make(alg: SigningAlg, box: SealedBox): Promise<Omit<SigningKeyRow, 'status'>> {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 3072, publicExponent: 65_537 });
  const publicJwk = publicKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint(publicJwk);
  return {
    kid,
    alg,
    publicJwk: publicJwk,
    sealedPrivateJwk: box.seal(JSON.stringify(privateKey.export({ format: 'jwk' })), context(kid)),
  };
}

/**
 * The signing keys, those in use first, then the ones only published. Made at the first start, once, whichever of
 * several processes comes first. Throws when a key does not open with the encryption keys given.
 */
export async function loadSigningKeys({ db, box, clock, audit }: KeyParts): Promise<readonly ExternalSigningKey[]> {
  const store = signingKeyStore(db);
  const signing = new Set((await store.list()).filter((key) => key.status === 'signing').map((key) => key.alg));
  for (const alg of SIGNING_ALGS.filter((each) => !signing.has(each))) {
    const key = await make(alg, box);
    await db.transaction(async (tx) => {
      if (await signingKeyStore(tx).insertSigning(key, clock.now())) {
        await audit.record(tx, { type: 'key.generated', detail: { kid: key.kid, alg } });
      }
    });
  }
  return (await store.list()).map((row) => open(row, box));
}

/** A JWT in compact form (RFC 7519), signed by the key that is in use for the algorithm. Throws when there is none. */
export async function signJwt(
  keys: readonly ExternalSigningKey[],
  { alg, typ, claims }: { alg: SigningAlg; typ: string; claims: object },
): Promise<string> {
  const key = keys.find((each) => each.alg === alg);
  if (key === undefined) throw new Error(`no key signs with ${alg}`);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg, typ, kid: key.kid })}.${part(claims)}`;
  const signature = await key.sign(Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}
