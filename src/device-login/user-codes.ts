// Without vowels no words come up, and nothing looks like anything else: 34 bits (RFC 8628 section 6.1).
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const FORM = new RegExp(`^[${LETTERS}]{8}$`);
/** Longer than any honest way to type a code. */
const MAX_TYPED = 64;

/** The eight letters that a person meant, in any case, with or without dashes, dots and spaces. */
export function normaliseUserCode(typed: string): string | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}\u00ad\u200b-\u200d\u2060\ufeff\u2212._]+/gu, '');
  return FORM.test(code) ? code : undefined;
}

/** As it stands on the device. */
export const writtenUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;
