import { readFile } from 'node:fs/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { FEED_MODES, type FeedMode } from '../provisioning/feed-report.js';
import type { FeedRun } from '../provisioning/feed-run.js';
import { errorsPathOf, openImportFile } from '../provisioning/import-file.js';
import { reportFeed } from './feed-report.js';
import { moment } from './moment.js';
import { progressBar } from './progress.js';
import { MAY_BE_FIRST, type RunWithServices } from './run.js';

interface ImportOptions {
  readonly mode: FeedMode;
  readonly dryRun?: boolean;
  readonly errors?: string;
  readonly agreeInactive?: number;
  readonly agreeMoved?: number;
  readonly agreeEmails?: number;
  readonly signature?: string;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

/** `accounts import FILE` and `accounts feeds` */
export function addFeedCommands(accounts: Command, run: RunWithServices): void {
  accounts
    .command('import')
    .description(
      'take in the personnel feed: a CSV file with the columns nip, name, email, employment, agency_code, status and, if you like, username, person_id, previous_nip, password_hash',
    )
    .argument('<file>', 'UTF-8 with a header row')
    .addOption(
      new Option('--mode <mode>', 'full: whoever is not in the file has left; delta: only the people in it are touched')
        .choices(FEED_MODES)
        .default('delta'),
    )
    .option('--dry-run', 'change nothing, report the same')
    .option('--errors <file>', 'where to tell of skipped rows (default: <file>.errors.csv)')
    .option('--agree-inactive <number>', 'so many people may become inactive, however many that is', wholeNumber)
    .option('--agree-moved <number>', 'so many people may change agency, however many that is', wholeNumber)
    .option('--agree-emails <number>', 'so many people may get another address, however many that is', wholeNumber)
    .option('--signature <file>', 'the signature of the file; needed where FEED_KEYS_FILE is set')
    .action((path: string, { mode, dryRun = false, errors, signature, ...agree }: ImportOptions) =>
      run(async ({ personnelFeed, clock }) => {
        const errorsPath = errors ?? errorsPathOf(path);
        const signed = signature === undefined ? undefined : await readFile(signature, 'utf8').catch(() => undefined);
        if (signature !== undefined && signed === undefined) {
          console.error(`nothing imported: ${signature} cannot be read`);
          return 1;
        }
        const bar = progressBar(clock);
        const prepared = await personnelFeed.prepare({
          ...{ errorsPath, mode, dryRun },
          open: () => openImportFile(path),
          agreed: { inactive: agree.agreeInactive, moved: agree.agreeMoved, readdressed: agree.agreeEmails },
          signature: signed,
          source: { kind: 'command' },
          onProgress: bar.show,
        });
        const outcome = await prepared.run().finally(bar.end);
        return reportFeed(outcome, { errorsPath, dryRun });
      }, MAY_BE_FIRST),
    );
  accounts
    .command('feeds')
    .description('the last files of the personnel feed: when, by whom, what became of them')
    .option('--limit <number>', 'how many', wholeNumber, 20)
    .action(({ limit }: { limit: number }) =>
      run(async ({ personnelFeed }) => {
        const runs = await personnelFeed.list(limit);
        if (runs.length === 0) console.log('no runs yet');
        for (const it of runs) console.log(lineOf(it));
        return 0;
      }),
    );
}

function lineOf(it: FeedRun): string {
  const { report, progress, digest } = it;
  const by = it.clientId === undefined ? 'command' : `${it.clientId}${it.agencyCode ? ` (${it.agencyCode})` : ''}`;
  const what =
    report === undefined
      ? []
      : [
          `joined ${report.created}, moved ${report.moved}, left ${report.left}, returned ${report.returned}, changed ${report.updated}, unchanged ${report.unchanged}, skipped ${report.skipped}`,
        ];
  const far = progress === undefined ? [] : [`${progress.phase} ${progress.rows} rows`];
  return [
    moment(it.startedAt),
    it.id,
    `${it.state}${it.cause === undefined ? '' : `: ${it.cause}`}`,
    `${it.mode}${it.dryRun ? ', dry run' : ''}`,
    by,
    `sha256:${digest?.slice(0, 16) ?? 'not read'}`,
    ...what,
    ...far,
  ].join('\t');
}
