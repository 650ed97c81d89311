import { sameBytes, type KeyedDigest } from '../../security/digests.js';

/** Where a page of the trail ended: the next one goes on behind it. */
export interface TrailPlace {
  /** As PostgreSQL writes it: a Date would lose the microseconds, and with them rows. */
  readonly at: string;
  readonly id: string;
}

/** Half a SHA-256: nobody guesses 128 bits. */
const MAC_BYTES = 16;
const MAX_LENGTH = 200;

/** Writes places of one search as text that only the same reader can hand back, for the same search. */
export interface Cursors {
  write(search: string, place: TrailPlace): string;
  /** Undefined for what was not written here for this search: a cursor stands for a search that was recorded. */
  read(search: string, cursor: string): TrailPlace | undefined;
}

export function createCursors(keyed: KeyedDigest): Cursors {
  const macOf = (search: string, place: string): Buffer =>
    keyed('audit cursor', JSON.stringify([search, place])).subarray(0, MAC_BYTES);
  return {
    write(search, { at, id }) {
      const place = `${at}|${id}`;
      return Buffer.concat([macOf(search, place), Buffer.from(place)]).toString('base64url');
    },
    read(search, cursor) {
      if (cursor.length > MAX_LENGTH) return undefined;
      const bytes = Buffer.from(cursor, 'base64url');
      const place = bytes.subarray(MAC_BYTES).toString();
      if (!sameBytes(bytes.subarray(0, MAC_BYTES), macOf(search, place))) return undefined;
      const [at = '', id = ''] = place.split('|');
      return { at, id };
    },
  };
}
