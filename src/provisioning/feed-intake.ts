import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgencyCode } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { Queryable } from '../storage/database.js';
import type { FeedMode } from './feed-report.js';
import type { FeedRun } from './feed-run.js';
import type { PersonnelFeed } from './personnel-feed.js';

/** All people of the country, with long names, in one file. */
const MAX_BYTES = 2 * 1024 ** 3;

/** A file that was received. It has no name on the disk any more: it is gone when the process is. */
export interface ReceivedFile {
  readonly sha256: Buffer;
  readonly bytes: number;
  readonly handle: FileHandle;
  /** For one that is of no use. */
  discard(): Promise<void>;
}

export interface IntakeOrder {
  readonly file: ReceivedFile;
  readonly mode: FeedMode;
  readonly dryRun: boolean;
  readonly signature: string | undefined;
  readonly clientId: string;
  readonly agency: AgencyCode | undefined;
}

/** Files that services send: received whole, then taken in behind the scenes. */
export interface FeedIntake {
  /** `busy`: another file is being received here. Throws what breaks the file off. */
  receive(chunks: AsyncIterable<Buffer>): Promise<ReceivedFile | 'busy' | 'too_large'>;
  /** Whether a file is being taken in, by any process. */
  isBusy(): Promise<boolean>;
  /** Makes the run in the caller's transaction; after its commit the caller lets it begin. */
  prepare(tx: Queryable, order: IntakeOrder): Promise<{ readonly id: string; begin(): void }>;
  /** A run of this service. */
  find(id: string, clientId: string): Promise<FeedRun | undefined>;
  /** Breaks off what is under way: given again, it is finished. */
  stop(): Promise<void>;
}

export function createFeedIntake({
  feed,
  log,
  maxBytes = MAX_BYTES,
}: {
  feed: PersonnelFeed;
  log: Log;
  maxBytes?: number;
}): FeedIntake {
  const leaving = new AbortController();
  const underWay = new Set<Promise<void>>();
  let isReceiving = false;

  async function receive(chunks: AsyncIterable<Buffer>): Promise<ReceivedFile | 'too_large'> {
    const handle = await openNameless();
    const hash = createHash('sha256');
    let bytes = 0;
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > maxBytes) {
          await handle.close();
          return 'too_large';
        }
        hash.update(chunk);
        await handle.write(chunk);
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    return { sha256: hash.digest(), bytes, handle, discard: () => handle.close() };
  }

  return {
    async receive(chunks) {
      // One at a time also on the disk.
      if (isReceiving) return 'busy';
      isReceiving = true;
      try {
        return await receive(chunks);
      } finally {
        isReceiving = false;
      }
    },

    isBusy: () => feed.isBusy(),

    async prepare(tx, { file, mode, dryRun, signature, clientId, agency }) {
      const { bytes, handle } = file;
      const prepared = await feed.prepare(
        {
          ...{ mode, dryRun, signature },
          source: { kind: 'service', clientId, agency },
          open: () => Promise.resolve({ bytes, chunks: handle.createReadStream({ start: 0, highWaterMark: 262_144 }) }),
          signal: leaving.signal,
        },
        tx,
      );
      const run = async (): Promise<void> => {
        try {
          await prepared.run();
        } catch (error) {
          log.error('a personnel file broke off', { run: prepared.id, detail: codeOf(error) });
        } finally {
          // Reading it to its end has closed it.
          await handle.close().catch(() => undefined);
        }
      };
      return {
        id: prepared.id,
        begin() {
          const running = run().finally(() => underWay.delete(running));
          underWay.add(running);
        },
      };
    },

    async find(id, clientId) {
      const run = await feed.find(id);
      return run?.clientId === clientId ? run : undefined;
    },

    async stop() {
      leaving.abort();
      await Promise.all(underWay);
    },
  };
}

/** A message of the database may hold what stood in a row. */
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name);
}

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'sso-asn-feed-'));
  try {
    return await open(join(folder, 'people.csv'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
}
