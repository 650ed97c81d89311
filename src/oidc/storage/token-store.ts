import { secondsAfter } from '../../kernel/clock.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import { digest } from '../../security/digests.js';
import type { Queryable, Row } from '../../storage/database.js';
import { LIVE_ACCOUNT } from './live-account.js';
import { SESSION_COLUMNS, sessionFromRow, type Json, type StoredSession } from './session-store.js';

/** A token with all that decides whether it is still good, read in one statement. */
export interface StoredToken {
  readonly kind: string;
  readonly clientId: string | undefined;
  readonly payload: Json;
  readonly expiresAt: Date;
  readonly consumedAt: Date | undefined;
  /** Present only while the account lives and has the credentials of then: without it the token is dead. */
  readonly grant: Json | undefined;
  /** Of a token that ends with its session: absent when the session has ended. */
  readonly session: StoredSession | undefined;
  /** Present while the account lives. */
  readonly account: { readonly id: AccountId; readonly credEpoch: number } | undefined;
}

export interface NewToken {
  readonly kind: string;
  readonly id: string;
  readonly payload: Json;
  readonly expiresInSeconds: number;
  readonly now: Date;
}

/** Which token of which kind. */
export interface TokenKey {
  readonly kind: string;
  readonly id: string;
  readonly now: Date;
}

/** Whose grant ended. */
export interface EndedGrant {
  readonly accountId: AccountId;
  readonly clientId: string;
}

/** What the redemption of a built-in client's code must match, besides being alive and unspent. */
export interface OwnCode {
  readonly code: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly now: Date;
}

/** A row is kept this long after it expired: a pushed request is spent when its login ends, up to an hour later. */
const KEPT_SECONDS = 2 * 3600;
/** Longer-lived tokens are not in a partition of days. */
const LONG_SECONDS = 48 * 3600;

const day = (at: Date): string => at.toISOString().slice(0, 10);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The first day on which nobody needs the row: its partition (docs/adr/0004). */
export function dropOn(now: Date, expiresInSeconds: number): string {
  return expiresInSeconds > LONG_SECONDS ? 'infinity' : day(secondsAfter(now, expiresInSeconds + KEPT_SECONDS));
}

function fromRow(row: Row): StoredToken {
  const grant = row.grant_payload as Json | null;
  const account = row.account_id as string | null;
  return {
    kind: row.kind as string,
    clientId: (row.client_id as string | null) ?? undefined,
    payload: row.payload as Json,
    expiresAt: row.expires_at as Date,
    consumedAt: (row.consumed_at as Date | null) ?? undefined,
    grant: grant ?? undefined,
    session: sessionFromRow(row),
    account: account === null ? undefined : { id: accountId(account), credEpoch: row.cred_epoch as number },
  };
}

const INSERT = `
  INSERT INTO oidc_tokens (kind, id, grant_id, account_id, client_id, session_uid, payload, expires_at, drop_on)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (kind, id, drop_on) DO UPDATE
     SET grant_id = excluded.grant_id, account_id = excluded.account_id, payload = excluded.payload`;

// `drop_on >= today` prunes the partitions that have passed.
const FIND = `
  SELECT t.kind, t.client_id, t.payload, t.expires_at, t.consumed_at, g.payload AS grant_payload,
         a.id AS account_id, a.cred_epoch, ${SESSION_COLUMNS}
    FROM oidc_tokens t
    LEFT JOIN accounts a ON a.id = t.account_id AND ${LIVE_ACCOUNT}
    LEFT JOIN oidc_grants g ON g.id = t.grant_id AND g.expires_at > $4
                           AND g.account_id = a.id AND g.cred_epoch = a.cred_epoch
    LEFT JOIN sso_sessions s ON s.uid = t.session_uid AND s.expires_at > $4
                            AND s.account_id = a.id AND s.cred_epoch = a.cred_epoch
   WHERE t.kind = ANY ($1::text[]) AND t.id = $2 AND t.drop_on >= $3::date`;

// Check and claim are one statement: apart, two redemptions of one code both pass (SECURITY.md 0.1). A pushed request
// may be spent after its own minute, when the login that it began took longer.
const CONSUME = `
  UPDATE oidc_tokens SET consumed_at = $4
   WHERE kind = $1 AND id = $2 AND drop_on >= $3::date AND consumed_at IS NULL
     AND (expires_at > $4 OR kind = 'PushedAuthorizationRequest')
  RETURNING kind`;

const END_GRANT_OF_SPENT = `
  DELETE FROM oidc_grants g
   USING oidc_tokens t
   WHERE t.kind = $1 AND t.id = $2 AND t.drop_on >= $3::date AND t.consumed_at IS NOT NULL AND g.id = t.grant_id
  RETURNING g.account_id, g.client_id`;

const REDEEM_OWN = `
  UPDATE oidc_tokens t SET consumed_at = $3
    FROM sso_sessions s, accounts a
   WHERE t.kind = 'AuthorizationCode' AND t.id = $1 AND t.drop_on >= $2::date AND t.client_id = $4
     AND t.consumed_at IS NULL AND t.expires_at > $3
     AND t.payload->>'redirectUri' = $5 AND t.payload->>'codeChallenge' = $6
     AND s.uid = t.session_uid AND s.expires_at > $3 AND s.account_id = t.account_id
     AND a.id = s.account_id AND a.cred_epoch = s.cred_epoch AND ${LIVE_ACCOUNT}
  RETURNING t.account_id, t.session_uid, t.payload`;

export interface TokenStore {
  insert(token: NewToken): Promise<void>;
  /** The token of any of these kinds; ids are unique across kinds. Also when it has expired: the caller looks. */
  find(id: string, kinds: readonly string[], now: Date): Promise<StoredToken | undefined>;
  /** Spends a token. False when it was spent before, has expired or never was. */
  consume(key: TokenKey): Promise<boolean>;
  /** Ends the grant of a token that was already spent, and so all that was issued from it. Undefined if it had none. */
  endGrantOfSpent(key: TokenKey): Promise<EndedGrant | undefined>;
  /** Spends a code of a built-in client, all conditions in one statement. */
  redeemOwn(code: OwnCode): Promise<{ accountId: AccountId; sessionUid: string; payload: Json } | undefined>;
  delete(key: TokenKey): Promise<void>;
  deleteOfGrant(grantId: string): Promise<void>;
}

export function tokenStore(db: Queryable): TokenStore {
  const key = ({ kind, id, now }: TokenKey): unknown[] => [kind, digest(id), day(now)];
  return {
    async insert({ kind, id, payload, expiresInSeconds, now }) {
      const grantId = text(payload.grantId);
      await db.query(INSERT, [
        kind,
        digest(id),
        grantId === undefined ? undefined : digest(grantId),
        text(payload.accountId),
        text(payload.clientId),
        payload.expiresWithSession === true ? text(payload.sessionUid) : undefined,
        JSON.stringify(payload),
        // As in the payload, by which the provider judges.
        typeof payload.exp === 'number' ? new Date(payload.exp * 1000) : secondsAfter(now, expiresInSeconds),
        dropOn(now, expiresInSeconds),
      ]);
    },

    async find(id, kinds, now) {
      const [row] = await db.query(FIND, [kinds, digest(id), day(now), now]);
      return row === undefined ? undefined : fromRow(row);
    },

    async consume(token) {
      return (await db.query(CONSUME, [...key(token), token.now])).length === 1;
    },

    async endGrantOfSpent(token) {
      const [row] = await db.query(END_GRANT_OF_SPENT, key(token));
      if (row === undefined) return undefined;
      return { accountId: accountId(row.account_id as string), clientId: row.client_id as string };
    },

    async redeemOwn({ code, clientId, redirectUri, codeChallenge, now }) {
      const [row] = await db.query(REDEEM_OWN, [digest(code), day(now), now, clientId, redirectUri, codeChallenge]);
      if (row === undefined) return undefined;
      return {
        accountId: accountId(row.account_id as string),
        sessionUid: row.session_uid as string,
        payload: row.payload as Json,
      };
    },

    async delete(token) {
      await db.query('DELETE FROM oidc_tokens WHERE kind = $1 AND id = $2 AND drop_on >= $3::date', key(token));
    },

    async deleteOfGrant(grantId) {
      await db.query('DELETE FROM oidc_tokens WHERE grant_id = $1', [digest(grantId)]);
    },
  };
}
