import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Option, type Command } from 'commander';
import { TELLINGS } from '../account/activity/tellings.js';
import { TRAIL_FORMATS, type TrailFormat } from '../helpdesk/trail/export-format.js';
import { MAX_EXPORT_ROWS } from '../helpdesk/trail/export.js';
import { counted } from './counted.js';
import { typedRange } from './dates.js';
import { findByNip } from './person.js';
import type { RunWithServices } from './run.js';

interface ExportOptions {
  readonly from?: string;
  readonly to?: string;
  readonly accountNip?: string;
  readonly actorNip?: string;
  readonly type?: readonly string[];
  readonly format: TrailFormat;
  readonly out?: string;
}

const PROBLEMS = {
  backwards: '--from lies behind --to',
  too_long: 'at most a year at a time: move --from or --to',
  cursor: '',
};

/** As fast as the reader takes it; stdout is not ours to end. */
async function print(pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
}

const EVENT_KINDS = Object.keys(TELLINGS);
const MOST_SUGGESTED = 5;
/** Less in common is chance. */
const LEAST_COMMON = 3;

/** The kinds that begin most like what was typed, or hold it. */
function nearestKinds(typed: string): readonly string[] {
  const inCommon = (kind: string): number => {
    if (kind.includes(typed)) return typed.length + 1;
    const differs = Array.from(kind).findIndex((letter, at) => letter !== typed[at]);
    return differs === -1 ? kind.length : differs;
  };
  return EVENT_KINDS.map((kind) => ({ kind, common: inCommon(kind) }))
    .filter(({ common }) => common >= LEAST_COMMON)
    .toSorted((one, other) => other.common - one.common)
    .slice(0, MOST_SUGGESTED)
    .map(({ kind }) => kind);
}

/** One line for each kind that the trail does not know. */
const unknownKinds = (typed: readonly string[]): readonly string[] =>
  typed
    .filter((kind) => !EVENT_KINDS.includes(kind))
    .map((kind) => {
      const near = nearestKinds(kind);
      return `--type: no event is called ${kind}${near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`}`;
    });

/** `audit export`: the trail as a file, for whoever operates the server. */
export function addAuditExport(audit: Command, run: RunWithServices): void {
  audit
    .command('export')
    .description(
      `the trail as a file, newest first, at most ${MAX_EXPORT_ROWS} rows; what is left out is told in its last line`,
    )
    .option('--from <when>', 'a day (WIB) or a moment; 30 days before --to unless given')
    .option('--to <when>', 'a day, to its end, or a moment; now unless given')
    .option('--account-nip <nip>', 'only what happened to this person')
    .option('--actor-nip <nip>', 'only what this person did')
    .option('--type <type...>', 'only these kinds of event, e.g. mfa_reset.done')
    .addOption(
      new Option('--format <format>', 'csv for spreadsheets, jsonl for programs').choices(TRAIL_FORMATS).default('csv'),
    )
    .option('--out <file>', 'where to write it, readable by nobody else; stdout unless given')
    .action(async (options: ExportOptions, command: Command) => {
      const range = typedRange(options, command);
      const unknown = unknownKinds(options.type ?? []);
      if (unknown.length > 0) command.error(unknown.join('\n'), { exitCode: 2 });
      await run(async ({ db, trailExports }) => {
        const ids: { accountId?: string; actorId?: string } = {};
        for (const [key, nip] of [
          ['accountId', options.accountNip],
          ['actorId', options.actorNip],
        ] as const) {
          if (nip === undefined) continue;
          const account = await findByNip(db, nip);
          if (account === undefined) return 1;
          ids[key] = account.id;
        }
        const file = await trailExports.begin({
          scope: { kind: 'all' },
          format: options.format,
          types: options.type,
          ...ids,
          ...range,
        });
        if (file.kind !== 'begun') {
          console.error(file.kind === 'invalid' ? PROBLEMS[file.problem] : file.kind);
          return file.kind === 'invalid' ? 2 : 1;
        }
        const { out } = options;
        if (out === undefined) await print(file.pieces);
        else {
          await pipeline(file.pieces, createWriteStream(out, { mode: 0o600 }));
          console.error(`${counted(file.rows(), 'row')} written to ${out}`);
        }
        return 0;
      });
    });
}
