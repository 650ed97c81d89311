import { randomUUID } from 'node:crypto';
import type { Audit } from '../audit/audit.js';
import type { AuditEvent } from '../audit/events.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import { sameBytes } from '../security/digests.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Applied } from './account-apply-store.js';
import type { Agreed, LeaverLimit } from './change-limits.js';
import type { FeedMode, FeedOutcome, FeedRefusal } from './feed-report.js';
import type { FeedRun, FeedSource } from './feed-run.js';
import * as store from './feed-runs-store.js';
import type { SignedFeed, VerifyFeedSignature } from './feed-signature.js';
import { importAccounts } from './import-accounts.js';
import { writeErrorFile, type ImportFile, type Progress } from './import-file.js';
import { countChanged } from './recent-changes-store.js';
import type { RowProblem } from './table.js';

/** So many skipped rows are kept with the run; all of them stand in the error file. */
const KEPT_PROBLEMS = 500;
const MS_BETWEEN_NOTES = 1_000;

export interface FeedOrder {
  /** May throw an {@link UnusableFile}. */
  readonly open: () => Promise<ImportFile>;
  /** Where all skipped rows are told, if anywhere. */
  readonly errorsPath?: string;
  readonly mode: FeedMode;
  readonly dryRun: boolean;
  /** So many may change, above the limits: somebody has looked. */
  readonly agreed?: Agreed;
  readonly signature?: string | undefined;
  readonly source: FeedSource;
  readonly onProgress?: (progress: Progress) => void;
  /** Breaks off; the run is interrupted then. */
  readonly signal?: AbortSignal | undefined;
}

/** A run that has its id, and begins when it is told to. */
export interface PreparedRun {
  readonly id: string;
  /** Throws what broke it off, when the run has been marked as failed. */
  run(): Promise<FeedOutcome>;
}

/**
 * Joiners, movers and leavers, as the personnel system tells them (docs/adr/0020). Each file is a run that is kept: by
 * whom, which bytes, what it changed or why it was refused.
 */
export interface PersonnelFeed {
  /** In the caller's transaction, where there is one: without its commit the run must not begin. */
  prepare(order: FeedOrder, tx?: Queryable): Promise<PreparedRun>;
  find(id: string): Promise<FeedRun | undefined>;
  /** The last runs, the newest first. */
  list(limit: number): Promise<readonly FeedRun[]>;
  /** Whether a file is being taken in at this moment, by any process. */
  isBusy(): Promise<boolean>;
}

export interface PersonnelFeedParts {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly limit: LeaverLimit;
  /** Where it is there, every file must be signed. */
  readonly verify: VerifyFeedSignature | undefined;
  /** What follows from changes, in their transaction. */
  readonly effects: (tx: Queryable, applied: Applied) => Promise<void>;
  readonly audit: Audit;
  readonly clock: Clock;
}

type Ending = Pick<store.RunEnd, 'state' | 'cause' | 'report'>;

function endingOf(outcome: FeedOutcome): Ending {
  switch (outcome.kind) {
    case 'done':
      return { state: 'applied', cause: undefined, report: outcome.report };
    case 'refused':
      return { state: 'refused', cause: outcome.refusal.cause, report: outcome.report };
    case 'unusable':
    case 'busy':
      return { state: 'refused', cause: outcome.kind, report: undefined };
  }
}

export function createPersonnelFeed(parts: PersonnelFeedParts): PersonnelFeed {
  const { db, databaseUrl, limit, verify, effects, audit, clock } = parts;

  async function judgeSignature(order: FeedOrder): Promise<SignedFeed | FeedRefusal | undefined> {
    if (verify === undefined) return undefined;
    if (order.signature === undefined) return { cause: 'unsigned' };
    const signed = await verify(order.signature, clock.now());
    if (signed === undefined) return { cause: 'bad_signature' };
    return signed.mode === order.mode ? signed : { cause: 'other_mode' };
  }

  async function prepare(order: FeedOrder, on: Queryable = db): Promise<PreparedRun> {
    const id = randomUUID();
    const judged = await judgeSignature(order);
    const signed = judged === undefined || 'cause' in judged ? undefined : judged;
    const refusal = judged !== undefined && 'cause' in judged ? judged : undefined;
    const { source, mode, dryRun } = order;
    const clientId = source.kind === 'service' ? source.clientId : undefined;
    const agencyCode = source.kind === 'service' ? source.agency : undefined;
    await store.insertRun(on, {
      ...{ id, mode, dryRun, clientId, agencyCode },
      signedAt: signed?.signedAt,
      startedAt: clock.now(),
    });
    const problems: RowProblem[] = [];
    const note = notes(id);

    /** What was agreed to does not count against what follows. */
    async function count(tx: Queryable, applied: Applied): Promise<void> {
      const { inactive, moved, readdressed } = order.agreed ?? {};
      const { left, moved: moves, emailMoved, startedOver } = applied;
      const ids = (of: readonly { id: AccountId }[]): readonly AccountId[] => of.map((it) => it.id);
      const counted = (accounts: readonly AccountId[], agreed: number | undefined) =>
        agreed === undefined ? accounts : [];
      await countChanged(tx, { run: id, change: 'inactive', accounts: counted(left, inactive) });
      await countChanged(tx, { run: id, change: 'moved', accounts: counted(ids(moves), moved) });
      const addressed = ids([...emailMoved, ...startedOver.filter(({ inUse }) => inUse)]);
      await countChanged(tx, { run: id, change: 'readdressed', accounts: counted(addressed, readdressed) });
    }

    const eventOf = ({ state, cause = state, report }: Ending): AuditEvent => {
      const about = { clientId, agencyCode };
      if (state === 'applied') {
        const { created = 0, updated = 0, left = 0, moved = 0, skipped = 0 } = report ?? {};
        const detail = { run: id, mode, created, updated, left, moved, skipped };
        return { type: 'feed.applied', detail, ...about };
      }
      return state === 'refused'
        ? { type: 'feed.refused', detail: { run: id, mode, cause }, ...about }
        : { type: 'feed.failed', detail: { run: id, cause }, ...about };
    };

    let isOver = false;
    async function end(ending: Ending): Promise<void> {
      await db.transaction(async (tx) => {
        await store.endRun(tx, { id, ...ending, problems, now: clock.now() });
        if (!dryRun) await audit.record(tx, eventOf(ending));
      });
      isOver = true;
    }

    async function onRead(digest: Buffer): Promise<FeedRefusal | undefined> {
      await store.noteDigest(db, id, digest);
      if (signed === undefined) return undefined;
      if (!sameBytes(digest, signed.sha256)) return { cause: 'other_file' };
      const { signedAt } = signed;
      return (await store.knowsNewer(db, { agencyCode, signedAt, digest })) ? { cause: 'not_newer' } : undefined;
    }

    async function begin(): Promise<void> {
      await db.transaction(async (tx) => {
        const gone = await store.beginRun(tx, id, clock.now());
        const cause = 'interrupted';
        for (const run of gone) await audit.record(tx, { type: 'feed.failed', detail: { run, cause } });
      });
    }

    /** The run ends before another import can begin, which would take it for interrupted. */
    async function hold(work: () => Promise<FeedOutcome>): Promise<FeedOutcome> {
      await begin();
      const outcome = await work();
      await end(endingOf(outcome));
      return outcome;
    }

    async function* kept(pages: AsyncIterable<readonly RowProblem[]>): AsyncGenerator<readonly RowProblem[]> {
      for await (const page of pages) {
        problems.push(...page.slice(0, KEPT_PROBLEMS - problems.length));
        yield page;
      }
    }

    async function onProblems(pages: AsyncIterable<readonly RowProblem[]>): Promise<void> {
      if (order.errorsPath !== undefined) return writeErrorFile(order.errorsPath, kept(pages));
      const reading = kept(pages);
      while (problems.length < KEPT_PROBLEMS && (await reading.next()).done !== true);
    }

    return {
      id,
      async run() {
        if (refusal !== undefined) {
          await end({ state: 'refused', cause: refusal.cause, report: undefined });
          return { kind: 'refused', refusal };
        }
        try {
          const outcome = await importAccounts({
            ...{ databaseUrl, limit, clock, mode, dryRun, hold, onRead, onProblems },
            open: order.open,
            signal: order.signal,
            agreed: order.agreed ?? {},
            within: agencyCode,
            takesPasswords: source.kind === 'command',
            onApplied: async (tx, applied) => {
              await effects(tx, applied);
              await count(tx, applied);
            },
            onProgress: (progress) => {
              order.onProgress?.(progress);
              note(progress);
            },
          });
          // Those that never began.
          if (!isOver) await end(endingOf(outcome));
          return outcome;
        } catch (error) {
          const state = order.signal?.aborted === true ? 'interrupted' : 'failed';
          await end({ state, cause: undefined, report: undefined }).catch(() => undefined);
          throw error;
        }
      },
    };
  }

  /** Keeps how far a run is, now and then, for those who ask another process. */
  function notes(id: string): (progress: Progress) => void {
    let notedAt = 0;
    return (progress) => {
      const now = clock.now().getTime();
      if (now - notedAt < MS_BETWEEN_NOTES) return;
      notedAt = now;
      // One that is lost is followed by the next.
      store.noteProgress(db, id, progress).catch(() => undefined);
    };
  }

  return {
    prepare,
    find: (id) => store.selectRun(db, id, clock.now()),
    list: (limitTo) => store.selectRuns(db, limitTo, clock.now()),
    isBusy: () => store.importRuns(db),
  };
}
