import type { Log } from '../kernel/log.js';
import type { Queryable } from './database.js';
import { readRevisions, REVISIONS, type Revision } from './revisions-store.js';

export { bumpRevision, type Revision } from './revisions-store.js';

/** Well below the ten seconds in which a change must be felt, with room for a slow answer. */
const EVERY_MS = 3_000;

export interface RevisionWatch {
  /** Begins to look every three seconds. */
  start(): void;
  /** Looks now and resolves when every follower whose thing has changed has read it. Throws what one of them throws. */
  check(): Promise<void>;
  /** Resolves when nothing more is in hand. */
  stop(): Promise<void>;
}

export interface RevisionWatchOptions {
  readonly db: Queryable;
  readonly log: Log;
  readonly everyMs?: number;
  /** Called once at the first check, then whenever its thing has changed; again when it has thrown. */
  readonly followers: Readonly<Partial<Record<Revision, () => Promise<void>>>>;
}

/** One small statement, and the thing itself only when it has changed (ADR 0026). */
export function createRevisionWatch(options: RevisionWatchOptions): RevisionWatch {
  const { db, log, everyMs = EVERY_MS, followers } = options;
  const seen = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let inHand: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const numbers = await readRevisions(db);
    for (const name of REVISIONS) {
      const number = numbers.get(name) ?? '0';
      if (seen.get(name) === number) continue;
      await followers[name]?.();
      // Only now: what changes while it is read is read once more.
      seen.set(name, number);
    }
  };

  const check = async (): Promise<void> => {
    // One look at a time, and one that began before this call may have seen too little.
    await inHand?.catch(() => undefined);
    inHand ??= look().finally(() => {
      inHand = undefined;
    });
    await inHand;
  };

  return {
    check,
    start() {
      timer ??= setInterval(() => {
        if (inHand !== undefined) return;
        check().catch((error: unknown) => {
          log.warn('what may have changed cannot be read', { reason: error instanceof Error ? error.name : 'unknown' });
        });
      }, everyMs);
    },
    async stop() {
      clearInterval(timer);
      await inHand?.catch(() => undefined);
    },
  };
}
