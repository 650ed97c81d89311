import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sameBytes, type KeyedDigest } from '../security/digests.js';
import type { CheckpointRow, Head } from './chain-store.js';

/** The end of the chain at a moment, with a digest under a key that is not in the database in clear. */
export type Checkpoint = CheckpointRow;

/** Makes and judges checkpoints. Whoever rewrites the whole chain cannot make one. */
export interface Checkpoints {
  make(head: Head, at: Date): Checkpoint;
  isGenuine(checkpoint: Checkpoint): boolean;
}

export function createCheckpoints(keyed: KeyedDigest): Checkpoints {
  const macOf = ({ seq, hash }: Head, at: Date): Buffer =>
    keyed('audit checkpoint', `${seq}|${hash.toString('hex')}|${at.toISOString()}`);
  return {
    make: ({ seq, hash }, at) => ({ seq, hash, at, mac: macOf({ seq, hash }, at) }),
    isGenuine: (checkpoint) => sameBytes(checkpoint.mac, macOf(checkpoint, checkpoint.at)),
  };
}

/** One line of JSON; the same stands in the log. */
export const lineOf = ({ seq, at, hash, mac }: Checkpoint): Readonly<Record<string, string>> => ({
  seq: String(seq),
  at: at.toISOString(),
  hash: hash.toString('base64url'),
  mac: mac.toString('base64url'),
});

function fromLine(line: string): Checkpoint {
  const { seq, at, hash, mac } = JSON.parse(line) as Record<'seq' | 'at' | 'hash' | 'mac', string>;
  return {
    seq: BigInt(seq),
    at: new Date(at),
    hash: Buffer.from(hash, 'base64url'),
    mac: Buffer.from(mac, 'base64url'),
  };
}

/** The second place: a file that only grows, on another disk or shipped elsewhere if operators are wise. */
export async function appendCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(lineOf(checkpoint))}\n`, { mode: 0o600 });
}

/** What stands in it; a line that was being written when the power went is left out. Empty where there is no file. */
export async function readCheckpoints(file: string): Promise<readonly Checkpoint[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map(fromLine);
}
