import type { Queryable, Row } from '../storage/database.js';

interface NewRow {
  readonly id: string;
  readonly kind: string;
  readonly payload: string;
  readonly dedupKey: string | undefined;
  readonly expiresAt: Date | undefined;
  /** Also when it is due. */
  readonly createdAt: Date;
  readonly accountId: string | undefined;
  readonly lane: string | undefined;
}

/** A message that this worker alone may deliver until its lease ends. */
export interface ClaimedRow {
  readonly id: string;
  readonly kind: string;
  readonly payload: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  /** 1 at the first attempt. */
  readonly attempt: number;
  readonly accountId: string | undefined;
  readonly lane: string | undefined;
}

/** A message that has not left. */
export interface Unsent {
  readonly createdAt: Date;
  /** Given up. */
  readonly dead: boolean;
}

/** How much waits. */
export interface Backlog {
  readonly kind: string;
  readonly waiting: number;
  readonly dead: number;
  readonly oldestAt: Date | undefined;
}

type Attempt = Pick<ClaimedRow, 'id' | 'attempt'>;

export const outboxStore = (db: Queryable) => ({
  async insert(rows: readonly NewRow[]): Promise<void> {
    await db.query(
      `INSERT INTO outbox (id, kind, payload, dedup_key, expires_at, created_at, account_id, lane, next_attempt_at)
       SELECT id, kind, payload, dedup_key, expires_at, created_at, account_id, lane, created_at
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::uuid[],
                     $8::text[])
           AS message (id, kind, payload, dedup_key, expires_at, created_at, account_id, lane)
       ON CONFLICT (dedup_key) DO NOTHING`,
      [
        rows.map(({ id }) => id),
        rows.map(({ kind }) => kind),
        rows.map(({ payload }) => payload),
        rows.map(({ dedupKey }) => dedupKey ?? null),
        rows.map(({ expiresAt }) => expiresAt ?? null),
        rows.map(({ createdAt }) => createdAt),
        rows.map(({ accountId }) => accountId ?? null),
        rows.map(({ lane }) => lane ?? null),
      ],
    );
  },

  /** Takes up to `limit` due messages that no other worker holds, oldest first. */
  async claim(want: {
    now: Date;
    leaseUntil: Date;
    kinds: string[];
    exceptLanes: string[];
    limit: number;
  }): Promise<ClaimedRow[]> {
    const rows = await db.query(
      `WITH due AS MATERIALIZED (
         SELECT id FROM outbox
          WHERE dead_at IS NULL AND next_attempt_at <= $1 AND kind = ANY($3::text[])
            AND (lane IS NULL OR lane <> ALL($5::text[]))
          ORDER BY next_attempt_at LIMIT $4
            FOR UPDATE SKIP LOCKED)
       UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $2
         FROM due WHERE outbox.id = due.id
       RETURNING outbox.id, kind, payload, created_at, expires_at, attempts, account_id, lane`,
      [want.now, want.leaseUntil, want.kinds, want.limit, want.exceptLanes],
    );
    return rows.map(claimedFromRow);
  },

  /** Whoever delivered it, it is done: no fence here, or it would be sent once more. */
  async remove(id: string): Promise<void> {
    await db.query(`DELETE FROM outbox WHERE id = $1`, [id]);
  },

  async postpone({ id, attempt }: Attempt, { until, reason }: { until: Date; reason: string }): Promise<void> {
    await db.query(`UPDATE outbox SET next_attempt_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2`, [
      id,
      attempt,
      until,
      reason,
    ]);
  },

  /** Makes those of a lane due that wait for longer than anybody's lease. */
  async hasten({ kind, lane, now, leaseUntil }: { kind: string; lane: string; now: Date; leaseUntil: Date }) {
    await db.query(
      `UPDATE outbox SET next_attempt_at = $3
        WHERE kind = $1 AND lane = $2 AND dead_at IS NULL AND next_attempt_at > $4 AND last_error IS NOT NULL`,
      [kind, lane, now, leaseUntil],
    );
  },

  /** Gives up: the row stays as a number in the metrics, without what it said. */
  async bury({ id, attempt }: Attempt, { now, reason }: { now: Date; reason: string }): Promise<void> {
    await db.query(
      `UPDATE outbox SET dead_at = $3, last_error = $4, payload = NULL, dedup_key = NULL
        WHERE id = $1 AND attempts = $2`,
      [id, attempt, now, reason],
    );
  },

  async latestUnsent({ kind, accountId }: { kind: string; accountId: string }): Promise<Unsent | undefined> {
    const [row] = await db.query(
      `SELECT created_at, dead_at IS NOT NULL AS dead FROM outbox
        WHERE account_id = $1 AND kind = $2 ORDER BY created_at DESC LIMIT 1`,
      [accountId, kind],
    );
    return row && { createdAt: row.created_at as Date, dead: row.dead as boolean };
  },

  async backlog(): Promise<Backlog[]> {
    const rows = await db.query(
      `SELECT kind, count(*) FILTER (WHERE dead_at IS NULL)::integer AS waiting,
              count(dead_at)::integer AS dead,
              min(created_at) FILTER (WHERE dead_at IS NULL) AS oldest_at
         FROM outbox GROUP BY kind`,
    );
    return rows.map((row) => ({
      kind: row.kind as string,
      waiting: row.waiting as number,
      dead: row.dead as number,
      oldestAt: (row.oldest_at as Date | null) ?? undefined,
    }));
  },
});

const claimedFromRow = (row: Row): ClaimedRow => ({
  id: row.id as string,
  kind: row.kind as string,
  payload: row.payload as string,
  createdAt: row.created_at as Date,
  expiresAt: (row.expires_at as Date | null) ?? undefined,
  attempt: row.attempts as number,
  accountId: (row.account_id as string | null) ?? undefined,
  lane: (row.lane as string | null) ?? undefined,
});
