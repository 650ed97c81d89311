import type { Command } from 'commander';
import type { Nip } from '../accounts/nip.js';
import { errorsPathOf } from '../provisioning/import-file.js';
import { importAccounts } from '../provisioning/import-accounts.js';
import { addCareCommands } from './account-care.js';
import { accountFacts, LABEL_WIDTH } from './account-facts.js';
import { changesToAskAbout } from './changes-to-ask-about.js';
import { reportImport } from './import-report.js';
import { findByNip } from './person.js';
import { progressBar } from './progress.js';
import type { RunWithServices } from './run.js';

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly errors?: string;
}

/** `accounts import FILE`, `accounts show` and what operators do for one account */
export function addAccountsCommands(program: Command, run: RunWithServices): Command {
  const accounts = program.command('accounts').description('the SSO ASN accounts of employees');
  accounts
    .command('import')
    .description(
      'add and change accounts from a CSV file with the columns nip, name, email, employment, agency_code, status and, if you like, username, person_id, previous_nip, password_hash',
    )
    .argument('<file>', 'UTF-8 with a header row')
    .option('--dry-run', 'change nothing, report the same')
    .option('--errors <file>', 'where to tell of skipped rows (default: <file>.errors.csv)')
    .action((path: string, { dryRun = false, errors }: ImportOptions) =>
      run(async ({ databaseUrl, clock, endSessions, underWay, accountMail, audit }) => {
        const errorsPath = errors ?? errorsPathOf(path);
        const bar = progressBar(clock);
        const outcome = await importAccounts({
          databaseUrl,
          path,
          errorsPath,
          dryRun,
          clock,
          onProgress: bar.show,
          onEmailMoved: async (tx, accounts) => {
            for (const { id, nip, name, oldEmail } of accounts) {
              for (const end of underWay) await end(tx, id);
              await audit.record(tx, { type: 'account.email_imported', detail: {}, accountId: id });
              await accountMail.queue(tx, {
                account: { id, nip: nip as Nip, name, email: oldEmail },
                mail: 'contact-changed',
                data: { at: clock.now(), by: 'import' },
              });
            }
          },
          onInactive: async (tx, ids) => {
            await endSessions.ofAccounts(tx, ids);
            await audit.record(
              tx,
              ...ids.map((id) => ({ type: 'account.imported_inactive' as const, detail: {}, accountId: id })),
            );
          },
        }).finally(bar.end);
        return reportImport(outcome, { errorsPath, dryRun });
      }),
    );
  accounts
    .command('show')
    .description('the state of one account, without secrets; of a frozen one also what to ask the person about')
    .requiredOption('--nip <nip>', '18 digits')
    .action(({ nip }: { nip: string }) =>
      run(async (services) => {
        const account = await findByNip(services.db, nip);
        if (account === undefined) return 1;
        for (const [label, value] of await accountFacts(services, account)) {
          console.log(`${label.padEnd(LABEL_WIDTH)}  ${value}`);
        }
        if (account.frozen) {
          const since = await services.freezing.askSince(account.id);
          for (const line of await changesToAskAbout(services, account.id, since)) console.log(line);
        }
        return 0;
      }),
    );
  addCareCommands(accounts, run);
  return accounts;
}
