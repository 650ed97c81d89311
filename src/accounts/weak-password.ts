/**
 * Finds passwords that satisfy every rule of composition and are still the first that anybody would guess: one or
 * two known words, or a walk over the keyboard, dressed with capitals, digits for letters, a year and a few symbols
 * ("word + digits/symbol skeleton after leet folding", R-37).
 */
export interface WeakWords {
  has(word: string): boolean;
}

/** More known words than these make a passphrase. */
const MAX_WORDS = 2;
/** Letters beside the known words that do not save a password ("Aa", "ku", "x"). */
const MAX_OTHER_LETTERS = 2;
/** Letters and symbols that are decoration; random passwords have more. */
const MAX_DECORATION = 4;
/** What is left of a password once repetition is taken out. */
const MIN_DISTINCT_LENGTH = 8;

const SHORTEST_WORD = 3;
const LONGEST_WORD = 24;
const SHORTEST_LEET_WORD = 5;

const leet = (i: string): Readonly<Record<string, string>> => ({
  '0': 'o',
  '1': i,
  '!': i,
  '|': 'l',
  '3': 'e',
  '€': 'e',
  '4': 'a',
  '@': 'a',
  '5': 's',
  $: 's',
  '7': 't',
  '+': 't',
  '8': 'b',
  '9': 'g',
  '2': 'z',
});
/** "1" and "!" stand for either letter. */
const LEET = [leet('i'), leet('l')];
const UNSHIFT: Readonly<Record<string, string>> = {
  '!': '1',
  '@': '2',
  '#': '3',
  $: '4',
  '%': '5',
  '^': '6',
  '&': '7',
  '*': '8',
  '(': '9',
  ')': '0',
};

const reversed = (text: string): string => Array.from(text).reverse().join('');
const ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm', '01234567890', 'abcdefghijklmnopqrstuvwxyz'];
const WALKS = [...ROWS, ...ROWS.map(reversed)];
const WEAVES = [
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
  'a1b2c3d4e5f6g7h8',
  '1a2b3c4d5e6f7g8h',
  'a1s2d3f4g5h6j7k8',
];
const SHORTEST_WALK = 4;
const SHORTEST_WEAVE = 6;
/** Slanting columns of the keyboard, from above or below, one after another. */
const COLUMNS =
  /^(?:1qaz|2wsx|3edc|4rfv|5tgb|6yhn|7ujm|zaq1|xsw2|cde3|vfr4|bgt5|nhy6|mju7|qaz|wsx|edc|rfv|tgb|yhn|ujm|zaq|xsw|cde|vfr|bgt|nhy|mju)+/;

/** True when the words, repetition or walks leave too little that a guesser would not try. */
export function isWeak(password: string, words: WeakWords): boolean {
  const plain = password.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const told = withoutRepetition(plain);
  const chars = Array.from(told);
  if (told !== plain && chars.length < MIN_DISTINCT_LENGTH) return true;
  return isCovered(chars, words);
}

/** "aaaa" and "passpass" say no more than "a" and "pass". */
const withoutRepetition = (text: string): string =>
  text.replace(/(.)\1{2,}/gsu, '$1').replace(/(.{3,24}?)(?:[ ._-]?\1)+/gsu, '$1');

/** What remains outside the known words: the smaller, the weaker. */
interface Remainder {
  readonly letters: number;
  readonly symbols: number;
}

const NOTHING: Remainder = { letters: 0, symbols: 0 };
const weight = ({ letters, symbols }: Remainder): number => letters * 3 + symbols;
const lighter = (one: Remainder | undefined, other: Remainder): Remainder =>
  one !== undefined && weight(one) <= weight(other) ? one : other;

const isLetter = (char: string): boolean => /\p{L}/u.test(char);
const isPlain = (char: string): boolean => /[\p{Nd}\p{Zs}]/u.test(char);

/**
 * Dynamic programming over positions: the lightest remainder before each, for each number of words used. A character
 * that repeats the one before it adds nothing.
 */
function isCovered(chars: readonly string[], words: WeakWords): boolean {
  const ends = knownEnds(chars, words);
  const best: (Remainder | undefined)[][] = Array.from({ length: chars.length + 1 }, () => []);
  best[0] = [NOTHING];
  for (const [at, char] of chars.entries()) {
    for (let used = 0; used <= MAX_WORDS; used += 1) {
      const here = best[at]?.[used];
      if (here === undefined) continue;
      offer(best, at + 1, used, char === chars[at - 1] ? here : plus(here, char));
      for (const end of used < MAX_WORDS ? (ends[at] ?? []) : []) offer(best, end, used + 1, here);
    }
  }
  const last = best[chars.length] ?? [];
  return last
    .slice(1)
    .some((it) => it !== undefined && it.letters <= MAX_OTHER_LETTERS && it.letters + it.symbols <= MAX_DECORATION);
}

function offer(best: (Remainder | undefined)[][], at: number, used: number, remainder: Remainder): void {
  const row = best[at];
  if (row !== undefined) row[used] = lighter(row[used], remainder);
}

function plus({ letters, symbols }: Remainder, char: string): Remainder {
  if (isLetter(char)) return { letters: letters + 1, symbols };
  return isPlain(char) ? { letters, symbols } : { letters, symbols: symbols + 1 };
}

/** For each position, where a known word or a walk that begins there may end. */
function knownEnds(chars: readonly string[], words: WeakWords): readonly (readonly number[])[] {
  // Characters beyond the basic plane are in no word; one place each keeps all texts in step.
  const written = (map: Readonly<Record<string, string>>): string =>
    chars.map((char) => map[char] ?? (char.length === 1 ? char : '\0')).join('');
  const plain = written({});
  const unshifted = written(UNSHIFT);
  const folded = LEET.map(written);
  return chars.map((_, at) => {
    const ends = new Set<number>();
    for (let end = at + SHORTEST_WORD; end <= Math.min(chars.length, at + LONGEST_WORD); end += 1) {
      if (words.has(plain.slice(at, end)) || folded.some((text) => isLeetWord({ plain, text, at, end, words })))
        ends.add(end);
    }
    const walk = walkFrom(unshifted.slice(at));
    if (walk > 0) ends.add(at + walk);
    return [...ends];
  });
}

function isLeetWord(it: { plain: string; text: string; at: number; end: number; words: WeakWords }): boolean {
  if (it.end - it.at < SHORTEST_LEET_WORD || !it.words.has(it.text.slice(it.at, it.end))) return false;
  const letters = it.plain.slice(it.at, it.end).replace(/[^a-z]/g, '').length;
  return letters * 3 >= it.end - it.at;
}

/** How many characters from the start walk over the keyboard or the alphabet; 0 when they do not. */
function walkFrom(text: string): number {
  const columns = COLUMNS.exec(text)?.[0].length ?? 0;
  return Math.max(
    columns >= SHORTEST_WALK ? columns : 0,
    prefixIn(WALKS, text, SHORTEST_WALK),
    prefixIn(WEAVES, text, SHORTEST_WEAVE),
  );
}

function prefixIn(walks: readonly string[], text: string, shortest: number): number {
  let length = shortest;
  while (length <= text.length && walks.some((walk) => walk.includes(text.slice(0, length)))) length += 1;
  return length > shortest ? length - 1 : 0;
}
