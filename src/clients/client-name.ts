/** Everything that is not seen, or changes how what stands beside it is seen. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** What is wrong with words that people read on our pages and mails to recognise a client by. */
export function nameProblem(text: string): string | undefined {
  if (UNSEEN.test(text)) return 'must not hold characters that are not seen';
  if (text.trim() !== text) return 'must not begin or end with a blank';
  return /[\p{L}\p{N}]/u.test(text) ? undefined : 'must hold a letter or digit';
}
