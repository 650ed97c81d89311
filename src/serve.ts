import { availableParallelism } from 'node:os';
import { MAILED_CODES_EXPIRY } from './codes/mailed-codes.js';
import { isLoopback } from './config/load.js';
import type { Config } from './config/settings.js';
import { buildServices, type Services } from './container.js';
import { DEMO_PEOPLE, loadDemoPeople } from './demo/people.js';
import { systemClock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import { createMailDelivery, MAIL } from './mail/delivery.js';
import { createSmtpTransport } from './mail/smtp.js';
import type { MailTransport } from './mail/transport.js';
import { createManagement } from './metrics/management.js';
import { OUTBOX_EXPIRY } from './outbox/outbox.js';
import { observeOutbox } from './outbox/outbox-metrics.js';
import { purgeExpired } from './oidc/purge-store.js';
import { keepTokenPartitions } from './oidc/token-partitions-store.js';
import { createOutboxWorker, type OutboxWorker } from './outbox/worker.js';
import { buildSite, type Site } from './site.js';
import { openPostgres } from './storage/postgres.js';
import { createPurge } from './storage/purge-store.js';
import { storageReadiness } from './storage/readiness.js';
import { EXPIRED_ROWS } from './expired-rows.js';
import { openStores } from './stores.js';
import { EXPIRED_LIMITS } from './throttle/retention.js';
import { listen } from './web/server.js';
import { startBanner } from './banner.js';

/** How long requests under way may take once we are told to stop. */
const DRAIN_MS = 15_000;

export interface Running {
  /** For the person who started it: addresses and demo accounts. */
  readonly banner: string;
  readonly site: Site;
  readonly services: Services;
  readonly port: number;
  readonly managementPort: number;
  /** Leaves readiness, takes no new connection, finishes what is under way, closes the stores. */
  stop(): Promise<void>;
}

function transportOf(config: Config, site: Site): MailTransport {
  if (config.smtpUrl === undefined) {
    if (site.localOutbox === undefined) throw new Error('no way out for mail');
    return site.localOutbox;
  }
  const requireTls = config.production || !isLoopback(new URL(config.smtpUrl).hostname);
  return createSmtpTransport({ url: config.smtpUrl, from: config.mailFrom, requireTls });
}

/** Opens everything and listens. Throws with one clear line when it must not start. */
export async function serve(config: Config, log: Log): Promise<Running> {
  const clock = systemClock;
  const cores = config.workers === 'auto' || config.workers > 1 ? 1 : availableParallelism();
  const stores = await openStores({ config, log });
  try {
    // The worker needs the services, and they nudge it.
    const nudged: { worker?: OutboxWorker } = {};
    const onMessage = (): void => nudged.worker?.nudge();
    const services = await buildServices({ config, stores, log, clock, cores, onMessage });
    const { db, audit, box, metrics } = services;
    await audit.prepare(db);
    await keepTokenPartitions(db, clock.now());
    if (config.demo) await loadDemoPeople(services);
    const site = await buildSite(services);

    const transport = transportOf(config, site);
    const worker = createOutboxWorker({
      db,
      box,
      clock,
      log,
      handlers: { [MAIL]: createMailDelivery({ transport, onOutcome: metrics.mail }) },
      onOutcome: metrics.outbox,
    });
    nudged.worker = worker;
    observeOutbox({ metrics, worker, clock });
    metrics.observe({
      name: 'sso_hash_queue_depth',
      help: 'Password hashes that wait for their turn.',
      read: () => services.hashQueue.depth(),
    });
    const purge = createPurge({
      db,
      clock,
      log,
      expiries: [...EXPIRED_ROWS, ...EXPIRED_LIMITS, OUTBOX_EXPIRY, MAILED_CODES_EXPIRY],
      tasks: [
        { name: 'audit months', run: () => audit.prepare(db).then(() => 0) },
        { name: 'tokens', run: purgeExpired },
        { name: 'token partitions', run: async (database, now) => (await keepTokenPartitions(database, now)).dropped.length },
      ],
      onPurged: metrics.purged,
    });

    let draining = false;
    const probes = openPostgres({
      url: stores.databaseUrl,
      maxConnections: 1,
      onIdleError: (error) => {
        log.warn('the probe lost its database connection', { detail: error.message });
      },
    });
    const management = await listen(
      createManagement({
        checks: storageReadiness({ db: probes, clock, metrics }),
        draining: () => draining,
        metrics,
      }),
      { host: config.managementHost, port: config.managementPort },
    );
    const publicListener = await listen(site.listener, { host: config.host, port: config.port });
    worker.start();
    purge.start();
    log.info('serving', { issuer: config.issuerText, port: publicListener.address.port });

    return {
      banner: startBanner(config, DEMO_PEOPLE),
      site,
      services,
      port: publicListener.address.port,
      managementPort: management.address.port,
      async stop() {
        draining = true;
        log.info('draining');
        await publicListener.drain(DRAIN_MS);
        await Promise.all([worker.stop(), purge.stop()]);
        transport.close();
        await management.drain(0);
        await probes.close();
        await stores.close();
        log.info('stopped');
      },
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}
