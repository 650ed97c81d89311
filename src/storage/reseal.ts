import { SealBroken, type SealedBox } from '../security/sealed-box.js';
import type { SealedPlace } from '../security/sealed-place.js';
import type { Queryable } from './database.js';
import { resealStore } from './reseal-store.js';

/** Some thousand rows at a time: their locks are held for a blink. */
const BLOCKS_AT_ONCE = 32;
/** Rows that were held, or written meanwhile, are met in the next pass; who writes with an old key is met in each. */
const MOST_PASSES = 5;

export interface Resealed {
  readonly table: string;
  /** Values sealed anew. */
  readonly rows: number;
  /** Values that do not open: their key is missing, or they were changed. */
  readonly broken: number;
}

export interface ResealOptions {
  readonly db: Queryable;
  readonly box: SealedBox;
  /** The key that seals. */
  readonly kid: string;
  readonly places: readonly SealedPlace[];
  readonly onProgress?: (table: string, done: number, of: number) => void;
}

/**
 * Seals everything anew that is sealed with another key than the first, beside running processes. It looks for what is
 * left, so it may be broken off at any moment and begun again (R-55, docs/adr/0027).
 */
export async function reseal(options: ResealOptions): Promise<readonly Resealed[]> {
  const all: Resealed[] = [];
  for (const place of options.places) all.push(await resealPlace(place, options));
  return all;
}

async function resealPlace(place: SealedPlace, { db, box, kid, onProgress }: ResealOptions): Promise<Resealed> {
  const store = resealStore(db, place);
  const sealedAnew = (value: string, row: readonly string[]): string | undefined => {
    const context = place.context(...row);
    try {
      return box.seal(box.open(value, context), context);
    } catch (error) {
      if (error instanceof SealBroken) return undefined;
      throw error;
    }
  };

  let rows = 0;
  let broken = 0;
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    let met = 0;
    broken = 0;
    const blocks = await store.blocks();
    for (let from = 0; from < blocks; from += BLOCKS_AT_ONCE) {
      onProgress?.(place.table, from, blocks);
      const found = await store.sealedOtherwise(kid, from, from + BLOCKS_AT_ONCE);
      const values = found.flatMap(({ at, value, row }) => {
        const anew = sealedAnew(value, row);
        return anew === undefined ? [] : [{ at, old: value, new: anew }];
      });
      if (values.length > 0) rows += await store.replace(values);
      met += values.length;
      broken += found.length - values.length;
    }
    if (met === 0) break;
  }
  return { table: place.table, rows, broken };
}
