import { domainToASCII } from 'node:url';
import { sameBytes, type KeyedDigest } from '../security/digests.js';

const DOTS = '•••••';

/** First letter of the local part and of the domain with a fixed number of dots: `s•••••@c•••••`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  return mask(initial(email.slice(0, Math.max(0, at))), initial(email.slice(at + 1)));
}

const mask = (local: string, domain: string): string => `${local}${DOTS}@${domain}${DOTS}`;
const initial = (text: string): string => Array.from(text.toLowerCase())[0] ?? '';

/**
 * How often the first signs of real addresses occur, of about a thousand: names for the local part, mail services and
 * government domains for the other. Decoys drawn evenly would stand out, and so would a letter no decoy has.
 */
const LOCAL_LETTERS = lots(
  'a129 s95 m90 r85 d76 n60 i56 f48 e46 h46 y38 t34 w32 b28 l26 g22 j22 p20 k16 u10 z8 c6 v3 o2 q1 x1 _1 01 11 21 31 41 51 61 71 81 91',
);
const DOMAIN_LETTERS = lots(
  'g849 y70 k14 b12 p10 o8 h6 m5 s4 d3 i3 j3 a2 c2 l2 t2 n1 r1 u1 v1 w1 e1 f1 q1 x1 z1 01 11 21 31 41 51 61 71 81 91',
);

/** One lot for each time. */
function lots(weights: string): string {
  return weights
    .split(' ')
    .map((weight) => weight.charAt(0).repeat(Number(weight.slice(1))))
    .join('');
}

const draw = (from: string, chance: number): string => from.charAt(chance % from.length);

/** The mask of an address that does not exist: same shape, the same every time for the same name. */
export function decoyMask(keyed: KeyedDigest, name: string): string {
  const chance = keyed('decoy mask', name);
  return mask(draw(LOCAL_LETTERS, chance.readUInt32BE(0)), draw(DOMAIN_LETTERS, chance.readUInt32BE(4)));
}

/**
 * One form for comparing: trimmed, NFKC, local part without case, domain in ASCII. Undefined when it is no address.
 * Letters that only look alike stay different, and the code goes to the stored address anyway.
 */
export function comparableEmail(email: string): string | undefined {
  if (email.length > 320 || !email.isWellFormed()) return undefined;
  const text = email.normalize('NFKC').trim();
  const at = text.lastIndexOf('@');
  if (at < 1) return undefined;
  const host = text.slice(at + 1);
  // `contoh.id/x` would be read up to the slash.
  const domain = /[\s/\\?#:%[\]]/.test(host) ? '' : domainToASCII(host);
  return domain === '' ? undefined : `${text.slice(0, at).toLowerCase()}@${domain}`;
}

/** Whether the address typed is the registered one; takes the same time for any difference. */
export function isSameEmail(keyed: KeyedDigest, typed: string, stored: string | undefined): boolean {
  const [a, b] = [comparableEmail(typed), comparableEmail(stored ?? '')];
  const same = sameBytes(keyed('email', a ?? ''), keyed('email', b ?? ''));
  return same && a !== undefined && b !== undefined;
}
