import type { Queryable } from '../storage/database.js';
import type { Carried } from './client-use.js';

/** Errors kept for a client, and for each of its endpoints: rubbish sent to one hides nothing of another. */
const KEPT_OF_CLIENT = 50;
const KEPT_OF_ENDPOINT = 10;
const KEPT_REQUEST_IDS = 20;

export interface UseRow {
  readonly clientId: string;
  readonly at: Date;
  readonly carried: Carried | undefined;
}

/** One thing that was refused a client, as often as it was since the last write. */
export interface ErrorRow {
  readonly clientId: string;
  readonly endpoint: string;
  readonly error: string;
  readonly detail: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly times: number;
  /** The latest first. */
  readonly requestIds: readonly string[];
}

/** A client's row that somebody else holds waits for the next time. */
export async function writeUses(db: Queryable, uses: readonly UseRow[]): Promise<void> {
  await db.query(
    `WITH used AS (
       SELECT client_id, at, carried
         FROM jsonb_to_recordset($1::jsonb) AS given (client_id text, at timestamptz, carried jsonb)
     ), free AS (
       SELECT c.client_id FROM clients c JOIN used USING (client_id) FOR NO KEY UPDATE OF c SKIP LOCKED
     )
     UPDATE clients c
        SET last_used_at = greatest(c.last_used_at, used.at), last_claims = coalesce(used.carried, c.last_claims)
       FROM used JOIN free USING (client_id)
      WHERE c.client_id = used.client_id`,
    [JSON.stringify(uses.map(({ clientId, at, carried }) => ({ client_id: clientId, at, carried })))],
  );
}

/** Counts what is known already, and lets go what is more than is kept. Errors of clients without a row are not. */
export async function writeErrors(db: Queryable, errors: readonly ErrorRow[]): Promise<void> {
  const given = errors.map((row) => ({
    client_id: row.clientId,
    endpoint: row.endpoint,
    error: row.error,
    detail: row.detail,
    first_at: row.firstAt,
    last_at: row.lastAt,
    times: row.times,
    request_ids: row.requestIds,
  }));
  await db.query(
    `WITH failed AS (
       SELECT client_id, endpoint, error, detail, first_at, last_at, times,
              ARRAY(SELECT jsonb_array_elements_text(request_ids)) AS request_ids
         FROM jsonb_to_recordset($1::jsonb) AS given (client_id text, endpoint text, error text, detail text,
              first_at timestamptz, last_at timestamptz, times bigint, request_ids jsonb)
     )
     INSERT INTO client_errors AS e (client_id, endpoint, error, detail, first_at, last_at, times, request_ids)
     SELECT f.* FROM failed f JOIN clients USING (client_id)
      ORDER BY client_id, endpoint, error, detail
     ON CONFLICT (client_id, endpoint, error, detail) DO UPDATE
        SET last_at = greatest(e.last_at, EXCLUDED.last_at), times = e.times + EXCLUDED.times,
            request_ids = (EXCLUDED.request_ids || e.request_ids)[1:${KEPT_REQUEST_IDS}]`,
    [JSON.stringify(given)],
  );
  await db.query(
    `WITH failed AS (
       SELECT client_id, endpoint, error, detail,
              row_number() OVER (PARTITION BY client_id ORDER BY last_at DESC) AS place,
              row_number() OVER (PARTITION BY client_id, endpoint ORDER BY last_at DESC) AS place_at_endpoint
         FROM client_errors WHERE client_id = ANY ($1::text[])
     )
     DELETE FROM client_errors e USING failed f
      WHERE (e.client_id, e.endpoint, e.error, e.detail) = (f.client_id, f.endpoint, f.error, f.detail)
        AND (f.place > ${KEPT_OF_CLIENT} OR f.place_at_endpoint > ${KEPT_OF_ENDPOINT})`,
    [[...new Set(errors.map(({ clientId }) => clientId))]],
  );
}
