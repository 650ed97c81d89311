import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

export interface NewPresence {
  readonly id: string;
  readonly attempt: AttemptId;
  readonly accountId: AccountId;
  readonly credEpoch: number;
  readonly codeDigest: Buffer;
  readonly sealedCode: string;
  readonly expiresAt: Date;
  readonly now: Date;
}

// A sign-in that is finished, gone or forgotten ends its code; so does whatever changes the account's credentials.
const HOLDS = (account: string, attempt: string, epoch: string): string => `
  EXISTS (SELECT FROM accounts a
           WHERE a.id = ${account} AND a.cred_epoch = ${epoch} AND a.status = 'active' AND a.frozen_at IS NULL)
  AND EXISTS (SELECT FROM sign_in_attempts s
               WHERE s.uid = ${attempt} AND s.account_id = ${account} AND s.cred_epoch = ${epoch}
                 AND s.password_at IS NOT NULL AND s.finished_at IS NULL AND s.expires_at > $2)`;

const PUT = `
  INSERT INTO presence_codes (account_id, id, attempt_uid, cred_epoch, code_digest, sealed_code, expires_at)
  SELECT $1, $3, $4, $5, $6, $7, $8 WHERE ${HOLDS('$1::uuid', '$4', '$5')}
  ON CONFLICT (account_id) DO UPDATE
     SET id = excluded.id, attempt_uid = excluded.attempt_uid, cred_epoch = excluded.cred_epoch,
         code_digest = excluded.code_digest, sealed_code = excluded.sealed_code, wrong_tries = 0,
         expires_at = excluded.expires_at, spent_at = NULL
  RETURNING id`;

/**
 * A typed code, blinded as those of the mailbox are: PostgreSQL compares other bytes each time, and its time tells
 * nothing.
 */
export interface PresenceGuess {
  readonly accountId: AccountId;
  readonly nonce: Buffer;
  readonly blinded: Buffer;
  readonly now: Date;
  readonly maxWrongTries: number;
}

export interface JudgedPresence {
  readonly id: string;
  readonly right: boolean;
}

const RIGHT = `sha256($3::bytea || p.code_digest) = $4::bytea`;
const LIVE = `
  p.account_id = $1 AND p.expires_at > $2 AND p.spent_at IS NULL AND p.wrong_tries < $5
  AND ${HOLDS('p.account_id', 'p.attempt_uid', 'p.cred_epoch')}`;

const CHECK = `
  UPDATE presence_codes p SET wrong_tries = p.wrong_tries + CASE WHEN ${RIGHT} THEN 0 ELSE 1 END
   WHERE ${LIVE}
  RETURNING p.id, ${RIGHT} AS is_right`;

const SPEND = `
  UPDATE presence_codes p
     SET wrong_tries = p.wrong_tries + CASE WHEN ${RIGHT} THEN 0 ELSE 1 END,
         spent_at = CASE WHEN ${RIGHT} THEN $2::timestamptz END,
         code_digest = CASE WHEN ${RIGHT} THEN NULL ELSE p.code_digest END,
         sealed_code = CASE WHEN ${RIGHT} THEN NULL ELSE p.sealed_code END
   WHERE ${LIVE}
  RETURNING p.id, p.spent_at IS NOT NULL AS is_right`;

export interface KeptPresence {
  readonly id: string;
  readonly sealedCode: string | undefined;
  readonly wrongTries: number;
  readonly expiresAt: Date;
  readonly isSpent: boolean;
  /** The account's credentials are not those it was made with any more. */
  readonly isOutdated: boolean;
}

export const presenceStore = (db: Queryable) => ({
  /** Takes the place of an older one. False, with nothing written, when the sign-in does not stand any more. */
  async put(made: NewPresence): Promise<boolean> {
    const { accountId, now, id, attempt, credEpoch, codeDigest, sealedCode, expiresAt } = made;
    const rows = await db.query(PUT, [accountId, now, id, attempt, credEpoch, codeDigest, sealedCode, expiresAt]);
    return rows.length === 1;
  },

  /** The code of a sign-in, whatever became of it. */
  async find(attempt: AttemptId, accountId?: AccountId): Promise<KeptPresence | undefined> {
    const [row] = await db.query(
      `SELECT p.id, p.sealed_code, p.wrong_tries, p.expires_at, p.spent_at IS NOT NULL AS is_spent,
              a.cred_epoch <> p.cred_epoch AS is_outdated
         FROM presence_codes p JOIN accounts a ON a.id = p.account_id
        WHERE p.attempt_uid = $1 AND ($2::uuid IS NULL OR p.account_id = $2)`,
      [attempt, accountId],
    );
    return (
      row && {
        id: row.id as string,
        sealedCode: (row.sealed_code as string | null) ?? undefined,
        wrongTries: row.wrong_tries as number,
        expiresAt: row.expires_at as Date,
        isSpent: row.is_spent as boolean,
        isOutdated: row.is_outdated as boolean,
      }
    );
  },

  /** The id of the code that was withdrawn, if there was one to withdraw. */
  async withdraw({ attempt, accountId }: { attempt: AttemptId; accountId: AccountId }): Promise<string | undefined> {
    const [row] = await db.query(
      'DELETE FROM presence_codes WHERE account_id = $1 AND attempt_uid = $2 AND spent_at IS NULL RETURNING id',
      [accountId, attempt],
    );
    return row?.id as string | undefined;
  },

  /** Judges and counts in one statement; undefined when no code is live. */
  check: (guess: PresenceGuess) => judge(db, CHECK, guess),
  /** The same, and of many right ones one spends it. */
  spend: (guess: PresenceGuess) => judge(db, SPEND, guess),
});

async function judge(db: Queryable, statement: string, guess: PresenceGuess): Promise<JudgedPresence | undefined> {
  const { accountId, now, nonce, blinded, maxWrongTries } = guess;
  const [row] = await db.query(statement, [accountId, now, nonce, blinded, maxWrongTries]);
  return row && { id: row.id as string, right: row.is_right as boolean };
}
