import { allAgencies } from '../accounts/agencies.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import { withBulkSession, type BulkSession } from '../storage/copy.js';
import type { Queryable } from '../storage/database.js';
import { addAccounts, applyChanges, type EmailMoved, type Portion } from './account-apply-store.js';
import {
  beginPlan,
  countPlan,
  matchRows,
  plannedProblems,
  setAsideClashes,
  setAsideDoubles,
  setAsideDuplicates,
  stageRows,
  type KeyColumn,
  type PlanCounts,
  type Staged,
} from './account-plan-store.js';
import { ACCOUNT_COLUMNS, readAccountRow, type AccountColumn } from './account-rows.js';
import { UnusableFile } from './csv.js';
import { openImportFile, writeErrorFile, type ImportOutcome, type Progress } from './import-file.js';
import { isProblem, openTable, type Table, type TableEntry } from './table.js';

export interface AccountImport {
  readonly databaseUrl: string;
  /** `accounts.csv` as docs/CONTRACT tells. */
  readonly path: string;
  /** Where the skipped rows are told. */
  readonly errorsPath: string;
  /** Reports all that the import would, and changes nothing. */
  readonly dryRun: boolean;
  readonly clock: Clock;
  /** Called in the transaction in which the accounts become inactive: ends what they have open and records it. */
  readonly onInactive: (tx: Queryable, accounts: readonly AccountId[]) => Promise<void>;
  /** Called in the transaction in which accounts in use get another address: tells the old one and records it. */
  readonly onEmailMoved: (tx: Queryable, accounts: readonly EmailMoved[]) => Promise<void>;
  readonly onProgress?: (progress: Progress) => void;
}

/** Lines written per transaction: few enough that nobody who logs in meanwhile waits for a row. */
const LINES_PER_BATCH = 5_000;
const MAX_UNLIKELY_AGES = 20;

/**
 * Loads accounts: plans the whole file first, then writes in batches that each commit. Killed half-way it leaves
 * whole rows, and running it again finishes the work; a file loaded twice changes nothing the second time.
 */
export async function importAccounts(request: AccountImport): Promise<ImportOutcome> {
  try {
    const file = await openImportFile(request.path);
    let done = 0;
    let rows = 0;
    const onRead = (bytes: number, more: number): void => {
      request.onProgress?.({ phase: 'reading', done: (done += bytes), total: file.bytes, rows: (rows += more) });
    };
    const table = await openTable(
      counted(file.chunks, (bytes) => {
        onRead(bytes, 0);
      }),
      ACCOUNT_COLUMNS,
    );
    return await withBulkSession(request.databaseUrl, async (session) => {
      if (!(await beginPlan(session))) return { kind: 'busy' };
      const unlikelyAges: number[] = [];
      const agencies = new Set<string>((await allAgencies(session)).map(({ code }) => code));
      const year = request.clock.now().getUTCFullYear();
      await stageRows(
        session,
        checkedRows(table, {
          agencies,
          year,
          unlikelyAges,
          onRows: (more) => {
            onRead(0, more);
          },
        }),
      );
      request.onProgress?.({ phase: 'checking', done: 0, total: 0, rows });
      const plan = await planRows(session, table.columns);
      await writeErrorFile(request.errorsPath, plannedProblems(session));
      if (!request.dryRun) await apply(session, plan, request);
      const { created, updated, unchanged, skipped } = plan;
      return { kind: 'done', created, updated, unchanged, skipped, unlikelyAges, unknownColumns: table.unknown };
    });
  } catch (error) {
    if (error instanceof UnusableFile) return { kind: 'unusable', reason: error.message };
    throw error;
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk;
    onBytes(chunk.length);
  }
}

interface RowChecks {
  readonly agencies: ReadonlySet<string>;
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

function checkedRow(entry: TableEntry<AccountColumn>, { agencies, year, unlikelyAges }: RowChecks): readonly Staged[] {
  if (isProblem(entry)) return [entry];
  const row = readAccountRow(entry);
  if (!('nip' in row)) return row;
  if (!agencies.has(row.agencyCode)) return [{ line: row.line, column: 'agency_code', reason: 'is no known agency' }];
  const age = year - Number(row.nip.slice(0, 4));
  if ((age < 16 || age > 75) && unlikelyAges.length < MAX_UNLIKELY_AGES) unlikelyAges.push(row.line);
  return [row];
}

async function planRows(session: BulkSession, columns: ReadonlySet<AccountColumn>): Promise<PlanCounts> {
  const keys: readonly KeyColumn[] = ['nip', 'person_id', 'username'];
  await setAsideDuplicates(
    session,
    keys.filter((key) => columns.has(key)),
  );
  await matchRows(session, columns);
  if (columns.has('previous_nip')) await setAsideDoubles(session);
  await setAsideClashes(session);
  return countPlan(session);
}

async function apply(session: BulkSession, plan: PlanCounts, request: AccountImport): Promise<void> {
  const now = request.clock.now();
  const write = (portion: Portion): Promise<void> =>
    session.transaction(async (tx) => {
      // Changes first: they free the numbers that new people get.
      const { inactive, moved } = await applyChanges(tx, portion, now);
      if (inactive.length > 0) await request.onInactive(tx, inactive);
      if (moved.length > 0) await request.onEmailMoved(tx, moved);
      await addAccounts(tx, portion, now);
    });
  if (plan.created + plan.updated === 0) return;
  await write({ kind: 'entangled' });
  for (let after = 0; after < plan.lastLine; after += LINES_PER_BATCH) {
    const upTo = Math.min(after + LINES_PER_BATCH, plan.lastLine);
    await write({ kind: 'lines', after, upTo });
    request.onProgress?.({ phase: 'writing', done: upTo, total: plan.lastLine, rows: upTo });
  }
}
