import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** RFC 4648 section 6, padding optional. */
export function decodeBase32(text: string): Buffer {
  const digits = Array.from(text.replace(/=+$/, '').toUpperCase(), (character) => ALPHABET.indexOf(character));
  if (digits.includes(-1)) throw new Error('not base32');
  const bits = digits.map((digit) => digit.toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** RFC 4226: what the counter gives under the key, as many digits of it as asked for. */
export function hotp(key: Buffer, counter: number, digits: number): string {
  const text = Buffer.alloc(8);
  text.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac('sha1', key).update(text).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

/** An authenticator app: RFC 6238 with SHA-1, six digits, 30 seconds. Written apart from the code under test. */
export function totp(secret: string, at: Date): string {
  return hotp(decodeBase32(secret), Math.floor(at.getTime() / 30_000), 6);
}
