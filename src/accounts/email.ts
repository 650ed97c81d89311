import { domainToASCII } from 'node:url';
import { sameBytes, type KeyedDigest } from '../security/digests.js';

const DOTS = '•••••';

/** First letter of the local part and of the domain with a fixed number of dots: `s•••••@c•••••`. */
export function maskEmail(email: string): string {
  const [local = '', domain = ''] = email.split('@');
  return `${initial(local)}${DOTS}@${initial(domain)}${DOTS}`;
}

const initial = (text: string): string => [...text.toLowerCase()][0] ?? '';

/**
 * How often the first letters of real addresses occur, of a thousand: names for the local part, mail services and
 * government domains for the other. Decoys drawn evenly would stand out.
 */
const LOCAL_LETTERS = {
  a: 142,
  s: 98,
  m: 92,
  r: 88,
  d: 80,
  n: 62,
  e: 48,
  i: 58,
  f: 50,
  h: 46,
  y: 38,
  t: 36,
  w: 34,
  b: 28,
  l: 26,
  j: 22,
  p: 20,
  k: 16,
  u: 10,
  c: 6,
};
const DOMAIN_LETTERS = { g: 870, y: 78, k: 14, p: 10, b: 8, o: 8, h: 6, m: 4, i: 2 };

function letter(table: Readonly<Record<string, number>>, chance: number): string {
  const entries = Object.entries(table);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  let rest = chance % total;
  for (const [candidate, weight] of entries) {
    if (rest < weight) return candidate;
    rest -= weight;
  }
  return entries[0]?.[0] ?? '';
}

/** The mask of an address that does not exist: same shape, the same every time for the same name. */
export function decoyMask(keyed: KeyedDigest, name: string): string {
  const chance = keyed('decoy mask', name);
  return `${letter(LOCAL_LETTERS, chance.readUInt32BE(0))}${DOTS}@${letter(DOMAIN_LETTERS, chance.readUInt32BE(4))}${DOTS}`;
}

/**
 * One form for comparing: trimmed, NFKC, local part without case, domain in ASCII. Undefined when it is no address.
 * Letters that only look alike stay different, and the code goes to the stored address anyway.
 */
export function comparableEmail(email: string): string | undefined {
  if (email.length > 320 || !email.isWellFormed()) return undefined;
  const text = email.trim();
  const at = text.lastIndexOf('@');
  if (at < 1) return undefined;
  const local = text.slice(0, at);
  // NFKC would turn a ligature or a wide letter into a plain one: equal only where the policy says so.
  if (local.normalize('NFKC') !== local) return undefined;
  const domain = domainToASCII(text.slice(at + 1));
  return domain === '' ? undefined : `${local.toLowerCase()}@${domain}`;
}

/** Whether the address typed is the registered one; takes the same time for any difference. */
export function isSameEmail(keyed: KeyedDigest, typed: string, stored: string | undefined): boolean {
  const [a, b] = [comparableEmail(typed), comparableEmail(stored ?? '')];
  const same = sameBytes(keyed('email', a ?? ''), keyed('email', b ?? ''));
  return same && a !== undefined && b !== undefined;
}
