import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { startBanner } from './banner.js';
import type { Config } from './config/settings.js';
import { buildServices } from './container.js';
import { DEMO_PEOPLE } from './demo/people.js';
import { systemClock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import { answerWithMetrics, keepWorkers } from './cluster-workers.js';
import { renderTogether } from './metrics/metrics.js';
import { openManagement, prepare, serve, type StopOptions } from './serve.js';
import { openStores } from './stores.js';

/** What a command that serves has started. */
export interface Started {
  /** For the person who started it; empty in a worker, which nobody started. */
  readonly banner: string;
  /** Finishes what is under way and resolves when everything is closed. */
  stop(options?: StopOptions): Promise<void>;
}

const processesOf = ({ workers }: Config): number => (workers === 'auto' ? availableParallelism() : workers);

/** Serves as `WORKERS` says: in this process, or as the primary of several; or as the worker that a primary forked. */
export async function start(config: Config, log: Log): Promise<Started> {
  const processes = processesOf(config);
  if (cluster.isWorker) return startWorker(config, log, processes);
  return processes === 1 ? serve(config, log) : startPrimary(config, log, processes);
}

async function startWorker(config: Config, log: Log, processes: number): Promise<Started> {
  const running = await serve(config, log, { processes });
  answerWithMetrics(running.services.metrics);
  return { banner: '', stop: (options) => running.stop(options) };
}

/**
 * Prepares the stores once, keeps that many workers alive and answers at the management port for all of them. Throws
 * when a worker ends before all of them served for the first time: what kept it from starting would keep the next.
 */
async function startPrimary(config: Config, log: Log, processes: number): Promise<Started> {
  const clock = systemClock;
  const stores = await openStores({ config, log });
  try {
    const services = await buildServices({ config, stores, log, clock });
    await prepare(services);
    let draining = false;
    const workers = keepWorkers(processes, log);
    const management = await openManagement(services, {
      checks: [workers.check],
      draining: () => draining,
      metrics: {
        render: async () => renderTogether([await services.metrics.snapshot(), ...(await workers.snapshots())]),
      },
    });
    const stop = async (): Promise<void> => {
      draining = true;
      log.info('draining', { workers: processes });
      await workers.stop();
      await management.drain(0);
      await stores.close();
      log.info('stopped');
    };
    await workers.start().catch(async (error: unknown) => {
      await workers.stop();
      await management.drain(0);
      throw error;
    });
    return { banner: startBanner(config, DEMO_PEOPLE), stop };
  } catch (error) {
    await stores.close();
    throw error;
  }
}
