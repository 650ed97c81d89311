import { secondsAfter } from '../../kernel/clock.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { LIVE_ACCOUNT } from './live-account.js';
import type { Json } from './session-store.js';

export interface InteractionRow {
  readonly uid: string;
  readonly payload: Json;
  /** Digest of the browser's id. */
  readonly browser: Buffer;
  readonly expiresInSeconds: number;
  readonly now: Date;
}

/** A spent interaction, with the state of the account that its result vouches for. */
export interface TakenInteraction {
  readonly payload: Json;
  readonly account: { readonly id: AccountId; readonly credEpoch: number } | undefined;
}

// The provider owns these columns; what sign-in keeps in the same row stays (migrations/0003).
const INSERT = `
  INSERT INTO sign_in_attempts (uid, interaction, client_id, prompt, reasons, session_account_id, return_to, expires_at,
    browser)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (uid) DO UPDATE
     SET interaction = excluded.interaction, client_id = excluded.client_id, prompt = excluded.prompt,
         reasons = excluded.reasons, session_account_id = excluded.session_account_id,
         return_to = excluded.return_to, expires_at = excluded.expires_at`;

// Never an INSERT: an attempt that was ended meanwhile must not come back with a result in it.
const FINISH = `
  UPDATE sign_in_attempts SET interaction = $2, finished_at = $3
   WHERE uid = $1 AND expires_at > $3 AND interaction->'spent' IS NULL
  RETURNING uid`;

const FIND = `
  SELECT interaction FROM sign_in_attempts WHERE uid = $1 AND expires_at > $2 AND interaction->'spent' IS NULL`;

// What is left of a spent interaction only tells where the person came from, for who goes back to its pages.
const TAKE = `
  WITH taken AS (
    UPDATE sign_in_attempts t
       SET interaction = jsonb_build_object('spent', true, 'params', o.interaction->'params',
                                            'deviceCode', o.interaction->'deviceCode')
      FROM sign_in_attempts o
     WHERE t.uid = $1 AND o.uid = $1 AND t.expires_at > $2 AND t.browser = $3
       AND t.interaction->'spent' IS NULL
    RETURNING o.interaction
  )
  SELECT taken.interaction, a.id AS account_id, a.cred_epoch
    FROM taken
    LEFT JOIN accounts a ON a.id = (taken.interaction #>> '{result,login,accountId}')::uuid AND ${LIVE_ACCOUNT}`;

const UNBIND = `
  UPDATE sign_in_attempts SET interaction = interaction - 'session', session_account_id = NULL WHERE uid = $1`;

export interface InteractionStore {
  insert(interaction: InteractionRow): Promise<void>;
  /** Writes the person's result. False when the interaction has gone. */
  finish(interaction: { uid: string; payload: Json; now: Date }): Promise<boolean>;
  find(uid: string, now: Date): Promise<Json | undefined>;
  /** Reads and spends in one statement, in the browser it began in: of two that resume at once, one gets it. */
  take(taken: { uid: string; browser: Buffer; now: Date }): Promise<TakenInteraction | undefined>;
  /** What an authorization request asked for, spent or not. */
  origin(uid: string, now: Date): Promise<{ readonly spent: boolean; readonly interaction: Json } | undefined>;
  /** Cuts it loose from the session it began in, which belonged to another account. */
  unbind(uid: string): Promise<void>;
  /** False when it was gone. */
  delete(uid: string): Promise<boolean>;
}

export function interactionStore(db: Queryable): InteractionStore {
  return {
    async insert({ uid, payload, browser, expiresInSeconds, now }) {
      const prompt = payload.prompt as { name: string; reasons: readonly string[] };
      const { client_id: clientId } = payload.params as { client_id?: string };
      const session = payload.session as { accountId?: string } | undefined;
      await db.query(INSERT, [
        uid,
        JSON.stringify(payload),
        clientId,
        prompt.name,
        prompt.reasons,
        session?.accountId,
        payload.returnTo,
        secondsAfter(now, expiresInSeconds),
        browser,
      ]);
    },

    async finish({ uid, payload, now }) {
      return (await db.query(FINISH, [uid, JSON.stringify(payload), now])).length === 1;
    },

    async find(uid, now) {
      const [row] = await db.query(FIND, [uid, now]);
      return row?.interaction as Json | undefined;
    },

    async take({ uid, browser, now }) {
      const [row] = await db.query(TAKE, [uid, now, browser]);
      if (row === undefined) return undefined;
      const account = row.account_id as string | null;
      return {
        payload: row.interaction as Json,
        account: account === null ? undefined : { id: accountId(account), credEpoch: row.cred_epoch as number },
      };
    },

    async origin(uid, now) {
      const [row] = await db.query('SELECT interaction FROM sign_in_attempts WHERE uid = $1 AND expires_at > $2', [
        uid,
        now,
      ]);
      if (row === undefined) return undefined;
      const interaction = row.interaction as Json;
      return { spent: interaction.spent === true, interaction };
    },

    async unbind(uid) {
      await db.query(UNBIND, [uid]);
    },

    async delete(uid) {
      return (await db.query('DELETE FROM sign_in_attempts WHERE uid = $1 RETURNING uid', [uid])).length === 1;
    },
  };
}
