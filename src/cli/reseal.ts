import type { Command } from 'commander';
import { SEALED_PLACES } from '../sealed-places.js';
import { findKeysInUse } from '../storage/keys-in-use.js';
import { reseal } from '../storage/reseal.js';
import { counted } from './counted.js';
import type { RunWithServices } from './run.js';

const ORDER = `
In this order (docs/operations/keys.md): 1. secrets new, and add the key as the second of ENCRYPTION_KEYS; restart every
process. 2. make it the first; restart every process. 3. keys reseal; it may be broken off and run again. 4. take the
old key out; restart every process.`;

/** `keys reseal`: everything under the first of ENCRYPTION_KEYS. */
export function addReseal(keys: Command, run: RunWithServices): void {
  keys
    .command('reseal')
    .description('seal with the first of ENCRYPTION_KEYS what is sealed with another, while everything runs')
    .addHelpText('after', ORDER)
    .action(() =>
      run(async ({ db, box, config, audit }) => {
        const { kid } = config.encryptionKeys.current;
        const watched = process.stderr.isTTY;
        const all = await reseal({
          db,
          box,
          kid,
          places: SEALED_PLACES,
          onProgress: (name, done, of) => {
            if (watched) process.stderr.write(`\r\u001b[K${name} ${Math.floor((100 * done) / of)} %`);
          },
        });
        if (watched) process.stderr.write('\r\u001b[K');
        for (const { table, rows } of all)
          if (rows > 0) console.log(`${table}: ${counted(rows, 'value')} sealed with ${kid}`);
        const rows = all.reduce((sum, each) => sum + each.rows, 0);
        if (rows > 0) await audit.record(db, { type: 'key.resealed', detail: { kid, rows } });

        const broken = all.filter((each) => each.broken > 0);
        for (const { table, broken: count } of broken) {
          console.error(
            `${table}: ${counted(count, 'value does', 'values do')} not open: changed, or sealed elsewhere`,
          );
        }
        const { encryption } = await findKeysInUse(db, SEALED_PLACES);
        const others = [...encryption].filter(([used]) => used !== kid);
        for (const [used, tables] of others) {
          console.error(
            `${used} is still needed by ${tables.join(', ')}: a process that has it first goes on sealing with it; restart all with ${kid} first, then run this again`,
          );
        }
        if (others.length > 0) return 1;
        const old = config.encryptionKeys.all.filter((key) => key.kid !== kid).map((key) => key.kid);
        console.log(
          old.length === 0
            ? `everything is sealed with ${kid}`
            : `everything is sealed with ${kid}: take ${old.join(', ')} out of ENCRYPTION_KEYS and restart every process`,
        );
        return 0;
      }),
    );
}
