import type { Clock } from '../kernel/clock.js';
import type { Metrics } from '../metrics/metrics.js';
import type { OutboxWorker } from './worker.js';

export interface OutboxMetricsOptions {
  readonly metrics: Pick<Metrics, 'observe'>;
  readonly worker: Pick<OutboxWorker, 'backlog'>;
  readonly clock: Clock;
}

/** Shows how much waits, since when, and how much was given up: what the alerts on mail stand on. */
export function observeOutbox({ metrics, worker, clock }: OutboxMetricsOptions): void {
  metrics.observe({
    name: 'sso_outbox_messages',
    help: 'Messages that wait to be delivered, by kind.',
    label: 'kind',
    read: async () => new Map((await worker.backlog()).map(({ kind, waiting }) => [kind, waiting])),
  });
  metrics.observe({
    name: 'sso_outbox_dead_messages',
    help: 'Messages given up in the last 30 days, by kind.',
    label: 'kind',
    read: async () => new Map((await worker.backlog()).map(({ kind, dead }) => [kind, dead])),
  });
  metrics.observe({
    name: 'sso_outbox_oldest_age_seconds',
    help: 'Age of the oldest message that waits.',
    read: async () => {
      const ages = (await worker.backlog()).map(({ oldestAt }) =>
        oldestAt === undefined ? 0 : (clock.now().getTime() - oldestAt.getTime()) / 1000,
      );
      return Math.max(0, ...ages);
    },
  });
}
