import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Database } from '../storage/database.js';
import {
  findHead,
  findLastCheckpoint,
  insertCheckpoint,
  insertSeals,
  lockChain,
  takeUnsealed,
  type Seal,
} from './chain-store.js';
import { appendCheckpoint, lineOf, type Checkpoint, type Checkpoints } from './checkpoints.js';
import { GENESIS, linkOf } from './link.js';

/** Rows are sealed within two seconds. */
const EVERY_MS = 1_000;
const BATCH = 2_000;
/** A checkpoint a minute, while there is something new. */
const CHECKPOINT_MS = 50_000;
/** How often a process looks whether one is due: another may have made it. */
const LOOK_MS = 10_000;

export interface Sealer {
  /** Begins to seal every second; of several processes one does it at a time. */
  start(): void;
  /** Seals what waits. Answers how much that was; 0 also when another process is at it. */
  sealDue(): Promise<number>;
  /** Resolves when the batch in hand has ended. */
  stop(): Promise<void>;
}

export interface SealerParts {
  readonly db: Database;
  readonly checkpoints: Checkpoints;
  /** Where checkpoints are kept besides the database. */
  readonly checkpointFile: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Ties what was written into the chain (R-41, docs/adr/0018). A batch is one transaction: killed at any moment, it is
 * sealed wholly or waits as before.
 */
export function createSealer(parts: SealerParts): Sealer {
  const { db, checkpoints, checkpointFile, clock, log } = parts;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> | undefined;
  let stopped = false;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const sealBatch = (): Promise<number> =>
    db.transaction(async (tx) => {
      if (!(await lockChain(tx))) return 0;
      let { seq, hash } = (await findHead(tx)) ?? { seq: 0n, hash: GENESIS };
      const waiting = await takeUnsealed(tx, BATCH);
      if (waiting.length === 0) return 0;
      const seals = waiting.map(({ eventId, eventAt, text }): Seal => {
        seq += 1n;
        hash = linkOf(hash, seq, text);
        return { seq, hash, eventId, eventAt };
      });
      await insertSeals(tx, seals);
      return seals.length;
    });

  /** At most one a minute, whichever process seals. */
  const checkpoint = (): Promise<Checkpoint | undefined> =>
    db.transaction(async (tx) => {
      if (!(await lockChain(tx))) return undefined;
      const head = await findHead(tx);
      const last = await findLastCheckpoint(tx);
      const now = clock.now();
      if (head === undefined || last?.seq === head.seq) return undefined;
      if (last !== undefined && now.getTime() - last.at.getTime() < CHECKPOINT_MS) return undefined;
      const made = checkpoints.make(head, now);
      await insertCheckpoint(tx, made);
      return made;
    });

  async function sealDue(): Promise<number> {
    let total = 0;
    for (let sealed = BATCH; sealed === BATCH && !stopped; total += sealed) sealed = await sealBatch();
    const now = clock.now().getTime();
    if (now - lookedAt < LOOK_MS) return total;
    lookedAt = now;
    const made = await checkpoint();
    if (made !== undefined) {
      log.info('audit checkpoint', lineOf(made));
      // The log has it: a disk that is full or read-only costs the second place, not the sealing.
      await appendCheckpoint(checkpointFile, made).catch((error: unknown) => {
        log.error('the second place of audit checkpoints cannot be written', { reason: (error as Error).name });
      });
    }
    return total;
  }

  const tick = (): void => {
    running ??= sealDue()
      .catch((error: unknown) => {
        log.warn('the audit trail was not sealed', { reason: error instanceof Error ? error.name : 'unknown' });
      })
      .finally(() => {
        running = undefined;
      });
  };

  return {
    start() {
      timer ??= setInterval(tick, EVERY_MS);
    },
    sealDue,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
