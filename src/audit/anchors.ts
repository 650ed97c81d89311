import { sameBytes, type KeyedDigest } from '../security/digests.js';
import type { Head } from './chain-store.js';

/** Where the chain begins since what came before was archived and dropped. */
export interface Anchor extends Head {
  readonly at: Date;
  /** No event of this moment or later was dropped. */
  readonly cutoff: Date;
  /** The file that holds what was dropped, without its folder. */
  readonly archive: string;
  /** Under a key that is not in the database in clear, and no checkpoint's. */
  readonly mac: Buffer;
}

/** Makes and judges anchors. Whoever deletes the beginning of the chain cannot make one. */
export interface Anchors {
  make(anchor: Omit<Anchor, 'mac'>): Anchor;
  isGenuine(anchor: Anchor): boolean;
}

export function createAnchors(keyed: KeyedDigest): Anchors {
  const macOf = ({ seq, hash, at, cutoff, archive }: Omit<Anchor, 'mac'>): Buffer =>
    keyed(
      'audit anchor',
      JSON.stringify([String(seq), hash.toString('hex'), at.toISOString(), cutoff.toISOString(), archive]),
    );
  return {
    make: (anchor) => ({ ...anchor, mac: macOf(anchor) }),
    isGenuine: (anchor) => sameBytes(anchor.mac, macOf(anchor)),
  };
}

/** Events before this moment may be dropped: whole months, and always that many more than the one that runs. */
export const droppableBefore = (now: Date, months: number): Date =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
