import type { Command } from 'commander';
import { REASON } from '../helpdesk/act-requests.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

/** `mfa reset`: for whoever operates the server, and the way for accounts that hold a role (docs/adr/0011). */
export function addMfaCommands(program: Command, run: RunWithServices): void {
  program
    .command('mfa')
    .description('second factors')
    .command('reset')
    .description('end the second factors, recovery codes and sessions of a person, who is told by e-mail')
    .requiredOption('--nip <nip>', '18 digits')
    .requiredOption('--reason <text>', 'why, and how you know that it is this person; kept with the reset')
    .action(async ({ nip, reason: typed }: { nip: string; reason: string }, command: Command) => {
      const reason = REASON.safeParse(typed);
      if (!reason.success) command.error('--reason takes 3 to 500 characters', { exitCode: 2 });
      await run(async ({ db, operatorsReset }) => {
        const account = await findByNip(db, nip);
        if (account === undefined) return 1;
        const { endedDevices, mailed } = await operatorsReset.reset({ accountId: account.id, reason: reason.data });
        console.log(`done, ${endedDevices} authenticator(s) ended`);
        if (!mailed) console.log('no e-mail address is on file: tell the person yourself');
        return 0;
      });
    });
}
