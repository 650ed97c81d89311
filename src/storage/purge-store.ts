import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { randomBelow } from '../security/secrets.js';
import type { Database } from './database.js';
import type { Expiry } from './expiry.js';

/** Forgetting that is more than deleting rows: dropping partitions. Answers how much went. */
export interface PurgeTask {
  readonly name: string;
  run(db: Database, now: Date): Promise<number>;
}

export interface PurgeOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly expiries: readonly Expiry[];
  readonly tasks?: readonly PurgeTask[];
  readonly onPurged?: (name: string, count: number) => void;
  /** Rows of one statement, small enough to hold nobody up. */
  readonly batchRows?: number;
}

export interface Purge {
  /** Begins to purge once a minute, each process at its own moment. */
  start(): void;
  /** Purges everything once. Answers what went, by table and task; nothing when another process is at it. */
  runOnce(): Promise<ReadonlyMap<string, number>>;
  /** Resolves when the statement in hand has ended. */
  stop(): Promise<void>;
}

/** Any number, always the same: the lock's name. */
const LOCK = 7_260_002;
const EVERY_MS = 60_000;
const JITTER_MS = 20_000;
/** A table that has more than this many batches goes on next minute. */
const MAX_BATCHES = 200;

type Step = { readonly kind: 'done'; readonly count: number } | { readonly kind: 'elsewhere' };

/** Deletes what has expired, a table at a time in bounded batches, in one process at a time. */
export function createPurge(options: PurgeOptions): Purge {
  const { db, clock, log, expiries, tasks = [], onPurged, batchRows = 5000 } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let stopped = false;

  /** The lock ends with the transaction, so a process that dies leaves none behind. */
  const deleteBatch = ({ table, where }: Expiry): Promise<Step> =>
    db.transaction(async (tx) => {
      const [lock] = await tx.query('SELECT pg_try_advisory_xact_lock($1::bigint) AS held', [LOCK]);
      if (lock?.held !== true) return { kind: 'elsewhere' };
      // The condition twice: partitions of one table have rows with equal ctid.
      const [deleted] = await tx.query(
        `WITH gone AS (
           DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM ${table} WHERE ${where} LIMIT ${batchRows} FOR UPDATE SKIP LOCKED))
             AND (${where})
           RETURNING 1)
         SELECT count(*)::integer AS count FROM gone`,
        [clock.now()],
      );
      return { kind: 'done', count: deleted?.count as number };
    });

  const empty = async (expiry: Expiry): Promise<number> => {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES && !stopped; batch += 1) {
      const step = await deleteBatch(expiry);
      if (step.kind === 'elsewhere') break;
      total += step.count;
      if (step.count < batchRows) break;
    }
    return total;
  };

  const runOnce = async (): Promise<ReadonlyMap<string, number>> => {
    const counts = new Map<string, number>();
    const jobs = [
      ...expiries.map((expiry) => ({ name: expiry.table, run: () => empty(expiry) })),
      ...tasks.map((task) => ({ name: task.name, run: () => task.run(db, clock.now()) })),
    ];
    for (const { name, run } of jobs) {
      if (stopped) break;
      try {
        const count = await run();
        if (count === 0) continue;
        counts.set(name, (counts.get(name) ?? 0) + count);
        onPurged?.(name, count);
      } catch (error) {
        // One table in trouble does not keep the others.
        log.warn('purge failed', { table: name, reason: error instanceof Error ? error.name : 'unknown' });
      }
    }
    if (counts.size > 0) log.info('purged', Object.fromEntries(counts));
    return counts;
  };

  const schedule = (): void => {
    timer = setTimeout(
      () => {
        running = runOnce().finally(() => {
          if (!stopped) schedule();
        });
      },
      EVERY_MS - JITTER_MS / 2 + randomBelow(JITTER_MS),
    );
  };

  return {
    start() {
      if (timer === undefined) schedule();
    },
    runOnce,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
