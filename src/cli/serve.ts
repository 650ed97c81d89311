import cluster from 'node:cluster';
import type { Command } from 'commander';
import { start } from '../cluster.js';
import { environment } from '../config/environment.js';
import { ConfigError, loadConfig } from '../config/load.js';
import { pinoLog } from '../config/pino-log.js';
import { NOTICE_MS } from '../serve.js';
import { lineOf, printProblems } from './problems.js';

async function run(overrides: Readonly<Record<string, string>>): Promise<void> {
  try {
    const config = loadConfig({ ...environment, ...overrides });
    const log = pinoLog(config.logLevel);
    const started = await start(config, log);
    process.stderr.write(started.banner);
    let stopping: Promise<void> | undefined;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        // A person at the terminal has no balancer that must notice.
        stopping ??= started.stop({ noticeMs: signal === 'SIGTERM' ? NOTICE_MS : 0 }).then(() => process.exit(0));
      });
    }
  } catch (error) {
    if (error instanceof ConfigError) printProblems(error);
    else process.stderr.write(`sso-asn: ${lineOf(error)}\n`);
    process.exitCode = 1;
    // The channel to the primary would keep a worker alive.
    cluster.worker?.disconnect();
  }
}

export function addServeCommands(program: Command): void {
  program
    .command('serve')
    .description('serve the pages and the OpenID Connect endpoints until SIGTERM')
    .action(() => run({}));
  program
    .command('demo')
    .description('serve with demo accounts, agencies and sample relying parties (the same as DEMO=true serve)')
    .action(() => run({ DEMO: 'true' }));
}
