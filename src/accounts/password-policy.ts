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
 * The rules a password must meet (R-36, R-37, BSSN 4/2021), by the ids that pages show as `data-rule`. NIST
 * SP 800-63B advises against rules of composition; the law demands them, so `common` refuses what they breed
 * (SECURITY.md section 4).
 */
export type PasswordRule = 'length' | 'case' | 'digit' | 'symbol' | 'common' | 'same';

/** Why `length` or `common` is unmet. `pattern`: words, repetition or keys in a row that anybody would try. */
export type RuleReason = 'too_long' | PersonalKind | 'pattern';

export interface RuleState {
  readonly rule: PasswordRule;
  readonly state: 'met' | 'unmet';
  readonly reason?: RuleReason;
}

export interface PasswordJudgement {
  readonly met: boolean;
  /** Every rule that was judged. */
  readonly rules: readonly RuleState[];
}

const MIN_CODE_POINTS = 12;
const MAX_CODE_POINTS = 128;
const MAX_BYTES = 1024;
/** Shorter words are in too many texts to be called the reason. */
const LEAST_TOLD = 4;
const TOO_LONG: PasswordJudgement = { met: false, rules: [{ rule: 'length', state: 'unmet', reason: 'too_long' }] };

/**
 * Judges a new password in its NFKC form, which is what gets hashed, against every rule at once; `same` only
 * when the password it replaces is given.
 */
export function judgePassword(password: string, owner: PasswordOwner, replaced?: string): PasswordJudgement {
  // Before normalising, which can grow a text eighteenfold; a UTF-16 unit is one byte or more in UTF-8.
  if (password.length > MAX_BYTES || Buffer.byteLength(password) > MAX_BYTES) return TOO_LONG;
  const normal = password.normalize('NFKC');
  const codePoints = [...normal].length;
  // What follows takes time that grows with the length.
  if (codePoints > MAX_CODE_POINTS) return TOO_LONG;
  const guess = easyGuess(normal, owner);
  const rules = [
    judged('length', codePoints >= MIN_CODE_POINTS),
    judged('case', /\p{Lu}/u.test(normal) && /\p{Ll}/u.test(normal)),
    judged('digit', /\p{Nd}/u.test(normal)),
    // A space counts, so that passphrases pass easily.
    judged('symbol', /[\p{P}\p{S} ]/u.test(normal)),
    guess === undefined ? judged('common', true) : { ...judged('common', false), reason: guess },
    ...(replaced === undefined ? [] : [judged('same', normal !== replaced.normalize('NFKC'))]),
  ];
  return { met: rules.every(({ state }) => state === 'met'), rules };
}

/** Whether a password that was set long ago, or imported, still meets every rule. */
export const meetsRules = (password: string, owner: PasswordOwner): boolean => judgePassword(password, owner).met;

const judged = (rule: PasswordRule, isMet: boolean): RuleState => ({ rule, state: isMet ? 'met' : 'unmet' });

/** Why a password is easy to guess, or undefined when it is not. */
function easyGuess(normal: string, owner: PasswordOwner): PersonalKind | 'pattern' | undefined {
  const digits = personalDigits(normal, owner);
  if (digits !== undefined) return digits;
  const own = personalWords(owner);
  const kinds = Object.keys(own) as WordKind[];
  if (!isWeak(normal, among(Object.values(own)))) return undefined;
  // What the person recognises as their own is the better reason, also where it is a common word besides.
  const told = normal.toLowerCase();
  const named = kinds.find((kind) => [...own[kind]].some((word) => word.length >= LEAST_TOLD && told.includes(word)));
  if (named !== undefined) return named;
  if (isWeak(normal, among([]))) return 'pattern';
  return kinds.find((kind) => isWeak(normal, among([own[kind]]))) ?? 'name';
}

/** The common words and these. */
const among = (sets: readonly ReadonlySet<string>[]): WeakWords => ({
  has: (word) => COMMON_WORDS.has(word) || sets.some((set) => set.has(word)),
});
