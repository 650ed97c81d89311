import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { BulkSession } from '../storage/copy.js';
import type { Head } from './chain-store.js';
import { linkOf } from './link.js';
import { linksToArchive } from './retention-store.js';

/** Links read at a time. */
const CHUNK = 50_000;

/** The links do not lead from where the chain begins to the checkpoint: nothing may be dropped. */
export class BrokenChain extends Error {
  constructor(seq: bigint) {
    super(`row ${seq} of the chain is not as it was sealed`);
    this.name = 'BrokenChain';
  }
}

/**
 * The links after one head up to another, as JSON Lines: a first line with where it begins and ends, then each link
 * with the event as it was sealed, so that the file proves itself, and as JSON to be read. Checks every link on its way.
 */
async function* linesOf(session: BulkSession, begin: Head, end: Head): AsyncGenerator<string> {
  const named = ({ seq, hash }: Head) => ({ seq: String(seq), hash: hash.toString('hex') });
  yield `${JSON.stringify({ archive: 'audit_events', after: named(begin), through: named(end) })}\n`;
  let { seq, hash } = begin;
  while (seq < end.seq) {
    const upTo = seq + BigInt(CHUNK) < end.seq ? seq + BigInt(CHUNK) : end.seq;
    for await (const [number, sealed, text, event] of session.copyOut(linksToArchive(seq, upTo))) {
      seq += 1n;
      hash = linkOf(hash, seq, text ?? '');
      const isWhole = number?.readBigInt64BE() === seq && text !== undefined && sealed?.equals(hash) === true;
      if (!isWhole) throw new BrokenChain(seq);
      yield `{"seq":"${seq}","hash":"${hash.toString('hex')}","sealed":${JSON.stringify(text.toString())},"event":${String(event)}}\n`;
    }
    if (seq !== upTo) throw new BrokenChain(seq + 1n);
  }
  if (!hash.equals(end.hash)) throw new BrokenChain(seq);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Writes that file, compressed; it stands there whole and on the disk, or not at all. */
export async function writeArchive(
  session: BulkSession,
  { folder, name, begin, end }: { folder: string; name: string; begin: Head; end: Head },
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unfinished = join(folder, `.${name}.unfinished`);
  try {
    await pipeline(
      linesOf(session, begin, end),
      createGzip(),
      createWriteStream(unfinished, { mode: 0o600, flush: true }),
    );
    await rename(unfinished, join(folder, name));
    await syncFolder(folder);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
