import { hash } from 'node:crypto';

/** What the first row of the chain stands on. */
export const GENESIS = Buffer.alloc(32);

/** The hash of a link: over the hash before, the link's number (eight bytes, big endian) and the event as text. */
export function linkOf(before: Buffer, seq: bigint, event: string | Buffer): Buffer {
  const text = typeof event === 'string' ? Buffer.from(event) : event;
  const sealed = Buffer.allocUnsafe(before.length + 8 + text.length);
  before.copy(sealed);
  sealed.writeBigUInt64BE(seq, before.length);
  text.copy(sealed, before.length + 8);
  return hash('sha256', sealed, 'buffer');
}
