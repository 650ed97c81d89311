import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a random value of 128 bits or more: how ids and tokens are kept at rest (A32). */
export const digest = (value: string): Buffer => createHash('sha256').update(value).digest();

/**
 * HMAC-SHA-256 with a server key, for values that could be guessed from a plain digest: names, addresses,
 * mailed codes. Equal purpose and value give equal bytes.
 */
export type KeyedDigest = (purpose: string, value: string) => Buffer;

/** Makes the keyed digest of one server key; every purpose gets a key of its own (HKDF, RFC 5869). */
export function createKeyedDigest(key: Buffer): KeyedDigest {
  const keys = new Map<string, Buffer>();
  return (purpose, value) => {
    let derived = keys.get(purpose);
    if (derived === undefined) {
      derived = Buffer.from(hkdfSync('sha256', key, '', `sso-asn|${purpose}`, 32));
      keys.set(purpose, derived);
    }
    return createHmac('sha256', derived).update(value).digest();
  };
}

/** Compares without telling by its time where two values differ. */
export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
