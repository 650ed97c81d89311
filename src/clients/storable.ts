/** Deeper than any registration, and than what JSON and the database are asked to follow. */
const MAX_DEPTH = 12;

/** PostgreSQL keeps neither NUL nor halves of characters. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

type Found = readonly [field: string, problem: string];

/**
 * What of a value read from JSON cannot be kept, or would be somebody else's property once it is: with where it stands
 * (`x.claims.0`).
 */
export function* unstorable(value: unknown, path: readonly string[] = []): Generator<Found> {
  const field = path.join('.');
  if (typeof value === 'string') {
    if (!isStorable(value)) yield [field, 'holds characters that cannot be kept'];
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (path.length === MAX_DEPTH) {
    yield [field, 'is nested too deeply'];
    return;
  }
  for (const [key, each] of Object.entries(value)) {
    if (!isStorable(key)) yield [field, 'holds names with characters that cannot be kept'];
    else if (key === '__proto__') yield [[...path, key].join('.'), 'is not known'];
    else yield* unstorable(each, [...path, key]);
  }
}
