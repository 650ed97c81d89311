import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

interface IssuedRow {
  readonly flow: Buffer;
  readonly accountId: AccountId | undefined;
  readonly codeDigest: Buffer;
  readonly expiresAt: Date;
}

/**
 * A guess, blinded: SHA-256 of a fresh nonce and the guess's digest. PostgreSQL compares it with the same of the
 * stored digest, so the bytes it meets differ each time and its time tells nothing.
 */
export interface Guess {
  readonly flow: Buffer;
  readonly nonce: Buffer;
  readonly blinded: Buffer;
  readonly now: Date;
  readonly maxWrongTries: number;
}

export interface Judged {
  readonly right: boolean;
  readonly wrongTries: number;
}

const RIGHT = `sha256($3::bytea || code_digest) = $4::bytea`;
const LIVE = `flow = $1 AND code_digest IS NOT NULL AND expires_at > $2 AND wrong_tries < $5`;

export const mailedCodesStore = (db: Queryable) => ({
  /** Replaces the code of a flow; the wrong tries stay. */
  async put({ flow, accountId, codeDigest, expiresAt }: IssuedRow): Promise<void> {
    await db.query(
      `INSERT INTO mailed_codes (flow, account_id, code_digest, expires_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (flow) DO UPDATE SET account_id = excluded.account_id, code_digest = excluded.code_digest,
                                        expires_at = excluded.expires_at, verified = false`,
      [flow, accountId ?? null, codeDigest, expiresAt],
    );
  },

  /** Judges and consumes in one statement; undefined when no guess is open. */
  async redeem(guess: Guess): Promise<Judged | undefined> {
    const [row] = await db.query(
      `UPDATE mailed_codes
          SET wrong_tries = wrong_tries + CASE WHEN ${RIGHT} THEN 0 ELSE 1 END,
              code_digest = CASE WHEN ${RIGHT} THEN NULL ELSE code_digest END
        WHERE ${LIVE}
       RETURNING code_digest IS NULL AS is_right, wrong_tries`,
      [guess.flow, guess.now, guess.nonce, guess.blinded, guess.maxWrongTries],
    );
    return row && { right: row.is_right as boolean, wrongTries: row.wrong_tries as number };
  },

  /** Judges and remembers a right answer until `staysUntil`, set once. */
  async check(guess: Guess & { staysUntil: Date }): Promise<Judged | undefined> {
    const [row] = await db.query(
      `UPDATE mailed_codes
          SET wrong_tries = wrong_tries + CASE WHEN ${RIGHT} THEN 0 ELSE 1 END,
              expires_at = CASE WHEN ${RIGHT} AND NOT verified THEN $6 ELSE expires_at END,
              verified = verified OR ${RIGHT}
        WHERE ${LIVE}
       RETURNING ${RIGHT} AS is_right, wrong_tries`,
      [guess.flow, guess.now, guess.nonce, guess.blinded, guess.maxWrongTries, guess.staysUntil],
    );
    return row && { right: row.is_right as boolean, wrongTries: row.wrong_tries as number };
  },

  /** The flow, of these, whose code can still be typed; of several the one mailed last. */
  async findOpen(open: {
    flows: readonly Buffer[];
    now: Date;
    maxWrongTries: number;
  }): Promise<{ flow: Buffer; expiresAt: Date } | undefined> {
    const [row] = await db.query(
      `SELECT flow, expires_at FROM mailed_codes
        WHERE flow = ANY ($1::bytea[]) AND code_digest IS NOT NULL AND expires_at > $2 AND wrong_tries < $3
        ORDER BY expires_at DESC LIMIT 1`,
      [open.flows, open.now, open.maxWrongTries],
    );
    return row && { flow: row.flow as Buffer, expiresAt: row.expires_at as Date };
  },

  /** True for one caller when the flow's code was typed right before. */
  async consume({ flow, now }: { flow: Buffer; now: Date }): Promise<boolean> {
    const rows = await db.query(
      `UPDATE mailed_codes SET code_digest = NULL
        WHERE flow = $1 AND code_digest IS NOT NULL AND verified AND expires_at > $2
       RETURNING flow`,
      [flow, now],
    );
    return rows.length === 1;
  },

  async state({
    flow,
    now,
  }: {
    flow: Buffer;
    now: Date;
  }): Promise<{ verified: boolean; wrongTries: number } | undefined> {
    const [row] = await db.query(
      `SELECT verified AND code_digest IS NOT NULL AND expires_at > $2 AS verified, wrong_tries
         FROM mailed_codes WHERE flow = $1`,
      [flow, now],
    );
    return row && { verified: row.verified as boolean, wrongTries: row.wrong_tries as number };
  },

  async voidAll(accountId: AccountId): Promise<void> {
    await db.query(`UPDATE mailed_codes SET code_digest = NULL WHERE account_id = $1 AND code_digest IS NOT NULL`, [
      accountId,
    ]);
  },
});
