import { COMMON_WORDS } from './common-words.js';
import {
  personalDigits,
  personalWords,
  type PasswordOwner,
  type PersonalKind,
  type WordKind,
} from './personal-words.js';
import { isWeak, type WeakWords } from './weak-password.js';

/**
 * The rules a password must meet (R-36, R-37, BSSN 4/2021). NIST SP 800-63B advises against rules of composition;
 * the law demands them, so the last two refuse what such rules breed (SECURITY.md section 4): `common` what anybody
 * would try, `personal` what whoever knows the person, the agency or the service would.
 */
export type PasswordRule = 'min_length' | 'max_length' | 'upper' | 'lower' | 'digit' | 'symbol' | 'common' | 'personal';

const MIN_CODE_POINTS = 12;
const MAX_CODE_POINTS = 128;
const MAX_BYTES = 1024;
/** Shorter words are in too many texts to be called the reason. */
const LEAST_TOLD = 4;

const COMPOSITION: readonly (readonly [PasswordRule, RegExp])[] = [
  ['upper', /\p{Lu}/u],
  ['lower', /\p{Ll}/u],
  ['digit', /\p{Nd}/u],
  // A space counts, so that passphrases pass easily.
  ['symbol', /[\p{P}\p{S} ]/u],
];

/**
 * The rules that a password does not meet in its NFKC form, which is what gets hashed; none when it may be
 * used. One that is too long is judged no further.
 */
export function unmetRules(password: string, owner: PasswordOwner): readonly PasswordRule[] {
  const normal = normalised(password);
  if (normal === undefined) return ['max_length'];
  const unmet: PasswordRule[] = Array.from(normal).length < MIN_CODE_POINTS ? ['min_length'] : [];
  for (const [rule, pattern] of COMPOSITION) if (!pattern.test(normal)) unmet.push(rule);
  const guess = easyGuess(normal, owner);
  if (guess !== undefined) unmet.push(guess === 'common' ? 'common' : 'personal');
  return unmet;
}

/** What the rule `personal` found, so that the page can say it; undefined when the rule is met. */
export function personalPart(password: string, owner: PasswordOwner): PersonalKind | undefined {
  const normal = normalised(password);
  const guess = normal === undefined ? undefined : easyGuess(normal, owner);
  return guess === 'common' ? undefined : guess;
}

/** The NFKC form, or undefined when it is too long to look at: everything here takes time that grows with it. */
function normalised(password: string): string | undefined {
  // Before normalising, which can grow a text eighteenfold; a UTF-16 unit is one byte or more in UTF-8.
  if (password.length > MAX_BYTES || Buffer.byteLength(password) > MAX_BYTES) return undefined;
  const normal = password.normalize('NFKC');
  return Array.from(normal).length > MAX_CODE_POINTS ? undefined : normal;
}

/** Why a password is easy to guess, or undefined when it is not. */
function easyGuess(normal: string, owner: PasswordOwner): 'common' | PersonalKind | undefined {
  const digits = personalDigits(normal, owner);
  if (digits !== undefined) return digits;
  const own = personalWords(owner);
  const kinds = Object.keys(own) as WordKind[];
  if (!isWeak(normal, among(Object.values(own)))) return undefined;
  // What the person recognises as their own is the better reason, also where it is a common word besides.
  const told = normal.toLowerCase();
  const named = kinds.find((kind) => [...own[kind]].some((word) => word.length >= LEAST_TOLD && told.includes(word)));
  if (named !== undefined) return named;
  if (isWeak(normal, among([]))) return 'common';
  return kinds.find((kind) => isWeak(normal, among([own[kind]]))) ?? 'name';
}

/** The common words and these. */
const among = (sets: readonly ReadonlySet<string>[]): WeakWords => ({
  has: (word) => COMMON_WORDS.has(word) || sets.some((set) => set.has(word)),
});
