import { accountId, type AccountId } from '../kernel/ids.js';
import { digest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import { LIVE_ACCOUNT } from './live-account.js';

export interface EndedSession {
  readonly uid: string;
  readonly accountId: AccountId | undefined;
}

// Grants that outlive the browser's logout (offline_access) end only with the account's sessions as a whole.
const END_BY_ID = 'DELETE FROM sso_sessions WHERE id = $1 RETURNING uid, account_id';
const END_BY_UID = 'DELETE FROM sso_sessions WHERE uid = $1 RETURNING uid, account_id';

// The clients of the kept session are asked to come again; our own pages need no grant.
const KEEP = `
  UPDATE sso_sessions s SET authorizations = '{}', cred_epoch = a.cred_epoch
    FROM accounts a
   WHERE s.uid = $1 AND s.account_id = ANY ($2::uuid[]) AND a.id = s.account_id`;

const IS_OPEN = `
  SELECT 1 FROM sso_sessions s JOIN accounts a ON a.id = s.account_id
   WHERE s.uid = $1 AND s.account_id = $2 AND s.cred_epoch = a.cred_epoch AND ${LIVE_ACCOUNT}`;

/** The statements that end sessions; the caller chooses the transaction. */
export function endedSessions(db: Queryable): {
  isOpen(session: { readonly uid: string; readonly accountId: AccountId }): Promise<boolean>;
  byId(id: string): Promise<EndedSession | undefined>;
  byUid(uid: string): Promise<EndedSession | undefined>;
  ofAccounts(
    accounts: readonly AccountId[],
    except?: { readonly exceptAttempt?: string; readonly exceptSession?: string },
  ): Promise<void>;
} {
  const end = async (text: string, key: unknown): Promise<EndedSession | undefined> => {
    const [row] = await db.query(text, [key]);
    if (row === undefined) return undefined;
    const account = row.account_id as string | null;
    return { uid: row.uid as string, accountId: account === null ? undefined : accountId(account) };
  };
  return {
    isOpen: async (session) => (await db.query(IS_OPEN, [session.uid, session.accountId])).length === 1,

    byId: (id) => end(END_BY_ID, digest(id)),

    async byUid(uid) {
      const ended = await end(END_BY_UID, uid);
      await db.query('DELETE FROM oidc_grants WHERE session_uid = $1', [uid]);
      return ended;
    },

    async ofAccounts(accounts, { exceptAttempt, exceptSession } = {}) {
      await db.query('DELETE FROM sso_sessions WHERE account_id = ANY ($1::uuid[]) AND uid IS DISTINCT FROM $2', [
        accounts,
        exceptSession,
      ]);
      await db.query('DELETE FROM oidc_grants WHERE account_id = ANY ($1::uuid[])', [accounts]);
      if (exceptSession !== undefined) await db.query(KEEP, [exceptSession, accounts]);
      // Attempts bound to one of those sessions are dead without it; these carry proofs of their own.
      await db.query(
        `DELETE FROM sign_in_attempts
          WHERE (account_id = ANY ($1::uuid[]) OR session_account_id = ANY ($1::uuid[])) AND uid IS DISTINCT FROM $2`,
        [accounts, exceptAttempt],
      );
    },
  };
}
