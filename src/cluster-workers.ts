import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Log } from './kernel/log.js';
import type { ReadinessCheck } from './metrics/management.js';
import type { Metrics, Snapshot } from './metrics/metrics.js';
import { DRAIN_MS } from './serve.js';

/** A worker that lived this long died of something new: its replacement waits as after a first death. */
const STEADY_MS = 60_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 30_000;
/** Beyond the drain, for closing the stores; then a worker is ended. */
const PATIENCE_MS = DRAIN_MS + 5_000;
/** A worker that is starting, ending or stuck is left out of the metrics. */
const METRICS_DEADLINE_MS = 1_000;

/** How long to wait before a worker that died `deaths` times in a row is replaced. */
const delayMs = (deaths: number): number => Math.min(FIRST_DELAY_MS * 2 ** (deaths - 1), LONGEST_DELAY_MS);

/** The processes that serve, kept alive by the primary. */
export interface Workers {
  /** Resolves when every worker served for the first time, rejects when one ended before that. */
  start(): Promise<void>;
  readonly check: ReadinessCheck;
  /** Of the workers that answer in time. */
  snapshots(): Promise<Snapshot[]>;
  /** Replaces nobody any more, has all of them drain, ends those that do not. */
  stop(): Promise<void>;
}

/** Forks with node:cluster, which hands every worker its turn of the connections to one listener. */
export function keepWorkers(count: number, log: Log): Workers {
  const alive = new Set<Worker>();
  const serving = new Set<Worker>();
  const delays = new Set<NodeJS.Timeout>();
  const first = Promise.withResolvers<undefined>();
  let started = false;
  let stopping = false;

  function fork(deaths: number): void {
    const worker = cluster.fork();
    const bornAt = performance.now();
    alive.add(worker);
    worker.once('listening', () => {
      serving.add(worker);
      log.info('a worker serves', { pid: worker.process.pid });
      if (serving.size < count) return;
      started = true;
      first.resolve(undefined);
    });
    worker.once('exit', (code, signal) => {
      alive.delete(worker);
      serving.delete(worker);
      if (stopping) return;
      if (!started) {
        first.reject(new Error('a worker ended before it served'));
        return;
      }
      const next = performance.now() - bornAt >= STEADY_MS ? 1 : deaths + 1;
      log.error('a worker ended', { pid: worker.process.pid, code, signal, restart_in_ms: delayMs(next) });
      const delay = setTimeout(() => {
        delays.delete(delay);
        fork(next);
      }, delayMs(next));
      delays.add(delay);
    });
  }

  return {
    start() {
      for (let index = 0; index < count; index += 1) fork(0);
      return first.promise;
    },
    check: {
      name: 'workers',
      problem: () => Promise.resolve(serving.size === count ? undefined : `${serving.size} of ${count} serve`),
    },
    async snapshots() {
      const answers = await Promise.all([...serving].map(askForMetrics));
      return answers.filter((answer) => answer !== undefined);
    },
    async stop() {
      stopping = true;
      for (const delay of delays) clearTimeout(delay);
      await Promise.all(
        [...alive].map(async (worker) => {
          const ended = once(worker, 'exit');
          worker.process.kill('SIGTERM');
          const late = setTimeout(() => worker.process.kill('SIGKILL'), PATIENCE_MS);
          await ended;
          clearTimeout(late);
        }),
      );
    },
  };
}

interface MetricsQuestion {
  readonly metrics: 'asked';
  readonly id: number;
}

interface MetricsAnswer {
  readonly metrics: 'told';
  readonly id: number;
  readonly snapshot: Snapshot;
}

let questions = 0;

/** The primary's side. Undefined when the worker has gone or does not answer in time. */
function askForMetrics(worker: Worker): Promise<Snapshot | undefined> {
  const question: MetricsQuestion = { metrics: 'asked', id: (questions += 1) };
  return new Promise((resolve) => {
    const finish = (snapshot?: Snapshot): void => {
      clearTimeout(deadline);
      worker.off('message', hear);
      resolve(snapshot);
    };
    const hear = (message: Partial<MetricsAnswer>): void => {
      if (message.metrics === 'told' && message.id === question.id) finish(message.snapshot);
    };
    const deadline = setTimeout(finish, METRICS_DEADLINE_MS);
    worker.on('message', hear);
    worker.send(question, (error) => {
      if (error !== null) finish();
    });
  });
}

/** The worker's side of {@link Workers.snapshots}. */
export function answerWithMetrics(metrics: Pick<Metrics, 'snapshot'>): void {
  process.on('message', ({ metrics: kind, id }: Partial<MetricsQuestion>) => {
    if (kind !== 'asked' || id === undefined) return;
    void metrics.snapshot().then((snapshot) => {
      // A primary that has gone needs no answer.
      process.send?.({ metrics: 'told', id, snapshot } satisfies MetricsAnswer, () => undefined);
    });
  });
}
