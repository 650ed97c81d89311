import type { OwnedSession } from '../../accounts/end-sessions.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import { digest } from '../../security/digests.js';
import type { Queryable, Row } from '../../storage/database.js';
import type { PartySession } from './logout-notices.js';
import { sidOf } from '../storage/sid.js';
import { LIVE_ACCOUNT } from '../storage/live-account.js';

interface EndedSession {
  readonly uid: string;
  /** Absent when nobody had logged in. */
  readonly accountId: AccountId | undefined;
}

/** What one ending took with it. */
export interface Ended {
  readonly sessions: readonly EndedSession[];
  /** Every relying party's share that ended, once. */
  readonly parties: readonly PartySession[];
}

// One row for each client of each ended session, or one without a client. Whatever an authorization added to the row up
// to the moment it goes is in it: nobody is forgotten.
const END = (which: string): string => `
  WITH ended AS (DELETE FROM sso_sessions WHERE ${which} RETURNING uid, account_id, authorizations)
  SELECT ended.uid, ended.account_id, party.key AS client_id, party.value->>'sid' AS sid
    FROM ended LEFT JOIN LATERAL jsonb_each(ended.authorizations) AS party ON true`;

const END_BY_ID = END('id = $1');
const END_BY_UID = END('uid = $1');
const END_OWN = END('uid = $1 AND account_id = $2');
const END_OTHERS = END('account_id = $2 AND uid <> $1');
const END_OF_ACCOUNTS = END('account_id = ANY ($1::uuid[]) AND uid IS DISTINCT FROM $2');

// Its clients are asked to come again; our own pages need no grant.
const KEEP = `
  WITH kept AS (
    SELECT uid, account_id, authorizations FROM sso_sessions WHERE uid = $1 AND account_id = ANY ($2::uuid[]) FOR UPDATE
  ), emptied AS (
    UPDATE sso_sessions s SET authorizations = '{}', cred_epoch = a.cred_epoch
      FROM kept JOIN accounts a ON a.id = kept.account_id
     WHERE s.uid = kept.uid
  )
  SELECT kept.uid, kept.account_id, party.key AS client_id, party.value->>'sid' AS sid
    FROM kept, jsonb_each(kept.authorizations) AS party`;

const IS_OPEN = `
  SELECT 1 FROM sso_sessions s JOIN accounts a ON a.id = s.account_id
   WHERE s.uid = $1 AND s.account_id = $2 AND s.cred_epoch = a.cred_epoch AND ${LIVE_ACCOUNT}`;

// After the sessions, in a statement of its own: it sees the grants of requests that the first had to wait for.
const END_GRANTS = (which: string): string => `
  DELETE FROM oidc_grants WHERE ${which}
  RETURNING account_id, client_id, session_uid AS uid, payload->>'jti' AS grant_id`;

const END_GRANTS_OF_SESSION = END_GRANTS('session_uid = $1');
const END_OTHER_GRANTS = END_GRANTS('account_id = $2 AND session_uid IS DISTINCT FROM $1');
const END_GRANT = END_GRANTS(`id = decode($1, 'hex') AND account_id = $2`);
const END_GRANTS_OF_ACCOUNTS = END_GRANTS('account_id = ANY ($1::uuid[])');

const ownerOf = (row: Row | undefined): AccountId | undefined => {
  const account = row?.account_id as string | null | undefined;
  return typeof account === 'string' ? accountId(account) : undefined;
};

/**
 * Gathers what ended. A grant whose session ended earlier, by its limits, still stands for a login at its relying
 * party; one of a session that ended just now is told under the `sid` that stood in the session.
 */
function gather(rows: readonly Row[], grants: readonly Row[] = []): Ended {
  const sessions = new Map<string, EndedSession>();
  const parties = new Map<string, PartySession>();
  for (const row of [
    ...rows,
    ...grants.map((grant) => ({ ...grant, sid: sidOf(grant.grant_id as string) })),
  ] as Row[]) {
    const [uid, owner, clientId, sid] = [row.uid as string | null, ownerOf(row), row.client_id, row.sid];
    if (uid !== null && row.grant_id === undefined) sessions.set(uid, { uid, accountId: owner });
    if (owner === undefined || typeof clientId !== 'string' || typeof sid !== 'string') continue;
    const share = JSON.stringify([uid ?? sid, clientId]);
    if (!parties.has(share)) parties.set(share, { clientId, accountId: owner, sid });
  }
  return { sessions: [...sessions.values()], parties: [...parties.values()] };
}

/** The statements that end sessions; the caller chooses the transaction and tells the relying parties. */
export function endedSessions(db: Queryable) {
  const end = async (text: string, ...keys: unknown[]): Promise<readonly Row[]> => db.query(text, keys);
  return {
    isOpen: async (session: { readonly uid: string; readonly accountId: AccountId }): Promise<boolean> =>
      (await db.query(IS_OPEN, [session.uid, session.accountId])).length === 1,

    async holdSignIns(account: AccountId): Promise<void> {
      await db.query('SELECT uid FROM sign_in_attempts WHERE account_id = $1 ORDER BY uid FOR UPDATE', [account]);
    },

    /** The session of a cookie. Grants that outlive the browser's logout (offline_access) stay. */
    byId: async (id: string): Promise<Ended> => gather(await end(END_BY_ID, digest(id))),

    async byUid(uid: string): Promise<Ended> {
      const rows = await end(END_BY_UID, uid);
      return gather(rows, await end(END_GRANTS_OF_SESSION, uid));
    },

    async ofOwner({ accountId: account, sessionUid }: OwnedSession): Promise<Ended> {
      const rows = await end(END_OWN, sessionUid, account);
      return rows.length === 0 ? gather([]) : gather(rows, await end(END_GRANTS_OF_SESSION, sessionUid));
    },

    /** One grant, as `stayingAppsOf` names it. */
    async ofApp({ accountId: account, id }: { readonly accountId: AccountId; readonly id: string }) {
      const grants = /^(?:[0-9a-f]{2})+$/.test(id) ? await end(END_GRANT, id, account) : [];
      return { parties: gather([], grants).parties, grants: grants.length };
    },

    /** All but this one, and every grant that does not belong to it. */
    othersOf: async ({ accountId: account, sessionUid }: OwnedSession): Promise<Ended> =>
      gather(await end(END_OTHERS, sessionUid, account), await end(END_OTHER_GRANTS, sessionUid, account)),

    async ofAccounts(
      accounts: readonly AccountId[],
      { exceptAttempt, exceptSession }: { readonly exceptAttempt?: string; readonly exceptSession?: string } = {},
    ): Promise<Ended> {
      const rows = await end(END_OF_ACCOUNTS, accounts, exceptSession);
      const emptied = exceptSession === undefined ? [] : await end(KEEP, exceptSession, accounts);
      const grants = await end(END_GRANTS_OF_ACCOUNTS, accounts);
      // Attempts bound to one of those sessions are dead without it; these carry proofs of their own.
      await db.query(
        `DELETE FROM sign_in_attempts
          WHERE (account_id = ANY ($1::uuid[]) OR session_account_id = ANY ($1::uuid[])) AND uid IS DISTINCT FROM $2`,
        [accounts, exceptAttempt],
      );
      // The one that stays goes on without the session that it was begun in: it has asked for everything anew.
      if (exceptAttempt !== undefined) {
        await db.query(
          `UPDATE sign_in_attempts SET interaction = interaction - 'session', session_account_id = NULL WHERE uid = $1`,
          [exceptAttempt],
        );
      }
      const { sessions } = gather(rows);
      return { sessions, parties: gather([...rows, ...emptied], grants).parties };
    },
  };
}
