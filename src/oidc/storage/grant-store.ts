import { secondsAfter } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import { digest } from '../../security/digests.js';
import type { Queryable } from '../../storage/database.js';
import { LIVE_ACCOUNT } from './live-account.js';
import type { Json } from './session-store.js';

export interface NewGrant {
  readonly id: string;
  readonly accountId: AccountId;
  readonly credEpoch: number;
  readonly clientId: string;
  readonly sessionUid: string | undefined;
  /** Holds the id as `jti`: a grant's id is nobody's key to anything. */
  readonly payload: Json;
  readonly expiresInSeconds: number;
  readonly now: Date;
}

// Two tabs that ask at once for the same client in the same session share one grant: the second gets the first's id.
const CLAIM = `
  INSERT INTO oidc_grants AS g (id, account_id, cred_epoch, client_id, session_uid, payload, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (session_uid, client_id) DO UPDATE
     SET payload = g.payload || (excluded.payload - 'jti' - 'exp')
  RETURNING payload->>'jti' AS jti`;

const FIND = `
  SELECT g.payload
    FROM oidc_grants g
    JOIN accounts a ON a.id = g.account_id AND a.cred_epoch = g.cred_epoch AND ${LIVE_ACCOUNT}
   WHERE g.id = $1 AND g.expires_at > $2`;

export interface GrantStore {
  /** Keeps a grant and answers the id that counts. */
  claim(grant: NewGrant): Promise<string>;
  find(id: string, now: Date): Promise<Json | undefined>;
  /** Ends a grant and all that hangs on it: every token names its grant. */
  delete(id: string): Promise<void>;
}

export function grantStore(db: Queryable): GrantStore {
  return {
    async claim({ id, accountId, credEpoch, clientId, sessionUid, payload, expiresInSeconds, now }) {
      const [row] = await db.query(CLAIM, [
        digest(id),
        accountId,
        credEpoch,
        clientId,
        sessionUid,
        JSON.stringify(payload),
        secondsAfter(now, expiresInSeconds),
      ]);
      return row?.jti as string;
    },

    async find(id, now) {
      const [row] = await db.query(FIND, [digest(id), now]);
      return row?.payload as Json | undefined;
    },

    async delete(id) {
      await db.query('DELETE FROM oidc_grants WHERE id = $1', [digest(id)]);
    },
  };
}
