import { InvalidArgumentError, type Command } from 'commander';
import { MAX_HOURS, MAX_NOTE, MAX_USES, type Invitation } from '../clients/client-invitations.js';
import { moment } from './moment.js';
import type { RunWithServices } from './run.js';

const uses = (text: string): number => {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MAX_USES) {
    throw new InvalidArgumentError(`a whole number from 1 to ${MAX_USES}`);
  }
  return count;
};
const hours = (text: string): number => {
  const count = Number(text);
  if (!Number.isFinite(count) || count <= 0 || count > MAX_HOURS) {
    throw new InvalidArgumentError(`a number of hours up to ${MAX_HOURS}`);
  }
  return count;
};
const note = (text: string): string => {
  if (text.length > MAX_NOTE) throw new InvalidArgumentError(`at most ${MAX_NOTE} characters`);
  return text;
};

const line = ({ id, note: told, uses: of, usesLeft, expiresAt, endedAt }: Invitation): string =>
  [
    id,
    `${usesLeft} of ${of} uses left`,
    endedAt === undefined ? `until ${moment(expiresAt)}` : `ended ${moment(endedAt)}`,
    told,
  ]
    .join('  ')
    .trimEnd();

/** `clients invite|invitations|end-invitation`: initial access tokens for dynamic registration (ADR 0031). */
export function addInvitationCommands(clients: Command, run: RunWithServices): void {
  clients
    .command('invite')
    .description('make a token with which a relying party registers itself (RFC 7591)')
    .option('--uses <n>', 'how many clients may be registered with it', uses, 1)
    .option('--expires <hours>', 'how long it is good', hours, 24)
    .option('--note <text>', 'whom it is for', note, '')
    .action((options: { uses: number; expires: number; note: string }) =>
      run(async ({ clientInvitations, db }) => {
        const order = { uses: options.uses, hours: options.expires, note: options.note };
        const made = await db.transaction((tx) => clientInvitations.invite(tx, order));
        console.log(`initial access token, told this once: ${made.token}`);
        console.log(`invitation ${made.id}, good until ${moment(made.expiresAt)}`);
        return 0;
      }),
    );

  clients
    .command('invitations')
    .description('the tokens that were made, and how often they may still be used')
    .action(() =>
      run(async ({ clientInvitations }) => {
        const made = await clientInvitations.list();
        console.log(made.length === 0 ? 'no invitations' : made.map(line).join('\n'));
        return 0;
      }),
    );

  clients
    .command('end-invitation')
    .description('end a token; clients that were registered with it stay')
    .argument('<id>', 'id of the invitation')
    .action((id: string) =>
      run(async ({ clientInvitations, db }) => {
        if (await db.transaction((tx) => clientInvitations.end(tx, id))) {
          console.log(`${id}: ended`);
          return 0;
        }
        process.stderr.write(`no invitation ${id} can be used\n`);
        return 1;
      }),
    );
}
