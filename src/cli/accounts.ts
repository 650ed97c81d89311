import type { Command } from 'commander';
import { addCareCommands } from './account-care.js';
import { accountFacts, LABEL_WIDTH } from './account-facts.js';
import { addFeedCommands } from './account-feed.js';
import { changesToAskAbout } from './changes-to-ask-about.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

/** `accounts import FILE`, `accounts feeds`, `accounts show` and what operators do for one account */
export function addAccountsCommands(program: Command, run: RunWithServices): Command {
  const accounts = program.command('accounts').description('the SSO ASN accounts of employees');
  addFeedCommands(accounts, run);
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
