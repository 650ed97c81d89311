import { InvalidArgumentError, type Command } from 'commander';
import { withBulkSession } from '../storage/copy.js';
import { countUnderPeppers } from '../storage/keys-in-use.js';
import { written } from './keys-in-use.js';
import type { RunWithServices } from './run.js';

const LOST = `
A pepper that is lost altogether: give its kid any new value (secrets new) after the first one, so that the commands
start, then retire it.`;

function count(typed: string): number {
  if (!/^\d{1,9}$/.test(typed)) throw new InvalidArgumentError('takes a number');
  return Number(typed);
}

/** `keys retire-pepper`: for those who never came back after a new pepper (R-55, docs/operations/keys.md). */
export function addRetirePepper(keys: Command, run: RunWithServices): void {
  keys
    .command('retire-pepper')
    .description('remove every password hash and recovery code under an old pepper: their owners set new ones by RESET')
    .argument('<kid>', 'as keys list shows it')
    .option('--confirm <count>', 'how many may be removed at most; without it they are only counted', count)
    .addHelpText('after', LOST)
    .action((kid: string, { confirm }: { confirm?: number }) =>
      run(async ({ config, databaseUrl, pepperRetirement }) => {
        if (kid === config.passwordPeppers.current.kid) {
          console.error('this is the first pepper, with which new passwords are hashed: put another one before it');
          return 1;
        }
        const under = (await withBulkSession(databaseUrl, countUnderPeppers)).get(kid);
        if (under === undefined) {
          console.log(`nothing stands under ${kid}: take it out of PASSWORD_PEPPERS and restart every process`);
          return 0;
        }
        const total = under.passwords + under.codeSets;
        if (confirm === undefined || confirm < total) {
          console.error(`${written(under)} stand under ${kid}; nothing was done`);
          console.error(
            'their owners would have to set a new password by RESET and make new recovery codes; sessions go on',
          );
          console.error(`to remove them: sso-asn keys retire-pepper ${kid} --confirm ${total}`);
          return 1;
        }
        const watched = process.stderr.isTTY;
        const done = await pepperRetirement.retire(kid, (soFar) => {
          if (watched) process.stderr.write(`\r\u001b[K${written(soFar)} of ${total}`);
        });
        if (watched) process.stderr.write('\r\u001b[K');
        console.log(`${written(done)} removed: take ${kid} out of PASSWORD_PEPPERS and restart every process`);
        return 0;
      }),
    );
}
