import { secondsAfter } from '../../kernel/clock.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import { digest } from '../../security/digests.js';
import type { Queryable, Row } from '../../storage/database.js';
import type { Json } from '../storage/session-store.js';
import type { EndedGrant } from '../storage/token-store.js';

/** A device's wish to be let in. */
export interface StoredDeviceCode {
  readonly clientId: string;
  readonly payload: Json;
  readonly expiresAt: Date;
  /** What came of it: `refused` by the person or by us. */
  readonly state: 'waiting' | 'approved' | 'refused';
}

interface Poll {
  readonly deviceCode: string;
  readonly clientId: string;
  readonly now: Date;
}

/** How much longer a device has to wait each time it asks too early, and at most (RFC 8628 section 3.5). */
const SLOWER_SECONDS = 5;
const SLOWEST_SECONDS = 60;

const COLUMNS = 'client_id, payload, expires_at, decided_at, account_id';

// A code of an hour ago may happen to be drawn again; one that still stands may not.
const INSERT = `
  INSERT INTO device_codes (id, user_code, client_id, payload, expires_at, interval_seconds)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (user_code) DO UPDATE
     SET id = excluded.id, client_id = excluded.client_id, payload = excluded.payload,
         expires_at = excluded.expires_at, interval_seconds = excluded.interval_seconds, polled_at = NULL,
         decided_at = NULL, account_id = NULL, consumed_at = NULL
   WHERE device_codes.expires_at <= $7
  RETURNING id`;

// A second of grace: a question that is asked on time may have travelled faster than the one before.
const POLL = `
  UPDATE device_codes d
     SET polled_at = $3,
         interval_seconds = CASE WHEN o.early THEN least(o.interval_seconds + ${SLOWER_SECONDS}, ${SLOWEST_SECONDS})
                                 ELSE o.interval_seconds END
    FROM (SELECT id, interval_seconds,
                 decided_at IS NULL AND coalesce($3 < polled_at + make_interval(secs => interval_seconds - 1), false)
                   AS early
            FROM device_codes WHERE id = $1 AND client_id = $2 FOR UPDATE) o
   WHERE d.id = o.id
  RETURNING ${COLUMNS.replace(/\w+/g, 'd.$&')}, o.early`;

// Of two that answer at once, one does.
const DECIDE = `
  UPDATE device_codes SET payload = $3, account_id = $4, decided_at = $2
   WHERE user_code = $1 AND decided_at IS NULL AND expires_at > $2
  RETURNING client_id`;

// One redemption; a refusal may be told again.
const CONSUME = `
  UPDATE device_codes SET consumed_at = CASE WHEN account_id IS NULL THEN consumed_at ELSE $2 END
   WHERE id = $1 AND decided_at IS NOT NULL AND (account_id IS NULL OR consumed_at IS NULL) AND expires_at > $2
  RETURNING id`;

const END_GRANT_OF_SPENT = `
  DELETE FROM oidc_grants g
   USING device_codes d
   WHERE d.id = $1 AND d.consumed_at IS NOT NULL AND g.id = sha256(convert_to(d.payload->>'grantId', 'UTF8'))
  RETURNING g.account_id, g.client_id`;

const fromRow = (row: Row): StoredDeviceCode => ({
  clientId: row.client_id as string,
  payload: row.payload as Json,
  expiresAt: row.expires_at as Date,
  state: row.decided_at === null ? 'waiting' : row.account_id === null ? 'refused' : 'approved',
});

/** `userCode` is the keyed digest of what the person types. */
export const deviceCodeStore = (db: Queryable) => ({
  /** False when the same user code is in use. */
  async insert(code: {
    deviceCode: string;
    userCode: Buffer;
    clientId: string;
    payload: Json;
    expiresInSeconds: number;
    intervalSeconds: number;
    now: Date;
  }): Promise<boolean> {
    const inserted = await db.query(INSERT, [
      digest(code.deviceCode),
      code.userCode,
      code.clientId,
      JSON.stringify(code.payload),
      secondsAfter(code.now, code.expiresInSeconds),
      code.intervalSeconds,
      code.now,
    ]);
    return inserted.length === 1;
  },

  async findByUserCode(userCode: Buffer): Promise<StoredDeviceCode | undefined> {
    const [row] = await db.query(`SELECT ${COLUMNS} FROM device_codes WHERE user_code = $1`, [userCode]);
    return row && fromRow(row);
  },

  /** What the device that holds the code is told now; `isEarly` when it asked too soon and nothing has come yet. */
  async poll({ deviceCode, clientId, now }: Poll): Promise<(StoredDeviceCode & { isEarly: boolean }) | undefined> {
    const [row] = await db.query(POLL, [digest(deviceCode), clientId, now]);
    return row && { ...fromRow(row), isEarly: row.early as boolean };
  },

  /** The client, when this was the answer; undefined when it was answered before, has expired or never was. */
  async decide(answer: {
    userCode: Buffer;
    payload: Json;
    accountId: AccountId | undefined;
    now: Date;
  }): Promise<string | undefined> {
    const { userCode, now, payload } = answer;
    const [row] = await db.query(DECIDE, [userCode, now, JSON.stringify(payload), answer.accountId]);
    return row?.client_id as string | undefined;
  },

  /** Spends an approved code. False when it was spent before. */
  async consume({ deviceCode, now }: { deviceCode: string; now: Date }): Promise<boolean> {
    return (await db.query(CONSUME, [digest(deviceCode), now])).length === 1;
  },

  /** Ends the grant that a spent code gave. */
  async endGrantOfSpent(deviceCode: string): Promise<EndedGrant | undefined> {
    const [row] = await db.query(END_GRANT_OF_SPENT, [digest(deviceCode)]);
    return row && { accountId: accountId(row.account_id as string), clientId: row.client_id as string };
  },
});
