import type { BulkSession } from '../storage/copy.js';
import type { Anchors } from './anchors.js';
import {
  beginReading,
  countUnsealed,
  findCheckpointBefore,
  findCheckpointsFrom,
  findHead,
  findStranger,
  linksAfter,
  type Head,
} from './chain-store.js';
import type { Checkpoint, Checkpoints } from './checkpoints.js';
import { GENESIS, linkOf } from './link.js';
import { findAnchor } from './retention-store.js';

/** What is wrong with the first bad row. */
export type Breach =
  /** The event is not what it was when it was sealed, or its link is not. */
  | { readonly kind: 'changed'; readonly seq: bigint }
  /** The event is gone. */
  | { readonly kind: 'event_missing'; readonly seq: bigint }
  /** The link is gone. */
  | { readonly kind: 'link_missing'; readonly seq: bigint }
  /** The chain ends before a checkpoint says. */
  | { readonly kind: 'truncated'; readonly seq: bigint }
  /** The chain holds together, and is not the one that a checkpoint was made of. */
  | { readonly kind: 'rewritten'; readonly seq: bigint }
  /** The chain begins at a link that this installation has not made its beginning, or no checkpoint was made of. */
  | { readonly kind: 'anchor_forged'; readonly seq: bigint }
  /** What came before the chain's beginning was dropped sooner than the retention of now allows. */
  | { readonly kind: 'dropped_early'; readonly seq: bigint; readonly cutoff: Date }
  /** A checkpoint that this installation has not made. */
  | { readonly kind: 'checkpoint_forged'; readonly seq: bigint }
  /** An event that was never given to the sealer. */
  | { readonly kind: 'inserted'; readonly eventId: string };

export interface Verdict {
  readonly breach: Breach | undefined;
  /** Links looked at. */
  readonly links: bigint;
  /** Written, and not sealed yet: a second's worth in a healthy installation. */
  readonly waiting: number;
  /** How many checkpoints the chain was compared with. */
  readonly checkpoints: number;
}

export interface VerifyOptions {
  readonly session: BulkSession;
  readonly checkpoints: Checkpoints;
  /** From the second place. */
  readonly kept: readonly Checkpoint[];
  readonly anchors: Anchors;
  /** What happened before this moment may have been dropped (`droppableBefore`); undefined: nothing. */
  readonly droppable: Date | undefined;
  /** Begin at the latest checkpoint before this moment instead of the first row. */
  readonly since?: Date | undefined;
  readonly onProgress?: (links: bigint, of: bigint) => void;
}

/** Links read at a time. */
const CHUNK = 50_000;

/** Goes through the whole chain, from its beginning or from what retention has left, and names the first row that is not as it was sealed. */
export function verifyTrail(options: VerifyOptions): Promise<Verdict> {
  const { session, checkpoints, kept, anchors, droppable, since, onProgress } = options;
  return session.transaction(async (tx) => {
    await beginReading(tx);
    const base = since === undefined ? undefined : await findCheckpointBefore(tx, since);
    const anchor = await findAnchor(tx);
    const first: Head = anchor ?? { seq: 0n, hash: GENESIS };
    const begin: Head = base !== undefined && base.seq > first.seq ? base : first;
    const all = [...(await findCheckpointsFrom(tx, first.seq)), ...kept.filter(({ seq }) => seq >= first.seq)];
    const known = all.filter(({ seq }) => seq >= begin.seq);
    const waiting = await countUnsealed(tx);
    const done = (breach: Breach | undefined, links: bigint): Verdict => ({
      breach,
      links,
      waiting,
      checkpoints: known.length,
    });
    const forged = all.find((checkpoint) => !checkpoints.isGenuine(checkpoint));
    if (forged !== undefined) return done({ kind: 'checkpoint_forged', seq: forged.seq }, 0n);
    if (anchor !== undefined) {
      const isGrounded = all.some(({ seq, hash }) => seq === anchor.seq && hash.equals(anchor.hash));
      if (!anchors.isGenuine(anchor) || !isGrounded) return done({ kind: 'anchor_forged', seq: anchor.seq }, 0n);
      const { seq, cutoff } = anchor;
      if (droppable === undefined || cutoff > droppable) return done({ kind: 'dropped_early', seq, cutoff }, 0n);
    }
    const expected = new Map(known.map(({ seq, hash }) => [seq, hash]));

    const end = (await findHead(tx))?.seq ?? 0n;
    let { seq, hash } = begin;
    while (seq < end) {
      const from = seq;
      let breach: Breach | undefined;
      for await (const [number, sealed, event] of session.copyOut(linksAfter(from, CHUNK))) {
        // The rest of the piece is on its way and must be read.
        if (breach !== undefined) continue;
        seq += 1n;
        const right = linkOf(hash, seq, event ?? '');
        if (number?.readBigInt64BE() !== seq) breach = { kind: 'link_missing', seq };
        // Also what was gone when the sealer came, whose link is of nothing.
        else if (event === undefined) breach = { kind: 'event_missing', seq };
        else if (sealed?.equals(right) !== true) breach = { kind: 'changed', seq };
        else if (expected.get(seq)?.equals(right) === false) breach = { kind: 'rewritten', seq };
        hash = right;
      }
      if (seq === from) breach = { kind: 'link_missing', seq: seq + 1n };
      if (breach !== undefined) return done(breach, seq - begin.seq);
      onProgress?.(seq - begin.seq, end - begin.seq);
    }
    const last = known.reduce((latest, checkpoint) => (checkpoint.seq > latest ? checkpoint.seq : latest), 0n);
    if (last > seq) return done({ kind: 'truncated', seq: seq + 1n }, seq - begin.seq);
    const stranger = await findStranger(tx);
    return done(stranger === undefined ? undefined : { kind: 'inserted', eventId: stranger }, seq - begin.seq);
  });
}
