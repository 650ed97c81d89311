import type { BulkSession } from '../../storage/copy.js';
import type { Queryable } from '../../storage/database.js';

/** What the intruder had in hand. */
export type BreachCause =
  /** Nobody knows: everything that happened. */
  | { readonly kind: 'window' }
  /** An account, of an officer or anybody: what it did, and what was done in its name. */
  | { readonly kind: 'account'; readonly accountId: string }
  /** One session of an account, while it lasted. */
  | { readonly kind: 'session'; readonly uid: string }
  /** A service, its secret or its tokens. */
  | { readonly kind: 'client'; readonly clientId: string }
  /** Whoever logged in from these networks. */
  | { readonly kind: 'addresses'; readonly networks: readonly string[] };

export interface BreachWindow {
  readonly from: Date;
  readonly to: Date;
}

/** The accounts whose rights the intruder may have used; everything else is what they did with them. */
async function markUsed(tx: Queryable, cause: BreachCause, { from, to }: BreachWindow): Promise<void> {
  await tx.query(
    'CREATE TEMPORARY TABLE breach_used (account_id uuid, begins timestamptz, ends timestamptz) ON COMMIT DROP',
  );
  switch (cause.kind) {
    case 'account':
      await tx.query('INSERT INTO breach_used VALUES ($1, $2, $3)', [cause.accountId, from, to]);
      return;
    case 'session':
      await tx.query(
        `INSERT INTO breach_used
           SELECT account_id, greatest(started_at, $2), least(expires_at, $3) FROM sso_sessions
            WHERE uid = $1 AND account_id IS NOT NULL`,
        [cause.uid, from, to],
      );
      return;
    case 'addresses':
      await tx.query(
        `INSERT INTO breach_used
           SELECT account_id, greatest(started_at, $2), least(expires_at, $3) FROM sso_sessions
            WHERE account_id IS NOT NULL AND started_at < $3 AND expires_at > $2
              AND CASE WHEN address ~ '^[0-9a-fA-F:.]+$' THEN address::inet <<= ANY ($1::inet[]) END`,
        [cause.networks, from, to],
      );
      return;
    case 'window':
    case 'client':
  }
}

/** Events by person and kind: a few rows for each person. */
async function markTouched(tx: Queryable, cause: BreachCause, { from, to }: BreachWindow): Promise<void> {
  const grouped = (events: string): string => `
    CREATE TEMPORARY TABLE breach_touched ON COMMIT DROP AS
      SELECT account_id, type, count(*) AS events, min(at) AS first, max(at) AS last FROM (${events}) e
       GROUP BY account_id, type`;
  // CREATE TABLE takes no parameters: the window is read from a table.
  await tx.query(
    'CREATE TEMPORARY TABLE breach_window (begins timestamptz, ends timestamptz, client text) ON COMMIT DROP',
  );
  await tx.query('INSERT INTO breach_window VALUES ($1, $2, $3)', [
    from,
    to,
    cause.kind === 'client' ? cause.clientId : null,
  ]);
  const within = `e.at >= (SELECT begins FROM breach_window) AND e.at < (SELECT ends FROM breach_window)`;
  const columns = 'SELECT e.account_id, e.type, e.at FROM audit_events e';
  if (cause.kind === 'window') await tx.query(grouped(`${columns} WHERE ${within}`));
  else if (cause.kind === 'client') {
    await tx.query(grouped(`${columns} WHERE ${within} AND e.client_id = (SELECT client FROM breach_window)`));
  } else {
    const used = (column: string): string =>
      `SELECT DISTINCT e.id, e.account_id, e.type, e.at FROM breach_used u JOIN audit_events e
         ON e.${column} = u.account_id AND e.at >= u.begins AND e.at < u.ends WHERE ${within}`;
    await tx.query(grouped(`${used('actor_id')} UNION ${used('account_id')}`));
  }
  await tx.query('ANALYZE breach_touched');
}

/** Finds who is concerned, in one picture, into tables that end with the transaction. First in it. */
export async function markBreach(tx: Queryable, cause: BreachCause, window: BreachWindow): Promise<void> {
  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await markUsed(tx, cause, window);
  await markTouched(tx, cause, window);
}

export async function countPeople(tx: Queryable): Promise<number> {
  const [row] = await tx.query(
    'SELECT count(DISTINCT t.account_id)::integer AS count FROM breach_touched t JOIN accounts a ON a.id = t.account_id',
  );
  return row?.count as number;
}

export interface AgencyCount {
  readonly code: string;
  readonly name: string;
  readonly people: number;
}

export async function countByAgency(tx: Queryable): Promise<readonly AgencyCount[]> {
  const rows = await tx.query(
    `SELECT g.code, g.name, count(DISTINCT a.id)::integer AS people
       FROM breach_touched t JOIN accounts a ON a.id = t.account_id JOIN agencies g ON g.code = a.agency_code
      GROUP BY g.code, g.name ORDER BY people DESC, g.code`,
  );
  return rows.map(({ code, name, people }) => ({
    code: code as string,
    name: name as string,
    people: people as number,
  }));
}

export interface KindCount {
  readonly type: string;
  readonly events: number;
  /** Of these, how many name no person: nobody can say of whom they were. */
  readonly nameless: number;
  readonly first: Date;
  readonly last: Date;
}

export async function countByKind(tx: Queryable): Promise<readonly KindCount[]> {
  const rows = await tx.query(
    `SELECT type, sum(events)::float8 AS events,
            coalesce(sum(events) FILTER (WHERE account_id IS NULL), 0)::float8 AS nameless,
            min(first) AS first, max(last) AS last
       FROM breach_touched GROUP BY type ORDER BY events DESC, type`,
  );
  return rows.map((row) => ({
    type: row.type as string,
    events: row.events as number,
    nameless: row.nameless as number,
    first: row.first as Date,
    last: row.last as Date,
  }));
}

export interface SessionCounts {
  readonly sessions: number;
  /** Of these, still good at this moment. */
  readonly open: number;
  /** Access and refresh tokens that are still good, those of the sessions and those that stay without. */
  readonly tokens: number;
}

const ALIVE = `s.expires_at > $1 AND a.status = 'active' AND a.frozen_at IS NULL AND a.cred_epoch = s.cred_epoch`;

/** Sessions in question: the intruder's own, else those that overlap the time, of the service if it was one. */
const SESSIONS: Readonly<Record<BreachCause['kind'], string>> = {
  account: 's.account_id IN (SELECT account_id FROM breach_used)',
  session: 's.uid = $2',
  addresses: 's.account_id IN (SELECT account_id FROM breach_used)',
  client: 's.authorizations ? $2',
  window: '$2::text IS NULL',
};

const nameOf = (cause: BreachCause): string | null =>
  cause.kind === 'session' ? cause.uid : cause.kind === 'client' ? cause.clientId : null;

const overlapping = (cause: BreachCause): string => `
  FROM sso_sessions s JOIN accounts a ON a.id = s.account_id
 WHERE s.started_at < (SELECT ends FROM breach_window) AND s.last_seen_at >= (SELECT begins FROM breach_window)
   AND ${SESSIONS[cause.kind]}`;

export async function countSessions(tx: Queryable, cause: BreachCause, now: Date): Promise<SessionCounts> {
  const values = [now, nameOf(cause)];
  const [sessions] = await tx.query(
    `SELECT count(*)::integer AS sessions, count(*) FILTER (WHERE ${ALIVE})::integer AS open,
            $2::text IS NULL AS unnamed ${overlapping(cause)}`,
    values,
  );
  const [tokens] = await tx.query(
    `SELECT count(*)::integer AS count, $2::text IS NULL AS unnamed
       FROM oidc_tokens t JOIN accounts a ON a.id = t.account_id
       JOIN oidc_grants s ON s.id = t.grant_id
      WHERE t.kind IN ('AccessToken', 'RefreshToken') AND t.expires_at > $1 AND t.consumed_at IS NULL AND ${ALIVE}
        AND ${TOKENS[cause.kind]}`,
    values,
  );
  return {
    sessions: sessions?.sessions as number,
    open: sessions?.open as number,
    tokens: tokens?.count as number,
  };
}

const TOKENS: Readonly<Record<BreachCause['kind'], string>> = {
  account: 't.account_id IN (SELECT account_id FROM breach_used)',
  session: 't.session_uid = $2',
  addresses: 't.account_id IN (SELECT account_id FROM breach_used)',
  client: 't.client_id = $2',
  window: '$2::text IS NULL',
};

/** Everybody concerned, in the order of their agencies: id, NIP, name, e-mail, agency's code and name, kinds, first, last. */
export const readPeople = (session: BulkSession): AsyncIterable<readonly (Buffer | undefined)[]> =>
  session.copyOut(
    `SELECT a.id::text, a.nip, a.name, a.email, g.code, g.name, string_agg(t.type, ' ' ORDER BY t.type),
            (sum(t.events))::text, to_char(min(t.first) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            to_char(max(t.last) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
       FROM breach_touched t JOIN accounts a ON a.id = t.account_id JOIN agencies g ON g.code = a.agency_code
      GROUP BY a.id, g.code ORDER BY g.code, a.id`,
  );

export interface BreachSession {
  readonly uid: string;
  readonly accountId: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly isOpen: boolean;
}

/** The sessions in question, those that are open first; no more than anybody looks through. */
export async function listSessions(
  tx: Queryable,
  cause: BreachCause,
  { now, limit }: { now: Date; limit: number },
): Promise<readonly BreachSession[]> {
  const rows = await tx.query(
    `SELECT s.uid, s.account_id, s.started_at, s.last_seen_at, ${ALIVE} AS open, $2::text AS named ${overlapping(cause)}
      ORDER BY open DESC, s.started_at, s.uid LIMIT $3`,
    [now, nameOf(cause), limit],
  );
  return rows.map((row) => ({
    uid: row.uid as string,
    accountId: row.account_id as string,
    startedAt: row.started_at as Date,
    lastSeenAt: row.last_seen_at as Date,
    isOpen: row.open === true,
  }));
}

/** Whether there is such a session: else nothing would be found because of a slip of the pen. */
export async function sessionExists(db: Queryable, uid: string): Promise<boolean> {
  return (await db.query('SELECT FROM sso_sessions WHERE uid = $1', [uid])).length > 0;
}
