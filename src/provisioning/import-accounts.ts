import { createHash } from 'node:crypto';
import { agenciesUnder, allAgencies } from '../accounts/agencies.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { NOBODY, type AgencyCode } from '../kernel/ids.js';
import { withBulkSession, type BulkSession } from '../storage/copy.js';
import type { Queryable } from '../storage/database.js';
import { addAccounts, applyChanges, leaveMissing, type Applied, type Portion } from './account-apply-store.js';
import {
  beginPlan,
  countPlan,
  matchRows,
  plannedProblems,
  setAsideClashes,
  setAsideDoubles,
  setAsideDuplicates,
  setAsideOverreach,
  setAsideStrangers,
  stageRows,
  type KeyColumn,
  type PlanCounts,
  type Staged,
} from './account-plan-store.js';
import { ACCOUNT_COLUMNS, mentionedBy, readAccountRow, type AccountColumn } from './account-rows.js';
import { judgeChanges, type Agreed, type LeaverLimit } from './change-limits.js';
import { UnusableFile } from './csv.js';
import type { FeedMode, FeedOutcome, FeedRefusal } from './feed-report.js';
import type { ImportFile, Progress } from './import-file.js';
import { findLeavers, missingAfter, type Leaving, type Reach } from './leavers-store.js';
import { recentChanges } from './recent-changes-store.js';
import { summarise } from './summary-store.js';
import { isProblem, openTable, type Columns, type RowProblem, type Table, type TableEntry } from './table.js';

export interface AccountImport {
  readonly databaseUrl: string;
  /** `accounts.csv` as docs/CONTRACT tells; may throw an {@link UnusableFile}. */
  readonly open: () => Promise<ImportFile>;
  readonly mode: FeedMode;
  /** Reports all that the import would, and changes nothing. */
  readonly dryRun: boolean;
  readonly limit: LeaverLimit;
  /** So many may change: somebody has looked and named the numbers. */
  readonly agreed: Agreed;
  /** Rows reach this agency and those below it, and nobody elsewhere. */
  readonly within?: AgencyCode | undefined;
  /** Whether passwords may be brought along; otherwise nobody here knows such a column. */
  readonly takesPasswords: boolean;
  readonly clock: Clock;
  /** Wraps the work, from when no other import can begin until one can again. */
  readonly hold?: (work: () => Promise<FeedOutcome>) => Promise<FeedOutcome>;
  /** Called with the file's SHA-256 when all of it was read and nothing was changed. */
  readonly onRead?: (digest: Buffer) => Promise<FeedRefusal | undefined>;
  /** Called once with every problem of every row that is skipped, by line, before anything is changed. */
  readonly onProblems: (problems: AsyncIterable<readonly RowProblem[]>) => Promise<void>;
  /** Called in the transaction of the changes: does what must follow from them, and records it. */
  readonly onApplied: (tx: Queryable, applied: Applied) => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
  /** Breaks off; what is not committed is undone. */
  readonly signal?: AbortSignal | undefined;
}

/** Lines written per transaction: few enough that nobody who logs in meanwhile waits for a row. */
const LINES_PER_BATCH = 5_000;
/** Fewer: each of them has something that ends. */
const LEAVERS_PER_BATCH = 500;
const MAX_UNLIKELY_AGES = 20;
/** What a limit is measured over: else it would be as many times the limit as there are files. */
const LIMITED_SECONDS = 24 * 3600;

/** A password is brought along once, by who operates the machine: whoever sets one can log in with it. */
const WITHOUT_PASSWORDS: Columns<AccountColumn> = {
  ...ACCOUNT_COLUMNS,
  optional: ACCOUNT_COLUMNS.optional.filter((column) => column !== 'password_hash'),
};

/**
 * Takes in a file of people: plans the whole file first, then writes in batches that each commit. Killed half-way it
 * leaves whole rows, and running it again finishes the work; a file loaded twice changes nothing the second time.
 */
export function importAccounts(request: AccountImport): Promise<FeedOutcome> {
  return orUnusable(async () => {
    const file = await request.open();
    const hash = createHash('sha256');
    let done = 0;
    let rows = 0;
    const onRead = (bytes: number, more: number): void => {
      request.onProgress?.({ phase: 'reading', done: (done += bytes), total: file.bytes, rows: (rows += more) });
    };
    const table = await openTable(
      counted(file.chunks, (chunk) => {
        hash.update(chunk);
        onRead(chunk.length, 0);
      }),
      request.takesPasswords ? ACCOUNT_COLUMNS : WITHOUT_PASSWORDS,
    );
    const work = async (session: BulkSession): Promise<FeedOutcome> => {
      const unlikelyAges: number[] = [];
      const reach = request.within === undefined ? undefined : await agenciesUnder(session, request.within);
      const agencies = new Set<string>((await allAgencies(session)).map(({ code }) => code));
      const year = request.clock.now().getUTCFullYear();
      await stageRows(
        session,
        checkedRows(table, {
          agencies,
          reach: reach === undefined ? agencies : new Set(reach),
          year,
          unlikelyAges,
          onRows: (more) => {
            onRead(0, more);
          },
        }),
      );
      const strange = await request.onRead?.(hash.digest());
      if (strange !== undefined) return { kind: 'refused', refusal: strange };
      request.onProgress?.({ phase: 'checking', done: 0, total: 0, rows });
      const plan = await planRows(session, table.columns, reach);
      const since = secondsAfter(request.clock.now(), -LIMITED_SECONDS);
      const leaving = await findLeavers(session, { full: request.mode === 'full', reach, since });
      const { readdressed, ...changes } = await summarise(session);
      await request.onProblems(plannedProblems(session));
      const { created, updated, unchanged, skipped } = plan;
      const { leaving: left, missing, kept, officers, nameless } = leaving;
      const report = {
        ...{ created, updated, unchanged, skipped, left, missing, kept, officers, nameless },
        ...changes,
        ...{ unlikelyAges, unknownColumns: table.unknown },
      };
      const recent = await recentChanges(session, request.within, since);
      const judged = { leaving, moved: changes.moved, readdressed, recent };
      const refusal = judgeChanges(judged, request.limit, request.agreed);
      if (refusal !== undefined) return { kind: 'refused', refusal, report };
      if (!request.dryRun) await apply(session, { plan, leaving }, request);
      return { kind: 'done', report };
    };
    const { hold = (held: () => Promise<FeedOutcome>) => held() } = request;
    const alone = async (session: BulkSession): Promise<FeedOutcome> =>
      (await beginPlan(session)) ? hold(() => orUnusable(() => work(session))) : { kind: 'busy' };
    return withBulkSession(request.databaseUrl, alone, request.signal);
  });
}

async function orUnusable(work: () => Promise<FeedOutcome>): Promise<FeedOutcome> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnusableFile) return { kind: 'unusable', reason: error.message };
    throw error;
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, onChunk: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    onChunk(chunk);
  }
}

interface RowChecks {
  readonly agencies: ReadonlySet<string>;
  /** Those that the feed may name. */
  readonly reach: ReadonlySet<string>;
  readonly year: number;
  readonly unlikelyAges: number[];
  readonly onRows: (rows: number) => void;
}

async function* checkedRows(table: Table<AccountColumn>, checks: RowChecks): AsyncGenerator<readonly Staged[]> {
  for await (const entries of table.rows) {
    checks.onRows(entries.length);
    yield entries.flatMap((entry) => checkedRow(entry, checks));
  }
}

function checkedRow(
  entry: TableEntry<AccountColumn>,
  { agencies, reach, year, unlikelyAges }: RowChecks,
): readonly Staged[] {
  if (isProblem(entry)) return [entry];
  const row = readAccountRow(entry);
  if (!('nip' in row)) return row.map((problem) => ({ ...problem, ...mentionedBy(entry) }));
  if (!reach.has(row.agencyCode)) {
    const reason = agencies.has(row.agencyCode) ? 'is not an agency of this feed' : 'is no known agency';
    return [{ line: row.line, column: 'agency_code', reason, ...mentionedBy(entry) }];
  }
  const age = year - Number(row.nip.slice(0, 4));
  if ((age < 16 || age > 75) && unlikelyAges.length < MAX_UNLIKELY_AGES) unlikelyAges.push(row.line);
  return [row];
}

async function planRows(session: BulkSession, columns: ReadonlySet<AccountColumn>, reach: Reach): Promise<PlanCounts> {
  const keys: readonly KeyColumn[] = ['nip', 'person_id', 'username'];
  await setAsideDuplicates(
    session,
    keys.filter((key) => columns.has(key)),
  );
  await matchRows(session, columns);
  if (columns.has('previous_nip')) await setAsideDoubles(session);
  if (reach !== undefined) {
    await setAsideStrangers(session, reach);
    await setAsideOverreach(session);
  }
  await setAsideClashes(session);
  return countPlan(session, { confirms: reach === undefined });
}

async function apply(
  session: BulkSession,
  { plan, leaving }: { readonly plan: PlanCounts; readonly leaving: Leaving },
  request: AccountImport,
): Promise<void> {
  const writing = { now: request.clock.now(), within: request.within };
  const write = (portion: Portion): Promise<void> =>
    session.transaction(async (tx) => {
      // Changes first: they free the numbers that new people get.
      await request.onApplied(tx, await applyChanges(tx, portion, writing));
      await addAccounts(tx, portion, writing);
    });
  if (plan.created + plan.updated > 0) {
    await write({ kind: 'entangled' });
    for (let after = 0; after < plan.lastLine; after += LINES_PER_BATCH) {
      request.signal?.throwIfAborted();
      const upTo = Math.min(after + LINES_PER_BATCH, plan.lastLine);
      await write({ kind: 'lines', after, upTo });
      request.onProgress?.({ phase: 'writing', done: upTo, total: plan.lastLine, rows: upTo });
    }
  }
  let gone = 0;
  for (let last = NOBODY; gone < leaving.missing;) {
    request.signal?.throwIfAborted();
    const some = await missingAfter(session, last, LEAVERS_PER_BATCH);
    await session.transaction(async (tx) => {
      await request.onApplied(tx, await leaveMissing(tx, some, writing));
    });
    gone += some.length;
    last = some.at(-1) ?? last;
    request.onProgress?.({ phase: 'closing', done: gone, total: leaving.missing, rows: gone });
  }
}
