import type { Command } from 'commander';
import { findAgency } from '../accounts/agencies.js';
import { agencyCode } from '../kernel/ids.js';
import { errorsPathOf } from '../provisioning/import-file.js';
import { importAgencies } from '../provisioning/import-agencies.js';
import { reportImport } from './import-report.js';
import { MAY_BE_FIRST, type RunWithServices } from './run.js';

/** `agencies import FILE` and `agencies two-officers` */
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
      }, MAY_BE_FIRST),
    );
  agencies
    .command('two-officers')
    .description('demand a second officer for every act on people of an agency and of those below it')
    .requiredOption('--agency <code>', 'the code, as it was imported')
    .option('--off', 'demand it no longer')
    .action(({ agency, off = false }: { agency: string; off?: boolean }) =>
      run(async ({ db, twoOfficers }) => {
        const code = agencyCode(agency);
        if (!(await twoOfficers.setByOperator({ agency: code, on: !off }))) {
          console.error('no agency has this code');
          return 1;
        }
        const name = (await findAgency(db, code))?.name ?? '';
        console.log(
          off
            ? `${name} (${code}): one officer is enough again, unless an agency above demands two`
            : `${name} (${code}) and all below it: two officers from now on`,
        );
        return 0;
      }),
    );
}
