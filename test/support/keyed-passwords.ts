import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Passwords } from '#src/security/passwords.js';

/**
 * A real keyed, salted hash, and a fast one: HMAC-SHA-256. For tests that change passwords ten thousand times and
 * ask what may change them, not how they are kept.
 */
export function keyedPasswords(): Passwords {
  const key = randomBytes(32);
  const mac = (salt: string, secret: string): Buffer =>
    createHmac('sha256', key)
      .update(`${salt}|${secret.normalize('NFKC')}`)
      .digest();
  return {
    hash(password) {
      const salt = randomBytes(12).toString('base64url');
      return Promise.resolve(`$hmac$${salt}$${mac(salt, password).toString('base64url')}`);
    },
    verify(stored, password) {
      const [, , salt = '', expected = ''] = (stored ?? '$hmac$$').split('$');
      const actual = mac(salt, password);
      const same = Buffer.from(expected, 'base64url');
      const matches = stored !== undefined && same.length === actual.length && timingSafeEqual(same, actual);
      return Promise.resolve(matches ? { kind: 'match', outdated: false } : { kind: 'mismatch' });
    },
    stretch: (secret, { salt, pepperKid = 'test' }) =>
      Promise.resolve({ pepperKid, hash: mac(salt.toString('base64url'), secret) }),
  };
}
