import type { Command } from 'commander';
import { errorsPathOf } from '../provisioning/import-file.js';
import { importAgencies } from '../provisioning/import-agencies.js';
import { reportImport } from './import-report.js';
import type { RunWithServices } from './run.js';

/** `agencies import FILE` */
export function addAgenciesCommands(program: Command, run: RunWithServices): void {
  const agencies = program.command('agencies').description('ministries, provinces, regencies, cities and their units');
  agencies
    .command('import')
    .description('add and change agencies from a CSV file: code,name,parent_code')
    .argument('<file>', 'rows that cannot be loaded are told in <file>.errors.csv')
    .action((path: string) =>
      run(async ({ databaseUrl, clock }) => {
        const errorsPath = errorsPathOf(path);
        const outcome = await importAgencies({ databaseUrl, path, errorsPath, clock });
        return reportImport(outcome, { errorsPath, dryRun: false });
      }),
    );
}
