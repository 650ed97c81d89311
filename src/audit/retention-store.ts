import type { Queryable, Row } from '../storage/database.js';
import type { Anchor } from './anchors.js';
import { EVENT_TEXT, type CheckpointRow } from './chain-store.js';

/** Any number, always the same: one process drops at a time. Held until the connection ends. */
const LOCK = 7_306_031;

export async function lockRetention(session: Queryable): Promise<boolean> {
  const [row] = await session.query('SELECT pg_try_advisory_lock($1::bigint) AS held', [LOCK]);
  return row?.held === true;
}

/** A month that has a table of its own. */
export interface Month {
  /** Only letters, digits and underscores: DDL takes no parameters. */
  readonly table: string;
  /** As `2021-01`. */
  readonly name: string;
  /** The moment after its last. */
  readonly end: Date;
}

/** Months of the trail that ended at this moment or before it, the oldest first. */
export async function monthsBefore(db: Queryable, before: Date): Promise<readonly Month[]> {
  const rows = await db.query(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = 'audit_events'::regclass ORDER BY 1`,
  );
  return rows
    .flatMap(({ name }) => {
      const [table, year, month] = /^audit_events_(\d{4})_(\d{2})$/.exec(String(name)) ?? [];
      if (table === undefined) return [];
      return [{ table, name: `${year}-${month}`, end: new Date(Date.UTC(Number(year), Number(month), 1)) }];
    })
    .filter(({ end }) => end <= before);
}

const anchorFromRow = (row: Row): Anchor => ({
  seq: BigInt(row.seq as string),
  hash: row.hash as Buffer,
  at: row.at as Date,
  cutoff: row.cutoff as Date,
  archive: row.archive as string,
  mac: row.mac as Buffer,
});

/** Where the chain begins; undefined while nothing was dropped. */
export async function findAnchor(db: Queryable): Promise<Anchor | undefined> {
  const [row] = await db.query(
    'SELECT seq, hash, at, cutoff, archive, mac FROM audit_prunings ORDER BY seq DESC LIMIT 1',
  );
  return row === undefined ? undefined : anchorFromRow(row);
}

export async function insertAnchor(tx: Queryable, { seq, hash, at, cutoff, archive, mac }: Anchor): Promise<void> {
  await tx.query('INSERT INTO audit_prunings (seq, hash, at, cutoff, archive, mac) VALUES ($1, $2, $3, $4, $5, $6)', [
    String(seq),
    hash,
    at,
    cutoff,
    archive,
    mac,
  ]);
}

/** Whether something from before this moment still waits to be sealed. */
export async function isUnsealedBefore(db: Queryable, moment: Date): Promise<boolean> {
  const [row] = await db.query('SELECT EXISTS (SELECT FROM audit_unsealed WHERE event_at < $1) AS waits', [moment]);
  return row?.waits === true;
}

/** The last checkpoint before which the chain holds nothing of this moment or later. */
export async function findCut(db: Queryable, cutoff: Date): Promise<CheckpointRow | undefined> {
  const [row] = await db.query(
    `SELECT seq, at, hash, mac FROM audit_checkpoints
      WHERE seq < coalesce((SELECT seq FROM audit_seals WHERE event_at >= $1 ORDER BY seq LIMIT 1), 9223372036854775807)
      ORDER BY seq DESC LIMIT 1`,
    [cutoff],
  );
  if (row === undefined) return undefined;
  return { seq: BigInt(row.seq as string), at: row.at as Date, hash: row.hash as Buffer, mac: row.mac as Buffer };
}

/** Links with their events for the archive: number, hash, the text that was sealed, and the event as JSON. */
export const linksToArchive = (after: bigint, upTo: bigint): string => `
  SELECT s.seq, s.hash, CASE WHEN a.id IS NOT NULL THEN ${EVENT_TEXT} END, to_jsonb(a)::text
    FROM audit_seals s LEFT JOIN audit_events a ON a.id = s.event_id AND a.at = s.event_at
   WHERE s.seq > ${after} AND s.seq <= ${upTo}
   ORDER BY s.seq`;

/** Puts aside what is in a month and not archived: its links come later, or it never had one. Answers how much it is. */
export async function setAside(tx: Queryable, { table }: Month, cut: bigint): Promise<number> {
  await tx.query(
    `CREATE TEMPORARY TABLE audit_kept ON COMMIT DROP AS
       SELECT e.* FROM ${table} e
        WHERE NOT EXISTS (SELECT FROM audit_seals s
                           WHERE s.event_id = e.id AND s.event_at = e.at AND s.seq <= ${cut})`,
  );
  const [row] = await tx.query('SELECT count(*)::integer AS count FROM audit_kept');
  return row?.count as number;
}

/** Takes a month out of the trail, and what an earlier one had left if it is archived now; keeps what was set aside. */
export async function takeOut(tx: Queryable, { table, end }: Month, cut: bigint): Promise<void> {
  // Whoever reads the trail for long would hold up everybody behind this: then another time.
  await tx.query(`SET LOCAL lock_timeout = '1s'`);
  await tx.query(`ALTER TABLE audit_events DETACH PARTITION ${table}`);
  await tx.query(`ALTER TABLE ${table} RENAME TO ${table}_dropped`);
  await tx.query(
    `DELETE FROM audit_events_default e USING audit_seals s
      WHERE e.at < $1 AND s.event_id = e.id AND s.event_at = e.at AND s.seq <= $2`,
    [end, String(cut)],
  );
  await tx.query('INSERT INTO audit_events OVERRIDING SYSTEM VALUE SELECT * FROM audit_kept');
}

/** Drops the tables of months that were taken out: apart, since freeing their disk takes its time. */
export async function dropTakenOut(session: Queryable): Promise<void> {
  const rows = await session.query(
    `SELECT relname AS name FROM pg_class
      WHERE relkind = 'r' AND relname ~ '^audit_events_[0-9]{4}_[0-9]{2}_dropped$' AND pg_table_is_visible(oid)`,
  );
  for (const { name } of rows) await session.query(`DROP TABLE ${String(name)}`);
}

const LINKS_AT_ONCE = 50_000;

/** Forgets links that the chain does not need any more, some at a time. */
export async function deleteLinks(session: Queryable, upTo: bigint): Promise<void> {
  for (let gone = LINKS_AT_ONCE; gone === LINKS_AT_ONCE;) {
    const [row] = await session.query(
      `WITH gone AS (
         DELETE FROM audit_seals WHERE seq IN (SELECT seq FROM audit_seals WHERE seq <= $1 ORDER BY seq LIMIT $2)
         RETURNING 1)
       SELECT count(*)::integer AS count FROM gone`,
      [String(upTo), LINKS_AT_ONCE],
    );
    gone = row?.count as number;
  }
}

/** Whether links are left that {@link deleteLinks} was about to forget when it was stopped. */
export async function hasOldLinks(db: Queryable): Promise<boolean> {
  const [row] = await db.query(
    `SELECT (SELECT min(seq) FROM audit_seals) <= (SELECT max(seq) FROM audit_prunings) AS left`,
  );
  return row?.left === true;
}
