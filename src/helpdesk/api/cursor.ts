import { z } from 'zod';
import { SealBroken, type SealedBox } from '../../security/sealed-box.js';

/**
 * Where a page of a list ended, for the caller to bring back. Sealed: it holds what it ended at, which may be a name, and
 * stands in addresses; and it opens only for the same caller with the same request.
 */
export interface Cursors {
  write(request: readonly unknown[], place: unknown): string;
  /** Undefined for one that is none of ours, or was given for another request. */
  read<Place>(request: readonly unknown[], cursor: string, schema: z.ZodType<Place>): Place | undefined;
}

/** Longer than any that we write. */
const MAX_LENGTH = 1024;

/** What a cursor looks like from outside. */
export const CURSOR = z.string().min(1).max(MAX_LENGTH);

export function createCursors(box: SealedBox): Cursors {
  const contextOf = (request: readonly unknown[]): string => `cursor|${JSON.stringify(request)}`;
  return {
    write: (request, place) => box.seal(JSON.stringify(place), contextOf(request)),
    read(request, cursor, schema) {
      try {
        return schema.parse(JSON.parse(box.open(cursor, contextOf(request)).toString()));
      } catch (error) {
        if (error instanceof SealBroken) return undefined;
        throw error;
      }
    },
  };
}
