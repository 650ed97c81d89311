import { CROCKFORD, randomText } from '../security/secrets.js';

const LENGTH = 10;
const FORM = new RegExp(`^[${CROCKFORD}]{${LENGTH}}$`);
/** Longer than any honest way to type a code. */
const MAX_TYPED = 64;

/** A new code of 50 random bits, written `XXXXX-XXXXX`. */
export function newCode(): string {
  const characters = randomText(LENGTH, CROCKFORD);
  return `${characters.slice(0, LENGTH / 2)}-${characters.slice(LENGTH / 2)}`;
}

/**
 * The ten characters a person meant: in any case, with or without dashes and spaces, O for 0 and I or L for 1
 * (Crockford base32). Undefined when it cannot be a code.
 */
export function normaliseCode(typed: string): string | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}\u00ad\u200b-\u200d\u2060\ufeff\u2212]+/gu, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return FORM.test(code) ? code : undefined;
}
