import type { Queryable, Row } from '../storage/database.js';
import type { ClientError } from './client-errors.js';

const errorOf = (row: Row): ClientError => ({
  endpoint: row.endpoint as string,
  error: row.error as string,
  detail: row.detail as string,
  firstAt: row.first_at as Date,
  lastAt: row.last_at as Date,
  times: Number(row.times),
  requestIds: row.request_ids as string[],
});

/** The latest first. */
export async function selectErrors(db: Queryable, clientId: string): Promise<readonly ClientError[]> {
  const rows = await db.query(
    `SELECT endpoint, error, detail, first_at, last_at, times::text AS times, request_ids
       FROM client_errors WHERE client_id = $1 ORDER BY last_at DESC, endpoint, error, detail`,
    [clientId],
  );
  return rows.map(errorOf);
}

/** Whichever client a request of that number was refused to. */
export async function selectErrorOfRequest(
  db: Queryable,
  requestId: string,
): Promise<{ readonly clientId: string; readonly error: ClientError } | undefined> {
  const [row] = await db.query(
    `SELECT client_id, endpoint, error, detail, first_at, last_at, times::text AS times, request_ids
       FROM client_errors WHERE $1 = ANY (request_ids) ORDER BY last_at DESC LIMIT 1`,
    [requestId],
  );
  return row && { clientId: row.client_id as string, error: errorOf(row) };
}

/** How many different things each client was refused since then. */
export async function countErrorsSince(db: Queryable, since: Date): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query(
    'SELECT client_id, count(*)::int AS errors FROM client_errors WHERE last_at >= $1 GROUP BY client_id',
    [since],
  );
  return new Map(rows.map((row) => [row.client_id as string, row.errors as number]));
}
