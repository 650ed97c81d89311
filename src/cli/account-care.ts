import type { Command } from 'commander';
import { maskEmail } from '../accounts/email.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

/** As long as what officers write about a reset. */
const MIN_REASON = 3;
const MAX_REASON = 500;

interface CareOptions {
  readonly nip: string;
  readonly reason: string;
}

function checkedReason(typed: string, command: Command): string {
  const reason = typed.trim();
  if (reason.length < MIN_REASON || reason.length > MAX_REASON) {
    command.error(`--reason takes ${MIN_REASON} to ${MAX_REASON} characters`, { exitCode: 2 });
  }
  return reason;
}

const NOBODY_TOLD = 'no e-mail address is on file: tell the person yourself';

/** `accounts freeze`, `accounts unfreeze` and `accounts contact-change`: for whoever operates the server. */
export function addCareCommands(accounts: Command, run: RunWithServices): void {
  const careCommand = (name: string, description: string): Command =>
    accounts
      .command(name)
      .description(description)
      .requiredOption('--nip <nip>', '18 digits')
      .requiredOption('--reason <text>', 'why, and how you know that it is this person; kept with the case');

  careCommand('freeze', 'nobody can get in until it is unfrozen; ends sessions, codes and waiting changes').action(
    async (options: CareOptions, command: Command) => {
      const reason = checkedReason(options.reason, command);
      await run(async ({ db, freezing }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const { kind } = await freezing.byOperator({ accountId: account.id, reason });
        if (kind === 'already') {
          console.error('the account is frozen already');
          return 1;
        }
        console.log('frozen');
        if (account.email === undefined) console.log(NOBODY_TOLD);
        return 0;
      });
    },
  );

  careCommand('unfreeze', 'lets the person in again, closes the case, and voids the links of older mails').action(
    async (options: CareOptions, command: Command) => {
      const reason = checkedReason(options.reason, command);
      await run(async ({ db, freezing }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const lifted = await freezing.lift({ accountId: account.id, reason });
        if (lifted.kind === 'not_frozen') {
          console.error('the account is not frozen');
          return 1;
        }
        console.log(`open again, ${lifted.cases} case(s) closed`);
        // Whoever had the account may have changed it: the officer must ask the person.
        if (account.email !== undefined)
          console.log(`mail goes to ${maskEmail(account.email)}: ask whether it is theirs`);
        else console.log(NOBODY_TOLD);
        return 0;
      });
    },
  );

  careCommand(
    'contact-change',
    'a new e-mail address, after a wait in which the old one can stop it, unless the account is frozen',
  )
    .requiredOption('--email <address>', 'the new address; it must prove itself by a code')
    .action(async (options: CareOptions & { email: string }, command: Command) => {
      const reason = checkedReason(options.reason, command);
      await run(async ({ db, contactChanges }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const ordered = await contactChanges.order({ accountId: account.id, email: options.email, reason });
        switch (ordered.kind) {
          case 'invalid':
            console.error('the new address is none, or the one on file');
            return 1;
          case 'unusable':
            console.error('the account is inactive');
            return 1;
          case 'waiting':
            console.log(`waiting until ${ordered.opensAt.toISOString()}; then the new address is mailed`);
            if (!ordered.told) console.log('no address was on file: nobody could be told');
            return 0;
        }
      });
    });
}
