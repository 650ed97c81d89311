import { agencyCode, type AgencyCode } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import { IMPORT_LOCK } from './account-plan-store.js';
import type { FeedRun, FeedState } from './feed-run.js';
import type { FeedMode, FeedReport } from './feed-report.js';
import type { Progress } from './import-file.js';
import type { RowProblem } from './table.js';

/** The lock of imports goes with the process that held it (PostgreSQL manual, pg_locks: a bigint key in two halves). */
const NOBODY_IMPORTS = `NOT EXISTS (
  SELECT FROM pg_locks
   WHERE locktype = 'advisory' AND classid = 0 AND objid = ${IMPORT_LOCK} AND objsubid = 1 AND granted
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

const SELECT = `
  SELECT id, mode, dry_run, client_id, agency_code, encode(digest, 'hex') AS digest, signed_at, started_at, ended_at,
         cause, progress, report, problems,
         CASE WHEN (state = 'running' OR state = 'waiting' AND started_at < $1::timestamptz - interval '5 minutes')
                   AND ${NOBODY_IMPORTS}
              THEN 'interrupted' ELSE state END AS state
    FROM feed_runs`;

/** Runs of before know of neither. */
type Later = 'officers' | 'startedOver';
type StoredReport = Omit<FeedReport, Later> & Partial<Pick<FeedReport, Later>>;
const reportOf = (stored: StoredReport | null): FeedReport | undefined =>
  stored === null ? undefined : { officers: 0, startedOver: 0, ...stored };

const fromRow = (row: Row): FeedRun => ({
  id: row.id as string,
  state: row.state as FeedState,
  mode: row.mode as FeedMode,
  dryRun: row.dry_run as boolean,
  clientId: (row.client_id as string | null) ?? undefined,
  agencyCode: row.agency_code === null ? undefined : agencyCode(row.agency_code as string),
  digest: (row.digest as string | null) ?? undefined,
  signedAt: (row.signed_at as Date | null) ?? undefined,
  startedAt: row.started_at as Date,
  endedAt: (row.ended_at as Date | null) ?? undefined,
  cause: (row.cause as string | null) ?? undefined,
  progress: (row.progress as Progress | null) ?? undefined,
  report: reportOf(row.report as StoredReport | null),
  problems: (row.problems as readonly RowProblem[] | null) ?? [],
});

export async function insertRun(
  db: Queryable,
  run: Pick<FeedRun, 'id' | 'mode' | 'dryRun' | 'clientId' | 'agencyCode' | 'signedAt' | 'startedAt'>,
): Promise<void> {
  await db.query(
    `INSERT INTO feed_runs (id, state, mode, dry_run, client_id, agency_code, signed_at, started_at)
     VALUES ($1, 'waiting', $2, $3, $4, $5, $6, $7)`,
    [run.id, run.mode, run.dryRun, run.clientId, run.agencyCode, run.signedAt, run.startedAt],
  );
}

/** By whoever holds the lock of imports: what was running before is not running any more. Answers which those are. */
export async function beginRun(tx: Queryable, id: string, now: Date): Promise<readonly string[]> {
  const gone = await tx.query(
    `UPDATE feed_runs SET state = 'interrupted', ended_at = $1 WHERE state = 'running' RETURNING id`,
    [now],
  );
  await tx.query(`UPDATE feed_runs SET state = 'running' WHERE id = $1 AND state = 'waiting'`, [id]);
  return gone.map((row) => row.id as string);
}

export async function noteDigest(db: Queryable, id: string, digest: Buffer): Promise<void> {
  await db.query('UPDATE feed_runs SET digest = $2 WHERE id = $1', [id, digest]);
}

export async function noteProgress(db: Queryable, id: string, progress: Progress): Promise<void> {
  await db.query(`UPDATE feed_runs SET progress = $2 WHERE id = $1 AND state = 'running'`, [
    id,
    JSON.stringify(progress),
  ]);
}

export interface RunEnd {
  readonly id: string;
  readonly state: 'applied' | 'refused' | 'failed' | 'interrupted';
  readonly cause: string | undefined;
  readonly report: FeedReport | undefined;
  readonly problems: readonly RowProblem[];
  readonly now: Date;
}

export async function endRun(tx: Queryable, { id, state, cause, report, problems, now }: RunEnd): Promise<void> {
  await tx.query(
    `UPDATE feed_runs SET state = $2, cause = $3, report = $4, problems = $5, ended_at = $6, progress = NULL
      WHERE id = $1`,
    [id, state, cause, report === undefined ? undefined : JSON.stringify(report), JSON.stringify(problems), now],
  );
}

/** The id as its asker wrote it: a UUID or not. */
export async function selectRun(db: Queryable, id: string, now: Date): Promise<FeedRun | undefined> {
  const [row] = await db.query(`${SELECT} WHERE id::text = $2`, [now, id]);
  return row === undefined ? undefined : fromRow(row);
}

export async function selectRuns(db: Queryable, limit: number, now: Date): Promise<readonly FeedRun[]> {
  return (await db.query(`${SELECT} ORDER BY started_at DESC, id LIMIT $2`, [now, limit])).map(fromRow);
}

/** Whether a file is being taken in at this moment. */
export async function importRuns(db: Queryable): Promise<boolean> {
  const [row] = await db.query(
    `SELECT EXISTS (SELECT FROM feed_runs WHERE state = 'running') AND NOT (${NOBODY_IMPORTS}) AS runs`,
  );
  return row?.runs === true;
}

/** A signed file of one reach: all agencies, or those below one. */
export interface SignedFile {
  readonly agencyCode: AgencyCode | undefined;
  readonly signedAt: Date;
  readonly digest: Buffer;
}

/** Whether a file has been taken in, if only in part, that was made after this one or is another of the same moment. */
export async function knowsNewer(db: Queryable, { agencyCode: reach, signedAt, digest }: SignedFile): Promise<boolean> {
  const rows = await db.query(
    `SELECT 1 FROM feed_runs
      WHERE signed_at >= $1 AND digest IS NOT NULL AND NOT (signed_at = $1 AND digest = $2) AND NOT dry_run
        AND agency_code IS NOT DISTINCT FROM $3 AND state IN ('applied', 'failed', 'interrupted')
      LIMIT 1`,
    [signedAt, digest, reach],
  );
  return rows.length > 0;
}
