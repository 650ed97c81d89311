import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, type Environment } from '#src/config/load.js';
import { buildServices, type Services } from '#src/container.js';
import { systemClock } from '#src/kernel/clock.js';
import { openInProcess } from '#src/storage/in-process.js';
import { openPostgres } from '#src/storage/postgres.js';
import { addAgencies } from '../accounts/people.js';
import { SCREEN } from './device-client.js';
import { startMailbox, type Mailbox } from './mailbox.js';
import { startServerProcess, type ServerProcess } from './processes.js';
import { quietLog } from './quiet-log.js';
import { REGISTRATIONS } from './relying-party.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';
import { makeTemporaryFolder } from './temporary-folder.js';
import { Visitor, type VisitorOptions } from './visitor.js';

export const CAPTCHA = 'Ab3';

/** Several processes of the built program behind one address, on one set of stores. */
export interface Installation {
  readonly issuer: string;
  /** What its processes are given. */
  readonly settings: Environment;
  /** The services over the same stores, in this process: to prepare people and to look. */
  readonly services: Services;
  readonly mailbox: Mailbox;
  /** In front of the processes: a new connection goes to the next one that is ready. */
  readonly balancer: TcpProxy;
  readonly processes: readonly ServerProcess[];
  /** Starts one more process. */
  start(settings?: Environment): Promise<ServerProcess>;
  /** Forgets a process that was ended. */
  remove(process: ServerProcess): void;
  /** A browser of its own, that asks the processes in turn. */
  visitor(options?: Partial<VisitorOptions>): Visitor;
  /** Everything the processes logged as an error, also those that have ended. */
  errors(): readonly unknown[];
  stop(): Promise<void>;
}

export interface InstallationOptions {
  /** A migrated database. */
  readonly databaseUrl: string;
  readonly settings?: Environment;
  readonly mailbox?: Mailbox;
}

const PROBE_MS = 100;

/** Opens an installation without processes; {@link Installation.start} adds them. */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const dataDir = await makeTemporaryFolder('sso-asn-installation-');
  const clientsFile = join(dataDir, 'clients.json');
  await writeFile(clientsFile, JSON.stringify([...REGISTRATIONS, SCREEN]));
  const mailbox = options.mailbox ?? (await startMailbox());

  const running = new Set<ServerProcess>();
  const every: ServerProcess[] = [];
  /** As a load balancer knows them: from its last probe. */
  let ready: ServerProcess[] = [];
  let turn = 0;
  const balancer = await startTcpProxy(() => {
    turn += 1;
    return ready.map((_, index) => ready[(index + turn) % ready.length]?.port ?? 0);
  });
  const look = async (): Promise<void> => {
    const looked = await Promise.all([...running].map(async (each) => ({ each, isReady: await each.isReady() })));
    ready = looked.filter(({ isReady }) => isReady).map(({ each }) => each);
  };
  const probing = setInterval(() => void look(), PROBE_MS);

  const issuer = `http://localhost:${balancer.port}`;
  const settings: Environment = {
    ISSUER: issuer,
    DATABASE_URL: options.databaseUrl,
    DATA_DIR: dataDir,
    CLIENTS_FILE: clientsFile,
    SMTP_URL: mailbox.url,
    CAPTCHA_TEST_ANSWER: CAPTCHA,
    NOTICE_MERGE_SECONDS: '0',
    // Visitors come from where they say, so that each has limits of their own.
    TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'info',
    ...options.settings,
  };
  const db = openPostgres({ url: options.databaseUrl, maxConnections: 10, onIdleError: () => undefined });
  const keyValue = openInProcess(systemClock);
  const services = await buildServices({
    config: loadConfig(settings),
    stores: { db, databaseUrl: options.databaseUrl, keyValue, close: () => db.close() },
    log: quietLog(),
    clock: systemClock,
  });
  await services.clients.loadFile(services.clientsFile.written);
  await addAgencies(db);

  return {
    issuer,
    settings,
    services,
    mailbox,
    balancer,
    get processes() {
      return [...running];
    },
    async start(more = {}) {
      const process = await startServerProcess({ ...settings, ...more });
      running.add(process);
      every.push(process);
      await look();
      return process;
    },
    remove(process) {
      running.delete(process);
    },
    visitor: (more = {}) => new Visitor({ issuer, ports: [...running].map(({ port }) => port), ...more }),
    errors: () => every.flatMap(({ log }) => log.filter(({ level }) => level === 'error')),
    async stop() {
      clearInterval(probing);
      await Promise.all([...running].map((process) => process.kill()));
      await balancer.stop();
      await db.close();
      if (options.mailbox === undefined) await mailbox.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
