/** The longest name that is looked at; longer than any that people have. */
const MAX_LENGTH = 120;
/** How few letters would find half the agency. */
const MIN_LETTERS = 3;

/** A name as it is looked for: the same as `plain_name` of the database, whose words it is compared with. */
export const plainName = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f'`\u2018\u2019\u02bc]/g, '')
    .replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim()
    .slice(0, MAX_LENGTH);

/** What of a name is looked up, and what its other words must begin with. */
export interface NameQuery {
  readonly word: string;
  readonly others: readonly string[];
}

/** Titles before a name and behind it: nobody knows whether the personnel system writes them. */
const TITLES = /\b(?:prof|drs?|dra|ir|hj?)\.|,[^,]*\..*$/gis;

/**
 * The longest word is looked up, for it is the rarest; the others are compared with what is found. Undefined below three
 * letters (A46).
 */
export function nameQueryOf(typed: string): NameQuery | undefined {
  const words = [...new Set(plainName(typed.slice(0, MAX_LENGTH).replaceAll(TITLES, ' ')).split(' '))].sort(
    (a, b) => b.length - a.length,
  );
  const [word = '', ...others] = words;
  return words.join('').length < MIN_LETTERS || word.length < 2 ? undefined : { word, others };
}
