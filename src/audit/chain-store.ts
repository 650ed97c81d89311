import type { Queryable, Row } from '../storage/database.js';

/** The end of the chain. */
export interface Head {
  readonly seq: bigint;
  readonly hash: Buffer;
}

/** An event that waits to be sealed. */
export interface Unsealed {
  readonly eventId: string;
  /** As PostgreSQL writes it, to the microsecond. */
  readonly eventAt: string;
  /** The whole row, as {@link EVENT_TEXT} writes it; empty when it is gone already. */
  readonly text: string;
}

export interface Seal extends Head, Omit<Unsealed, 'text'> {}

/** Any number, always the same: one process seals at a time. */
const LOCK = 7_306_041;

/** A row as text, unambiguous (PostgreSQL's composite format), whatever the session's settings: see {@link CANONICAL}. */
export const EVENT_TEXT =
  'ROW(a.id, a.at, a.type, a.account_id, a.actor_id, a.agency_code, a.client_id, a.request_id, a.detail)::text';

/** Must hold where {@link EVENT_TEXT} is read. */
const CANONICAL = `SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true)`;

/** For all that a connection of one's own reads from here on. */
export async function readCanonically(session: Queryable): Promise<void> {
  await session.query(`SELECT set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, YMD', false)`);
}

/** One picture of everything: what is sealed meanwhile is neither missing nor too much. First in its transaction. */
export async function beginReading(tx: Queryable): Promise<void> {
  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await tx.query(CANONICAL);
}

/** False when another process is at it. The lock ends with the transaction. */
export async function lockChain(tx: Queryable): Promise<boolean> {
  const [row] = await tx.query('SELECT pg_try_advisory_xact_lock($1::bigint) AS held', [LOCK]);
  return row?.held === true;
}

export async function findHead(db: Queryable): Promise<Head | undefined> {
  const [row] = await db.query('SELECT seq, hash FROM audit_seals ORDER BY seq DESC LIMIT 1');
  return row === undefined ? undefined : { seq: BigInt(row.seq as string), hash: row.hash as Buffer };
}

/** Takes the oldest that wait off the list; the caller seals them in the same transaction. */
export async function takeUnsealed(tx: Queryable, limit: number): Promise<readonly Unsealed[]> {
  await tx.query(CANONICAL);
  const rows = await tx.query(
    `WITH taken AS (
       DELETE FROM audit_unsealed
        WHERE event_id IN (SELECT event_id FROM audit_unsealed ORDER BY event_id LIMIT $1)
       RETURNING event_id, event_at)
     SELECT taken.event_id, taken.event_at::text, CASE WHEN a.id IS NULL THEN '' ELSE ${EVENT_TEXT} END AS text
       FROM taken LEFT JOIN audit_events a ON a.id = taken.event_id AND a.at = taken.event_at
      ORDER BY taken.event_id`,
    [limit],
  );
  return rows.map((row) => ({
    eventId: row.event_id as string,
    eventAt: row.event_at as string,
    text: row.text as string,
  }));
}

export async function insertSeals(tx: Queryable, seals: readonly Seal[]): Promise<void> {
  await tx.query(
    `INSERT INTO audit_seals (seq, event_id, event_at, hash)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bytea[])`,
    [
      seals.map(({ seq }) => String(seq)),
      seals.map(({ eventId }) => eventId),
      seals.map(({ eventAt }) => eventAt),
      seals.map(({ hash }) => hash),
    ],
  );
}

/** A signed end of the chain, see {@link Checkpoints}. */
export interface CheckpointRow extends Head {
  readonly at: Date;
  readonly mac: Buffer;
}

export async function findLastCheckpoint(db: Queryable): Promise<CheckpointRow | undefined> {
  const [row] = await db.query('SELECT seq, at, hash, mac FROM audit_checkpoints ORDER BY seq DESC LIMIT 1');
  return row === undefined ? undefined : checkpointFromRow(row);
}

/** The latest made before this moment. */
export async function findCheckpointBefore(db: Queryable, at: Date): Promise<CheckpointRow | undefined> {
  const [row] = await db.query(
    'SELECT seq, at, hash, mac FROM audit_checkpoints WHERE at < $1 ORDER BY seq DESC LIMIT 1',
    [at],
  );
  return row === undefined ? undefined : checkpointFromRow(row);
}

export async function findCheckpointsFrom(db: Queryable, seq: bigint): Promise<readonly CheckpointRow[]> {
  const rows = await db.query('SELECT seq, at, hash, mac FROM audit_checkpoints WHERE seq >= $1 ORDER BY seq', [
    String(seq),
  ]);
  return rows.map(checkpointFromRow);
}

export async function insertCheckpoint(tx: Queryable, { seq, at, hash, mac }: CheckpointRow): Promise<void> {
  await tx.query('INSERT INTO audit_checkpoints (seq, at, hash, mac) VALUES ($1, $2, $3, $4)', [
    String(seq),
    at,
    hash,
    mac,
  ]);
}

const checkpointFromRow = (row: Row): CheckpointRow => ({
  seq: BigInt(row.seq as string),
  at: row.at as Date,
  hash: row.hash as Buffer,
  mac: row.mac as Buffer,
});

/** Links in their order, each with its event as text, NULL where the event is gone: number, hash, text. */
export const linksAfter = (seq: bigint, count: number): string => `
  SELECT s.seq, s.hash, CASE WHEN a.id IS NOT NULL THEN ${EVENT_TEXT} END
    FROM audit_seals s LEFT JOIN audit_events a ON a.id = s.event_id AND a.at = s.event_at
   WHERE s.seq > ${seq} AND s.seq <= ${seq + BigInt(count)}
   ORDER BY s.seq`;

/** The first event that neither stands in the chain nor waits for it. */
export async function findStranger(db: Queryable): Promise<string | undefined> {
  const [row] = await db.query(
    `SELECT a.id FROM audit_events a
      WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.event_id = a.id AND s.event_at = a.at)
        AND NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.event_id = a.id AND u.event_at = a.at)
      ORDER BY a.id LIMIT 1`,
  );
  return row?.id as string | undefined;
}

export async function countUnsealed(db: Queryable): Promise<number> {
  const [row] = await db.query('SELECT count(*)::integer AS count FROM audit_unsealed');
  return row?.count as number;
}
