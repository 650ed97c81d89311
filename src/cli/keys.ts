import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  DEFAULT_LEAD_SECONDS,
  DEFAULT_OVERLAP_SECONDS,
  LEAST_LEAD_SECONDS,
  LEAST_OVERLAP_SECONDS,
  type Revocation,
} from '../oidc/keys/key-rotation.js';
import { SIGNING_ALGS, type SigningAlg } from '../oidc/keys/signing-key.js';
import { SEALED_PLACES } from '../sealed-places.js';
import { withBulkSession } from '../storage/copy.js';
import { countUnderPeppers, findKeysInUse } from '../storage/keys-in-use.js';
import { keyTable } from './key-table.js';
import { encryptionTable, pepperTable } from './keys-in-use.js';
import { moment } from './moment.js';
import { addReseal } from './reseal.js';
import { addRetirePepper } from './retire-pepper.js';
import type { RunWithServices } from './run.js';

const MOST_SECONDS = 90 * 24 * 3600;

function seconds(typed: string): number {
  const value = Number(typed);
  if (!/^\d{1,8}$/.test(typed) || value > MOST_SECONDS) {
    throw new InvalidArgumentError(`takes whole seconds, at most ${MOST_SECONDS}`);
  }
  return value;
}

interface RotateOptions {
  readonly alg?: SigningAlg;
  readonly lead: number;
  readonly overlap: number;
}

/** Below these a relying party that does all as it should meets what it cannot verify. */
function* tooShort({ lead, overlap }: RotateOptions, where: string): Generator<string> {
  if (lead < LEAST_LEAD_SECONDS) {
    yield `--lead ${lead} is too short${where}: relying parties keep the key set for 300 s, processes follow within 10 s; at least ${LEAST_LEAD_SECONDS}`;
  }
  if (overlap < LEAST_OVERLAP_SECONDS) {
    yield `--overlap ${overlap} is too short${where}: ID tokens of the day still tell who logs out; at least ${LEAST_OVERLAP_SECONDS}`;
  }
}

/** What is felt outside, for who has to answer the phone now. */
function revoked(kid: string, { alg, substitute }: Extract<Revocation, { kind: 'revoked' }>): readonly string[] {
  const gone = `${alg} key ${kid} is revoked: out of the key set, its private half destroyed; every process follows within 10 s`;
  if (substitute === undefined) return [gone, 'it did not sign: what relying parties get verifies as before'];
  const { kid: next, wasPublished } = substitute;
  return [
    gone,
    wasPublished
      ? `key ${next}, published before, signs from now on: relying parties that have read the key set since know it`
      : `key ${next} was made and signs from now on: nobody knows it yet`,
    'relying parties refuse new logins until they read the key set again: at once where an unknown kid makes them, else after 300 s (Cache-Control), or when they are restarted',
    'ID tokens, JWT access tokens and logout tokens that the revoked key has signed are refused once the key set is read; sessions, refresh tokens and opaque access tokens go on',
  ];
}

/** `keys list|rotate|revoke`: the signing keys (R-54, docs/operations/keys.md). */
export function addKeysCommands(program: Command, run: RunWithServices): void {
  const keys = program.command('keys').description('signing keys, encryption keys and peppers');

  keys
    .command('list')
    .description('every key, what it does and what happens to it when')
    .action(() =>
      run(async ({ keyRotation, db, databaseUrl, config }) => {
        const { encryption } = await findKeysInUse(db, SEALED_PLACES);
        const under = await withBulkSession(databaseUrl, countUnderPeppers);
        const sections = [
          ['Signing keys', keyTable(await keyRotation.list())],
          ['ENCRYPTION_KEYS', encryptionTable(config.encryptionKeys, encryption)],
          ['PASSWORD_PEPPERS', pepperTable(config.passwordPeppers, under)],
        ] as const;
        console.log(sections.map(([title, lines]) => [title, ...lines].join('\n')).join('\n\n'));
        return 0;
      }),
    );

  keys
    .command('rotate')
    .description(
      'publish a new signing key, which signs after the lead; the present one stays published for the overlap',
    )
    .addOption(new Option('--alg <alg>', 'only of this algorithm').choices(SIGNING_ALGS))
    .option('--lead <seconds>', 'from being published to signing', seconds, DEFAULT_LEAD_SECONDS)
    .option('--overlap <seconds>', 'the present key stays published after that', seconds, DEFAULT_OVERLAP_SECONDS)
    .action((options: RotateOptions) =>
      run(async ({ config, keyRotation }) => {
        const problems = [...tooShort(options, config.production ? ' in production' : '')];
        for (const problem of problems) console.error(config.production ? problem : `warning: ${problem}`);
        if (config.production && problems.length > 0) return 1;
        const algs = options.alg === undefined ? SIGNING_ALGS : [options.alg];
        const { lead: leadSeconds, overlap: overlapSeconds } = options;
        const rotation = await keyRotation.rotate({ algs, leadSeconds, overlapSeconds });
        if (rotation.kind === 'under_way') {
          console.error(
            `a rotation of ${rotation.algs.join(' and ')} is under way, nothing was done: keys list says when the new key signs`,
          );
          return 1;
        }
        for (const { kid, alg, signsFrom, leavesAt } of rotation.keys) {
          console.log(`${alg} key ${kid} is published and signs from ${moment(signsFrom)}`);
          console.log(`  the present one then stays in the key set until ${moment(leavesAt)}`);
        }
        return 0;
      }),
    );

  keys
    .command('revoke')
    .description('in an emergency: take a signing key out of the key set at once; another one signs instead')
    .argument('<kid>', 'as keys list shows it')
    .action((kid: string) =>
      run(async ({ keyRotation }) => {
        const revocation = await keyRotation.revoke(kid);
        if (revocation.kind === 'unknown') {
          console.error('no key has this kid, or it was revoked before: keys list shows them');
          return 1;
        }
        for (const line of revoked(kid, revocation)) console.log(line);
        return 0;
      }),
    );

  addReseal(keys, run);
  addRetirePepper(keys, run);
}
