import type { Command } from 'commander';
import { environment } from '../config/environment.js';
import { ConfigError, loadConfig } from '../config/load.js';
import { pinoLog } from '../config/pino-log.js';
import { startEmbeddedPostgres } from '../storage/embedded-postgres.js';
import { grantTo, isRoleName, migrate } from '../storage/migrate.js';
import { lineOf, printProblems } from './problems.js';

async function run(role: string | undefined): Promise<number> {
  try {
    const config = loadConfig(environment);
    const log = pinoLog('warn');
    const url = config.migrationDatabaseUrl;
    const embedded = url === undefined ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined;
    try {
      const database = url ?? embedded?.url ?? '';
      const names = await migrate({ url: database, log });
      for (const name of names) process.stdout.write(`applied ${name}\n`);
      if (names.length === 0) process.stdout.write('nothing to apply\n');
      if (role !== undefined) {
        await grantTo(database, role);
        process.stdout.write(`${role} may do what the program does, and nothing else\n`);
      }
      return 0;
    } finally {
      await embedded?.stop();
    }
  } catch (error) {
    if (error instanceof ConfigError) printProblems(error);
    else process.stderr.write(`sso-asn: ${lineOf(error)}\n`);
    return 1;
  }
}

export function addMigrateCommand(program: Command): void {
  program
    .command('migrate')
    .description('apply the migrations that the database lacks, under a lock')
    .option('--grant <role>', 'then give the role of DATABASE_URL what the program needs, and nothing else')
    .action(async ({ grant }: { grant?: string }, command: Command) => {
      if (grant !== undefined && !isRoleName(grant)) {
        command.error('--grant takes a role: small letters, digits and underscores', { exitCode: 2 });
      }
      process.exitCode = await run(grant);
    });
}
