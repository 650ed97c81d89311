import { createHash } from 'node:crypto';

/**
 * Chance that follows from a seed: one captcha looks and sounds the same however often it is fetched, so that noise
 * cannot be averaged away. The seed is a secret of its own: from one made of the answer, the answer could be searched.
 */
export interface Noise {
  /** A number from `low` to `high`. */
  between(low: number, high: number): number;
  /** So many random bytes. */
  bytes(length: number): Buffer;
}

export function noiseOf(seed: string): Noise {
  let drawn = 0;
  const bytes = (length: number): Buffer => {
    drawn += 1;
    return createHash('shake256', { outputLength: length }).update(`${seed}:${drawn}`).digest();
  };
  return { bytes, between: (low, high) => low + (bytes(2).readUInt16BE() / 65_535) * (high - low) };
}
