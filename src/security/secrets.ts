import { randomBytes, randomInt } from 'node:crypto';

/** A random id of `bytes` bytes (16 = 128 bits), safe in URLs and cookies. */
export const randomId = (bytes = 16): string => randomBytes(bytes).toString('base64url');

/** The alphabet of codes that people type: Crockford base32, no I, L, O, U. */
export const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `length` characters of an alphabet, each drawn without bias. */
export function randomText(length: number, alphabet: string): string {
  let text = '';
  for (let i = 0; i < length; i += 1) text += alphabet.charAt(randomInt(alphabet.length));
  return text;
}

/** A whole number from 0 up to, not including, `below`. For jitter and order, and good enough for secrets. */
export const randomBelow = (below: number): number => randomInt(below);
