import { isNip, type Nip } from './nip.js';

/** What a person may type to say who they are, in its one canonical form. */
export type CanonicalName =
  { readonly kind: 'nip'; readonly value: Nip } | { readonly kind: 'account_name'; readonly value: string };

/** A name in the one form that it is counted under, whoever has it; undefined for a text that can be none. */
export function countedName(typed: string): string | undefined {
  const name = canonicalName(typed);
  return name.kind === 'malformed' ? undefined : name.value;
}

export type TypedName = CanonicalName | { readonly kind: 'malformed' };

const MALFORMED: TypedName = { kind: 'malformed' };

/** Checked before normalising, which may grow a text eighteenfold and blocks everyone meanwhile. */
const MAX_TYPED_LENGTH = 256;
const SEPARATORS = /[\p{Zs}\p{Pd}.]/gu;
const ACCOUNT_NAME = /^[a-z0-9._-]{3,64}$/;

/**
 * NFKC and lower case; 18 digits once spaces, dots and dashes are gone are a NIP, however it was grouped; anything
 * else must be an account name just as it stands. One account has one canonical name, and no other text reaches
 * it. The caller answers `malformed` like any unknown name.
 */
export function canonicalName(typed: string): TypedName {
  if (typed.length > MAX_TYPED_LENGTH || !typed.isWellFormed()) return MALFORMED;
  const name = typed.normalize('NFKC').toLowerCase();
  const digits = name.replace(SEPARATORS, '');
  if (isNip(digits)) return { kind: 'nip', value: digits };
  if (!ACCOUNT_NAME.test(name) || /^[0-9]+$/.test(name)) return MALFORMED;
  return { kind: 'account_name', value: name };
}
