import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyRing } from './key-ring.js';

/**
 * Secrets at rest: AES-256-GCM under a key that is not in the database. The context (`table|row|purpose`)
 * is authenticated, so that a sealed value moved to another row does not open.
 */
export interface SealedBox {
  /** `v1.<kid>.<base64url of nonce, tag and ciphertext>`. */
  seal(plaintext: string | Buffer, context: string): string;
  /** Throws {@link SealBroken} when the key is missing, the value was changed or it belongs elsewhere. */
  open(sealed: string, context: string): Buffer;
}

export class SealBroken extends Error {
  constructor(reason: string) {
    super(`a sealed value does not open: ${reason}`);
    this.name = 'SealBroken';
  }
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export function createSealedBox(keys: KeyRing): SealedBox {
  return {
    seal(plaintext, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keys.current.bytes, nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return `v1.${keys.current.kid}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
    },
    open(sealed, context) {
      const [version, kid, encoded, ...rest] = sealed.split('.');
      if (version !== 'v1' || kid === undefined || encoded === undefined || rest.length > 0) {
        throw new SealBroken('unknown form');
      }
      const key = keys.find(kid);
      if (key === undefined) throw new SealBroken(`the key ${kid} is missing`);
      const bytes = Buffer.from(encoded, 'base64url');
      // Buffer passes over what is no base64url: one value must have one spelling.
      if (bytes.toString('base64url') !== encoded) throw new SealBroken('unknown form');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SealBroken('too short');
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      } catch {
        throw new SealBroken('it was changed or belongs elsewhere');
      }
    },
  };
}
