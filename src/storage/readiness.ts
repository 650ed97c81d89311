import type { Clock } from '../kernel/clock.js';
import type { ReadinessCheck } from '../metrics/management.js';
import type { Metrics } from '../metrics/metrics.js';
import { measureSkewSeconds } from './clock-skew.js';
import type { Queryable } from './database.js';
import { pendingMigrations } from './migrate.js';

/** Beyond this, expiry and one-time codes would be judged by a wrong time. */
const MAX_SKEW_SECONDS = 2;

export interface StorageReadinessOptions {
  /** Best a connection of its own: in a crowd that fills the pool, the process is busy and not unready. */
  readonly db: Queryable;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'observe'>;
}

/** What the store demands before this process may serve: it answers, its schema is ours, our clocks agree. */
export function storageReadiness({ db, clock, metrics }: StorageReadinessOptions): readonly ReadinessCheck[] {
  metrics.observe({
    name: 'sso_clock_skew_seconds',
    help: 'How far the clock of this process is ahead of the one of the database.',
    read: () => measureSkewSeconds({ db, clock }),
  });
  return [
    {
      name: 'database',
      problem: async () => {
        await db.query('SELECT 1');
        return undefined;
      },
    },
    {
      name: 'migrations',
      problem: async () => {
        const pending = await pendingMigrations(db);
        return pending.length === 0 ? undefined : `${pending.length} pending`;
      },
    },
    {
      name: 'clock',
      problem: async () => {
        const seconds = await measureSkewSeconds({ db, clock });
        return Math.abs(seconds) <= MAX_SKEW_SECONDS ? undefined : `off by ${seconds.toFixed(1)} s`;
      },
    },
  ];
}
