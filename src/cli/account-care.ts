import type { Command } from 'commander';
import { maskEmail } from '../accounts/email.js';
import { changesToAskAbout } from './changes-to-ask-about.js';
import { plainAddress } from '../mail/address.js';
import { moment } from './moment.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

/** As long as what officers write about a reset. */
const MIN_REASON = 3;
const MAX_REASON = 500;

interface CareOptions {
  readonly nip: string;
  readonly reason: string;
}

/** The reason, trimmed. What is wrong with it, or with anything else that was typed, is told at once. */
function checkedReason(typed: string, command: Command, otherProblems: readonly string[] = []): string {
  const reason = typed.trim();
  const isFit = reason.length >= MIN_REASON && reason.length <= MAX_REASON;
  const problems = [...(isFit ? [] : [`--reason takes ${MIN_REASON} to ${MAX_REASON} characters`]), ...otherProblems];
  if (problems.length > 0) command.error(problems.join('\n'), { exitCode: 2 });
  return reason;
}

/** What must not be done in another order (docs/adr/0014). */
const STOLEN_MAILBOX = `
A mailbox that somebody else reads: 1. freeze, 2. look at the person and their papers, 3. contact-change while the
account is frozen, for then no mail holds a way to stop it, 4. mfa reset, if there are factors that the person does not
know (accounts show lists them), 5. unfreeze, once the new address has proved itself.`;

const NOBODY_TOLD = 'no e-mail address is on file: tell the person yourself';

/** `accounts freeze`, `accounts unfreeze` and `accounts contact-change`: for whoever operates the server. */
export function addCareCommands(accounts: Command, run: RunWithServices): void {
  const careCommand = (name: string, description: string): Command =>
    accounts
      .command(name)
      .description(description)
      .requiredOption('--nip <nip>', '18 digits')
      .requiredOption('--reason <text>', 'why, and how you know that it is this person; kept with the case')
      .addHelpText('after', STOLEN_MAILBOX);

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
        console.log('frozen; every session, login under way, mailed code, waiting reset and new address has ended');
        console.log(account.email === undefined ? NOBODY_TOLD : `the person is told at ${maskEmail(account.email)}`);
        return 0;
      });
    },
  );

  careCommand(
    'unfreeze',
    'lets the person in again, closes the case, voids the links of older mails, and lists what was changed before; after a "Bukan saya" the person needs a new password',
  )
    .option('--keep-password', 'the old password stays: nobody else knows it')
    .action(async (options: CareOptions & { keepPassword?: boolean }, command: Command) => {
      const reason = checkedReason(options.reason, command);
      const { keepPassword = false } = options;
      await run(async ({ db, devices, freezing, contactChanges }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const { change } = await contactChanges.view(account.id);
        const lifted = await freezing.lift({ accountId: account.id, reason, keepPassword });
        if (lifted.kind === 'not_frozen') {
          console.error('the account is not frozen');
          return 1;
        }
        console.log(`open again, ${lifted.cases} case(s) closed`);
        if (lifted.passwordDisabled) console.log('the password is disabled: RESET makes a new one, by a mailed code');
        // Whoever had the account may have changed it: the officer must ask the person.
        if (account.email !== undefined)
          console.log(`mail goes to ${maskEmail(account.email)}: ask whether it is theirs`);
        else console.log(NOBODY_TOLD);
        if (change !== undefined)
          console.log('a new address is still on its way: until it is proved, a click in the old mailbox can stop it');
        for (const line of await changesToAskAbout({ db, devices }, account.id, lifted.askSince)) console.log(line);
        return 0;
      });
    });

  careCommand(
    'contact-change',
    'a new e-mail address, after a wait in which the old one can stop it, unless the account is frozen',
  )
    .requiredOption('--email <address>', 'the new address; it must prove itself by a code')
    .action(async (options: CareOptions & { email: string }, command: Command) => {
      const isAddress = plainAddress(options.email.normalize('NFKC').trim()) !== undefined;
      const reason = checkedReason(options.reason, command, isAddress ? [] : ['--email takes one whole address']);
      await run(async ({ db, contactChanges }) => {
        const account = await findByNip(db, options.nip);
        if (account === undefined) return 1;
        const ordered = await contactChanges.order({ accountId: account.id, email: options.email, reason });
        switch (ordered.kind) {
          case 'invalid':
            console.error('no mail can go to the new address');
            return 1;
          case 'same':
            console.error('the new address is the one on file');
            return 1;
          case 'unusable':
            console.error('the account is inactive');
            return 1;
          case 'waiting':
            console.log(`waiting until ${moment(ordered.opensAt)}; then the new address is mailed`);
            if (!ordered.told) console.log('no address was on file: nobody could be told');
            return 0;
        }
      });
    });
}
