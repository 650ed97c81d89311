import type { Command } from 'commander';
import { droppableBefore } from '../audit/anchors.js';
import { readCheckpoints } from '../audit/checkpoints.js';
import { verifyTrail, type Breach } from '../audit/verify.js';
import { withBulkSession } from '../storage/copy.js';
import { addAuditExport } from './audit-export.js';
import type { RunWithServices } from './run.js';

const number = new Intl.NumberFormat('en');

const WORDS: Readonly<Record<Breach['kind'], string>> = {
  changed: 'is not what it was when it was sealed',
  event_missing: 'has lost its event',
  link_missing: 'is missing',
  truncated: 'is missing: the chain ended later when a checkpoint was made',
  rewritten: 'belongs to a chain that was written anew: a checkpoint says otherwise',
  anchor_forged: 'is said to be the beginning of the chain, and this installation has not made it that',
  dropped_early: '',
  checkpoint_forged: 'has a checkpoint that this installation did not make',
  inserted: 'was not written by this program: it stands in no chain',
};

function tellBreach(breach: Breach): string {
  if (breach.kind === 'inserted') return `event ${breach.eventId} ${WORDS.inserted}`;
  if (breach.kind === 'dropped_early') {
    const before = breach.cutoff.toISOString().slice(0, 10);
    return `rows up to ${breach.seq} of the chain, of before ${before}, were dropped sooner than AUDIT_RETENTION_MONTHS allows: if a shorter retention was decided then, verify with it`;
  }
  return `row ${breach.seq} of the chain ${WORDS[breach.kind]}`;
}

/** `audit export`, and `audit verify`: whether the trail is what was written (R-41, docs/adr/0018). */
export function addAuditCommands(program: Command, run: RunWithServices): void {
  const audit = program.command('audit').description('the audit trail');
  addAuditExport(audit, run);
  audit
    .command('verify')
    .description('go through the whole chain and name the first row that is not as it was sealed')
    .option('--since <date>', 'begin at the latest checkpoint before this day, e.g. 2026-11-01')
    .option('--checkpoints <file>', 'checkpoints from a second place; AUDIT_CHECKPOINT_FILE unless given')
    .action(async ({ since: typed, checkpoints: file }: { since?: string; checkpoints?: string }, command: Command) => {
      const since = typed === undefined ? undefined : new Date(typed);
      if (since !== undefined && Number.isNaN(since.getTime())) {
        command.error('--since takes a date, e.g. 2026-11-01', { exitCode: 2 });
      }
      await run(async ({ databaseUrl, config, auditCheckpoints, auditAnchors, clock }) => {
        const kept = await readCheckpoints(file ?? config.auditCheckpointFile);
        const months = config.auditRetentionMonths;
        const began = performance.now();
        const watched = process.stderr.isTTY;
        const verdict = await withBulkSession(databaseUrl, (session) =>
          verifyTrail({
            session,
            checkpoints: auditCheckpoints,
            kept,
            anchors: auditAnchors,
            droppable: months === 0 ? undefined : droppableBefore(clock.now(), months),
            since,
            onProgress: (links, of) => {
              if (watched) process.stderr.write(`\r\u001b[K${number.format(links)} of ${number.format(of)} rows`);
            },
          }),
        );
        if (watched) process.stderr.write('\r\u001b[K');
        const { breach, links, waiting, checkpoints } = verdict;
        const perSecond = Math.round((Number(links) * 1000) / Math.max(1, performance.now() - began));
        console.log(
          `${number.format(links)} rows, ${checkpoints} checkpoints, ${waiting} not sealed yet, ${number.format(perSecond)} rows/s`,
        );
        if (breach !== undefined) {
          process.stderr.write(`${tellBreach(breach)}\n`);
          return 1;
        }
        console.log('The trail is whole.');
        return 0;
      });
    });
}
