import type { Queryable } from '../storage/database.js';
import type { AuditEvent } from './events.js';
import type { TrailEvent, TrailQuery } from './trail.js';

/**
 * An event as its row holds it, and nothing else that came with it: no address of a visitor. Where the browser tells
 * what it is, the detail says so too.
 */
function rowOf({ agent, detail, ...event }: AuditEvent): object {
  const { type, accountId, actorId, agencyCode, clientId, requestId } = event;
  const words = Object.entries(agent ?? {}).filter(([, word]) => word !== '');
  const told = { ...detail, ...Object.fromEntries(words) };
  return { type, accountId, actorId, agencyCode, clientId, requestId, detail: told };
}

/**
 * Each row is filed under an agency (docs/adr/0021): the one that was named, else the account's of this moment, else
 * that of whoever did it. Those who read an agency's trail find it there.
 */
export async function insertEvents(tx: Queryable, at: Date, events: readonly AuditEvent[]): Promise<void> {
  await tx.query(
    `WITH written AS (
       INSERT INTO audit_events (at, type, account_id, actor_id, agency_code, client_id, request_id, detail)
       SELECT $1, e->>'type', (e->>'accountId')::uuid, (e->>'actorId')::uuid,
              coalesce(e->>'agencyCode',
                       (SELECT agency_code FROM accounts WHERE id = (e->>'accountId')::uuid),
                       (SELECT agency_code FROM accounts WHERE id = (e->>'actorId')::uuid)),
              e->>'clientId', e->>'requestId', coalesce(e->'detail', '{}')
         FROM jsonb_array_elements($2::jsonb) AS e
       RETURNING id, at)
     INSERT INTO audit_unsealed (event_id, event_at) SELECT id, at FROM written`,
    [at, JSON.stringify(events.map(rowOf))],
  );
}

/** Any number, always the same: IF NOT EXISTS alone lets two processes that start together collide. */
const LOCK = 7_306_013;

/**
 * Makes the partitions of this month and the two after it, in a transaction; harmless when they exist. What was written
 * while a month had none, by a command before the first start for example, moves there.
 */
export async function ensureMonths(tx: Queryable, now: Date): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1::bigint)', [LOCK]);
  for (const ahead of [0, 1, 2]) {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1)).toISOString();
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1)).toISOString();
    await ensureMonth(tx, { name: `audit_events_${from.slice(0, 7).replace('-', '_')}`, from, to });
  }
}

// Only digits and dashes of a date reach these texts: DDL takes no parameters.
async function ensureMonth(
  tx: Queryable,
  { name, from, to }: { name: string; from: string; to: string },
): Promise<void> {
  const [found] = await tx.query('SELECT to_regclass($1) IS NOT NULL AS known', [name]);
  if (found?.known === true) return;
  // Whoever writes meanwhile waits: a row that was on its way to the default partition would find itself misplaced.
  await tx.query('LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE');
  await tx.query(`CREATE TABLE ${name} (LIKE audit_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`);
  await tx.query(
    `WITH moved AS (DELETE FROM audit_events_default WHERE at >= '${from}' AND at < '${to}' RETURNING *)
     INSERT INTO ${name} SELECT * FROM moved`,
  );
  await tx.query(`ALTER TABLE audit_events ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`);
}

const SELECT = (place: string): string => `
  SELECT id, at, type, detail, actor_id, agency_code, client_id FROM audit_events
   WHERE account_id = $1 AND type = ANY ($2::text[]) AND at >= $3 ${place}
   ORDER BY at DESC, id DESC`;

const NEWEST = `${SELECT('')} LIMIT $4`;
// `at <= $5` besides: by it the months that come later are left out, and the index is entered at the right place.
const OLDER = `${SELECT('AND at <= $5 AND (at, id) < ($5, $6::bigint)')} LIMIT $4`;

export async function selectEvents(db: Queryable, query: TrailQuery): Promise<readonly TrailEvent[]> {
  const { accountId, types, since, before, limit } = query;
  const values = [accountId, types, since, limit];
  const rows = await (before === undefined
    ? db.query(NEWEST, values)
    : db.query(OLDER, [...values, before.at, before.id]));
  return rows.map((row) => ({
    id: row.id as string,
    at: row.at as Date,
    type: row.type as string,
    detail: row.detail as TrailEvent['detail'],
    actorId: (row.actor_id as string | null) ?? undefined,
    agencyCode: (row.agency_code as string | null) ?? undefined,
    clientId: (row.client_id as string | null) ?? undefined,
  }));
}
