import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { CONTACT_EXPIRY, CONTACT_OPENS } from './account/contact/contact-change.js';
import { createNoticeHandler, NOTICES, NOTICE_EXPIRIES } from './accounts/account-mail.js';
import { MAILED_CODES_EXPIRY } from './codes/mailed-codes.js';
import { isLoopback } from './config/load.js';
import type { Config } from './config/settings.js';
import { buildServices, type Services } from './container.js';
import { keepDecoysFresh } from './decoy-refresh.js';
import { DEMO_PEOPLE, loadDemoPeople } from './demo/people.js';
import { systemClock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import { createMailDelivery, MAIL } from './mail/delivery.js';
import { recordSent } from './mail/last-mails.js';
import { createSmtpTransport } from './mail/smtp.js';
import type { MailTransport } from './mail/transport.js';
import { createManagement, type ManagementOptions } from './metrics/management.js';
import type { Metrics } from './metrics/metrics.js';
import { HALF_TIME } from './mfa/waiting-resets.js';
import { OUTBOX_EXPIRY } from './outbox/outbox.js';
import { observeOutbox } from './outbox/outbox-metrics.js';
import { BACKCHANNEL_LOGOUT } from './oidc/logout/logout-notices.js';
import { purgeExpired } from './oidc/storage/purge-store.js';
import { TO_MANY } from './outbox/retry.js';
import { createOutboxWorker, type OutboxWorker } from './outbox/worker.js';
import { keepPartitions } from './partitions.js';
import { buildSite, type Site } from './site.js';
import { openPostgres } from './storage/postgres.js';
import { createPurge } from './storage/purge-store.js';
import { createRevisionWatch } from './storage/revisions.js';
import { storageReadiness } from './storage/readiness.js';
import { EXPIRED_ROWS } from './expired-rows.js';
import { openStores } from './stores.js';
import { EXPIRED_LIMITS } from './throttle/retention.js';
import { listen, type Listener } from './web/server.js';
import { startBanner } from './banner.js';

/** How long requests under way may take once no connection is taken any more. */
const GRACE_MS = 12_000;
/** Relying parties told at the same time: five that hang leave room for the others. */
const LOGOUTS_AT_ONCE = 20;
/** How long a balancer may take to notice that we leave. */
export const NOTICE_MS = 3_000;
/** The longest way from being told to stop to the last answer. */
export const DRAIN_MS = NOTICE_MS + GRACE_MS;

export interface StopOptions {
  /** Goes on serving for so long, unready: without a balancer nobody has to notice, and it is 0. */
  readonly noticeMs?: number;
}

export interface Running {
  /** For the person who started it: addresses and demo accounts. */
  readonly banner: string;
  readonly site: Site;
  readonly services: Services;
  readonly port: number;
  /** Leaves readiness, then takes no new connection, finishes what is under way, closes the stores. */
  stop(options?: StopOptions): Promise<void>;
}

export interface ServeOptions {
  /**
   * How many such processes share this machine. With more than one, the primary has prepared the stores and answers
   * at the management port for all (cluster.ts).
   */
  readonly processes?: number;
  /** Called once per statement, with its text: budgets are counted here. */
  readonly onStatement?: (text: string) => void;
}

function transportOf(config: Config, site: Site): MailTransport {
  if (config.smtpUrl === undefined) {
    if (site.localOutbox === undefined) throw new Error('no way out for mail');
    return site.localOutbox;
  }
  const requireTls = config.production || !isLoopback(new URL(config.smtpUrl).hostname);
  return createSmtpTransport({ url: config.smtpUrl, from: config.mailFrom, requireTls });
}

/** What is done once at a start, however many processes serve. */
export async function prepare(services: Services): Promise<void> {
  const { config } = services;
  await keepPartitions(services);
  await services.clients.loadFile(services.clientsFile.written);
  if (config.demo) await loadDemoPeople(services);
}

/** The management listener, its probes on a connection of their own. `drain` ends it. */
export async function openManagement(
  { config, databaseUrl, clock, log, metrics }: Pick<Services, 'config' | 'databaseUrl' | 'clock' | 'log' | 'metrics'>,
  { checks = [], ...options }: Partial<ManagementOptions> & Pick<ManagementOptions, 'draining'>,
): Promise<Listener> {
  const probes = openPostgres({
    url: databaseUrl,
    maxConnections: 1,
    onIdleError: (error) => {
      log.warn('the probe lost its database connection', { detail: error.message });
    },
  });
  const management = createManagement({
    metrics,
    ...options,
    checks: [...storageReadiness({ db: probes, clock, metrics }), ...checks],
  });
  const at = { host: config.managementHost, port: config.managementPort };
  const listener = await listen(management, at).catch(async (error: unknown) => {
    await probes.close();
    throw error;
  });
  return {
    ...listener,
    async drain(graceMs) {
      await listener.drain(graceMs);
      await probes.close();
    },
  };
}

/** Opens everything and listens. Throws with one clear line when it must not start. */
export async function serve(config: Config, log: Log, options: ServeOptions = {}): Promise<Running> {
  const { processes = 1, onStatement } = options;
  const clock = systemClock;
  // One core of the machine stays free for everything else.
  const hashesAtOnce = Math.max(1, Math.floor((availableParallelism() - 1) / processes));
  // What is made later and called by what is made first.
  const later: { workers?: readonly OutboxWorker[]; metrics?: Metrics } = {};
  let management: Listener | undefined;
  const stores = await openStores({
    config,
    log,
    onStatement: (text) => {
      later.metrics?.databaseStatement();
      onStatement?.(text);
    },
  });
  try {
    const onMessage = (): void =>
      later.workers?.forEach((worker) => {
        worker.nudge();
      });
    const services = await buildServices({ config, stores, log, clock, hashesAtOnce, onMessage });
    const { db, box, metrics } = services;
    later.metrics = metrics;
    if (processes === 1) await prepare(services);
    const site = await buildSite(services);

    const transport = transportOf(config, site);
    const delivering = { db, box, clock, log, onOutcome: metrics.outbox };
    const mails = createOutboxWorker({
      ...delivering,
      handlers: {
        [MAIL]: createMailDelivery({
          transport,
          onOutcome: metrics.mail,
          recordSent: (sent) => recordSent(db, { ...sent, now: clock.now() }),
        }),
        [NOTICES]: createNoticeHandler({ db, accountMail: services.accountMail }),
        [HALF_TIME]: services.waitingResets.tellAtHalfTime,
        [CONTACT_OPENS]: services.contactChanges.openWaiting,
      },
    });
    // Apart from the mails, which would wait behind a relying party that does not answer.
    const logouts = createOutboxWorker({
      ...delivering,
      handlers: { [BACKCHANNEL_LOGOUT]: site.deliverLogout },
      concurrency: LOGOUTS_AT_ONCE,
      waits: TO_MANY,
    });
    const workers = [mails, logouts];
    later.workers = workers;
    observeOutbox({ metrics, worker: mails, clock });
    metrics.observe({
      name: 'sso_hash_queue_depth',
      help: 'Password hashes that wait for their turn.',
      ofProcess: true,
      read: () => services.hashQueue.depth(),
    });
    const purge = createPurge({
      db,
      clock,
      log,
      expiries: [
        ...EXPIRED_ROWS,
        ...EXPIRED_LIMITS,
        OUTBOX_EXPIRY,
        MAILED_CODES_EXPIRY,
        ...NOTICE_EXPIRIES,
        CONTACT_EXPIRY,
      ],
      tasks: [
        { name: 'tokens', run: purgeExpired },
        { name: 'waiting resets', run: () => services.waitingResets.endForgotten() },
        { name: 'partitions', run: () => keepPartitions(services) },
        { name: 'private halves of signing keys', run: () => services.keyRotation.destroyRetired() },
        { name: 'audit months', run: () => services.retention.runDue(db) },
      ],
      onPurged: metrics.purged,
    });

    let draining = false;
    if (processes === 1) management = await openManagement(services, { draining: () => draining });
    // Behind a proxy everybody has its address; outside production a load generator has one, too.
    const isDirect = config.production && config.trustedProxies.length === 0;
    const at = { host: config.host, port: config.port, ...(isDirect ? { maxPerAddress: 200 } : {}) };
    const decoys = await keepDecoysFresh(services);
    const changes = createRevisionWatch({
      db,
      log,
      followers: { clients: () => services.clients.reload(), signing_keys: () => site.signingKeys.follow() },
    });
    await changes.check();
    const publicListener = await listen(site.listener, at);
    for (const worker of workers) worker.start();
    purge.start();
    site.signingKeys.start();
    services.sealer.start();
    services.clientUse.start();
    changes.start();
    log.info('serving', { issuer: config.issuerText, port: publicListener.address.port });

    return {
      banner: startBanner(config, DEMO_PEOPLE),
      site,
      services,
      port: publicListener.address.port,
      async stop({ noticeMs = 0 } = {}) {
        draining = true;
        log.info('draining');
        publicListener.retire();
        decoys.stop();
        site.signingKeys.stop();
        if (noticeMs > 0) await pause(noticeMs);
        await Promise.all([
          publicListener.drain(GRACE_MS),
          purge.stop(),
          changes.stop(),
          services.sealer.stop(),
          services.clientUse.stop(),
          services.feedIntake.stop(),
          ...workers.map((worker) => worker.stop()),
        ]);
        transport.close();
        await management?.drain(0);
        await stores.close();
        log.info('stopped');
      },
    };
  } catch (error) {
    await management?.drain(0);
    await stores.close();
    throw error;
  }
}
