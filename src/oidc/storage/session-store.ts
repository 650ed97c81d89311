import type { Queryable, Row } from '../../storage/database.js';
import { epochSeconds } from '../../kernel/clock.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import { digest } from '../../security/digests.js';
import { SESSION_ABSOLUTE_SECONDS, SESSION_IDLE_SECONDS } from '../lifetimes.js';
import { LIVE_ACCOUNT } from './live-account.js';

export type Json = Readonly<Record<string, unknown>>;

/** What the session granted to one client: `{ sid, grantId, persistsLogout }`. */
export type Authorizations = Readonly<Record<string, Json>>;

/** A session as it stands in the database, alive at the moment of the statement. */
export interface StoredSession {
  readonly uid: string;
  /** Absent before anyone has logged in. */
  readonly accountId: AccountId | undefined;
  /** Equal to the account's, or the session would not have been found. */
  readonly credEpoch: number | undefined;
  readonly payload: Json;
  readonly authorizations: Authorizations;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** What has changed since a session was read: merged into the row, so that parallel requests lose nothing. */
export interface SessionChanges {
  readonly uid: string;
  /** The new id when it was rotated. */
  readonly id: string | undefined;
  readonly accountId: AccountId | undefined;
  /** Given with a login. */
  readonly login: SessionLogin | undefined;
  readonly payload: Changes;
  readonly authorizations: Changes;
  readonly now: Date;
}

export interface Changes {
  readonly set: Json;
  readonly removed: readonly string[];
}

export interface SessionLogin {
  readonly credEpoch: number;
  readonly at: Date;
  readonly userAgent: string | undefined;
  readonly address: string | undefined;
}

export interface NewSession {
  readonly uid: string;
  readonly id: string;
  readonly accountId: AccountId | undefined;
  readonly login: SessionLogin | undefined;
  readonly payload: Json;
  readonly authorizations: Authorizations;
  readonly now: Date;
}

/** Columns of `sso_sessions AS s` as {@link sessionFromRow} reads them. */
export const SESSION_COLUMNS = `s.uid AS session_uid, s.account_id AS session_account_id, s.cred_epoch AS session_epoch,
  s.payload AS session_payload, s.authorizations AS session_authorizations, s.last_seen_at AS session_last_seen_at,
  s.expires_at AS session_expires_at`;

export function sessionFromRow(row: Row): StoredSession | undefined {
  if (typeof row.session_uid !== 'string') return undefined;
  const account = row.session_account_id as string | null;
  return {
    uid: row.session_uid,
    accountId: account === null ? undefined : accountId(account),
    credEpoch: (row.session_epoch as number | null) ?? undefined,
    payload: row.session_payload as Json,
    authorizations: row.session_authorizations as Authorizations,
    lastSeenAt: row.session_last_seen_at as Date,
    expiresAt: row.session_expires_at as Date,
  };
}

/**
 * A session in the shape of the provider's Session model, which changes what it is given. `exp` follows the row, where
 * the limits are kept.
 */
export const sessionModel = (session: StoredSession): Record<string, unknown> => ({
  ...structuredClone(session.payload),
  uid: session.uid,
  authorizations: structuredClone(session.authorizations),
  exp: epochSeconds(session.expiresAt),
});

// Absolute and idle limit in one column, written with every change.
const EXPIRES = (startedAt: string, now: string): string =>
  `least(${startedAt} + interval '${SESSION_ABSOLUTE_SECONDS} seconds', ${now} + interval '${SESSION_IDLE_SECONDS} seconds')`;

// A session is found only while its account lives and has the credentials it logged in with.
const FIND = (key: string): string => `
  SELECT ${SESSION_COLUMNS}
    FROM sso_sessions s
    LEFT JOIN accounts a ON a.id = s.account_id AND a.cred_epoch = s.cred_epoch AND ${LIVE_ACCOUNT}
   WHERE ${key} = $1 AND s.expires_at > $2 AND (s.account_id IS NULL OR a.id IS NOT NULL)`;

const FIND_BY_ID = FIND('s.id');
const FIND_BY_UID = FIND('s.uid');

const INSERT = `
  INSERT INTO sso_sessions (uid, id, account_id, cred_epoch, payload, authorizations, user_agent, address,
                            started_at, last_seen_at, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamptz, $10::timestamptz, ${EXPIRES('$9::timestamptz', '$10::timestamptz')})`;

// Merges instead of overwriting: two authorizations at once in one session each add their client, and one that read
// the session before a step-up does not bring the old id or login time back. Nobody else's session is touched.
const UPDATE = `
  UPDATE sso_sessions s
     SET id = coalesce($2, s.id),
         account_id = coalesce(s.account_id, $3::uuid),
         cred_epoch = coalesce($4, s.cred_epoch),
         payload = (s.payload - $5::text[]) || $6::jsonb,
         authorizations = (s.authorizations - $7::text[]) || $8::jsonb,
         user_agent = coalesce($9, s.user_agent),
         address = coalesce($10, s.address),
         started_at = CASE WHEN s.account_id IS NULL THEN $11::timestamptz ELSE s.started_at END,
         last_seen_at = $12::timestamptz,
         expires_at = ${EXPIRES('(CASE WHEN s.account_id IS NULL THEN $11::timestamptz ELSE s.started_at END)', '$12::timestamptz')}
   WHERE s.uid = $1 AND s.expires_at > $12::timestamptz AND (s.account_id IS NULL OR s.account_id = $3::uuid)
  RETURNING s.uid`;

export interface SessionStore {
  /** By the id in the cookie. Absent when it ended, its account is not usable or its credentials changed. */
  find(id: string, now: Date): Promise<StoredSession | undefined>;
  findByUid(uid: string, now: Date): Promise<StoredSession | undefined>;
  insert(session: NewSession): Promise<void>;
  /** False when the session has ended meanwhile: an ended session is never brought back. */
  update(changes: SessionChanges): Promise<boolean>;
}

export function sessionStore(db: Queryable): SessionStore {
  const find = async (text: string, key: unknown, now: Date): Promise<StoredSession | undefined> => {
    const [row] = await db.query(text, [key, now]);
    return row === undefined ? undefined : sessionFromRow(row);
  };
  return {
    find: (id, now) => find(FIND_BY_ID, digest(id), now),
    findByUid: (uid, now) => find(FIND_BY_UID, uid, now),

    async insert({ uid, id, accountId: account, login, payload, authorizations, now }) {
      await db.query(INSERT, [
        uid,
        digest(id),
        account,
        login?.credEpoch,
        JSON.stringify(payload),
        JSON.stringify(authorizations),
        login?.userAgent,
        login?.address,
        login?.at ?? now,
        now,
      ]);
    },

    async update({ uid, id, accountId: account, login, payload, authorizations, now }) {
      const updated = await db.query(UPDATE, [
        uid,
        id === undefined ? undefined : digest(id),
        account,
        login?.credEpoch,
        payload.removed,
        JSON.stringify(payload.set),
        authorizations.removed,
        JSON.stringify(authorizations.set),
        login?.userAgent,
        login?.address,
        login?.at ?? now,
        now,
      ]);
      return updated.length === 1;
    },
  };
}
