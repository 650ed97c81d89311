/** Everything that is not seen, or changes how what stands beside it is seen. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** What is wrong with words that people read on our pages and mails to recognise a client by. */
export function nameProblem(text: string): string | undefined {
  if (UNSEEN.test(text)) return 'must not hold characters that are not seen';
  if (text.trim() !== text) return 'must not begin or end with a blank';
  return /[\p{L}\p{N}]/u.test(text) ? undefined : 'must hold a letter or digit';
}

/** Base letters: without marks, and without the other forms that Unicode has for the same letter. */
const baseOf = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '');

/**
 * Why a name that its own client chose is not taken: with the letters of one alphabet there are few ways to look like
 * somebody else, and {@link skeletonOf} knows them.
 */
export const latinProblem = (text: string): string | undefined =>
  /^[\x20-\x7e–—’]*$/.test(baseOf(text)) ? undefined : 'must be written in Latin letters';

/** What is left of a name for eyes that do not look closely: names with one skeleton are easily taken for each other. */
export const skeletonOf = (text: string): string =>
  baseOf(text)
    .toLowerCase()
    .replace(/[1i|]/g, 'l')
    .replaceAll('0', 'o')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w');
