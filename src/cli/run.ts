import { pinoLog } from '../config/pino-log.js';
import { ConfigError, loadConfig } from '../config/load.js';
import { environment } from '../config/environment.js';
import { buildServices, type Services } from '../container.js';
import { systemClock } from '../kernel/clock.js';
import { hasCluster } from '../storage/embedded-cluster.js';
import { openStores } from '../stores.js';
import { lineOf, printProblems } from './problems.js';

interface RunOptions {
  /** It may well be the first thing done to a new embedded database; any other command asks about what is there, and warns. */
  readonly mayBeFirst: boolean;
}
export const MAY_BE_FIRST: RunOptions = { mayBeFirst: true };

/** Runs one command over opened stores; what it answers becomes the exit code. */
export type RunWithServices = (work: (services: Services) => Promise<number>, options?: RunOptions) => Promise<void>;

/** Exit codes: 0 done, 1 refused, failed or some rows skipped, 2 wrong usage (commander's own). */
export const runWithServices: RunWithServices = async (work, { mayBeFirst } = { mayBeFirst: false }) => {
  try {
    const config = loadConfig(environment);
    if (!mayBeFirst && config.databaseUrl === undefined && !(await hasCluster(config.dataDir))) {
      // It works as any command does (docs/CONTRACT), and would say of everything that it is not there.
      process.stderr.write(
        `sso-asn: a new, empty database begins in ${config.dataDir}; is DATA_DIR or DATABASE_URL set?\n`,
      );
    }
    const log = pinoLog('error');
    const stores = await openStores({ config, log });
    try {
      process.exitCode = await work(await buildServices({ config, stores, log, clock: systemClock }));
    } finally {
      await stores.close();
    }
  } catch (error) {
    if (error instanceof ConfigError) printProblems(error);
    else process.stderr.write(`sso-asn: ${lineOf(error)}\n`);
    process.exitCode = 1;
  }
};
