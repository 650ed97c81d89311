import { createHash, randomBytes } from 'node:crypto';
import { secondsAfter } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import { digest, type KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import type { Expiry } from '../storage/expiry.js';
import { newCode, normaliseCode } from './code-format.js';
import { mailedCodesStore, type Judged } from './mailed-codes-store.js';

/**
 * What a code proves: the mailbox of a password reset, of a reset of MFA, or before enrolling a second factor; or a new
 * address.
 */
export type CodePurpose = 'reset' | 'mfa-reset' | 'mailbox' | 'contact';

/** The passage a code belongs to: the reset's flow, or the attempt to sign in. */
export interface CodeFlow {
  readonly flow: string;
  readonly purpose: CodePurpose;
}

export interface NewCode extends CodeFlow {
  /** Absent for a name that does not exist: the same work is done and no code opens the flow. */
  readonly accountId: AccountId | undefined;
  readonly ttlSeconds: number;
  readonly now: Date;
}

export interface TypedCode extends CodeFlow {
  /** As the person typed it. */
  readonly typed: string;
  readonly now: Date;
}

export type CodeAnswer =
  | { readonly kind: 'right' }
  /** `triesLeft` is 1 or more: the last wrong try answers `exhausted`. */
  | { readonly kind: 'wrong'; readonly triesLeft: number }
  /** No code will open this flow any more: begin again. */
  | { readonly kind: 'exhausted' }
  /** None was mailed, or it expired, was used or voided. */
  | { readonly kind: 'none' };

/** Wrong tries of a flow, however many codes it mails. */
const MAX_WRONG_TRIES = 5;

/** How long a right code stays right without being typed again (SECURITY.md 3.1). */
const VERIFIED_SECONDS = 600;

/**
 * Codes that prove a mailbox. Each judgement is one conditional statement, so that no race buys a sixth try
 * or uses a code twice. **Commit after `check` and `redeem`, whatever they answer**: a rolled back wrong try was
 * not counted.
 */
export interface MailedCodes {
  /** A new code to mail, `XXXXX-XXXXX`. Voids the older one of the flow; wrong tries keep counting. */
  issue(tx: Queryable, code: NewCode): Promise<string>;
  /** The flow, of these, whose code can still be typed, and until when; of several the one mailed last. */
  findOpen<Flow extends CodeFlow>(
    db: Queryable,
    open: { readonly flows: readonly Flow[]; readonly now: Date },
  ): Promise<{ readonly flow: Flow; readonly expiresAt: Date } | undefined>;
  /** Judges and consumes: of many, one right answer. */
  redeem(db: Queryable, typed: TypedCode): Promise<CodeAnswer>;
  /**
   * Judges without consuming. A right code stays right for ten minutes, and for so long an empty field is right
   * too, so that a refused password burns nothing. {@link consume} then ends it.
   */
  check(db: Queryable, typed: TypedCode): Promise<CodeAnswer>;
  /** Consumes a code that {@link check} found right: true for one caller. */
  consume(tx: Queryable, flow: CodeFlow & { readonly now: Date }): Promise<boolean>;
  /** Voids every code of an account, in the transaction that changes its credentials. */
  voidAll(tx: Queryable, accountId: AccountId): Promise<void>;
}

export function createMailedCodes({ keyed }: { keyed: KeyedDigest }): MailedCodes {
  const rowOf = ({ purpose, flow }: CodeFlow): Buffer => digest(`${purpose}|${flow}`);
  // The flow is part of what is digested: a code moved to another row opens nothing.
  const digestOf = (flow: Buffer, code: string): Buffer => keyed('mailed-code', `${flow.toString('hex')}|${code}`);

  const guessOf = ({ typed, now, ...codeFlow }: TypedCode) => {
    const flow = rowOf(codeFlow);
    const nonce = randomBytes(32);
    // What cannot be a code is a wrong try like any other: compared with a digest nobody has.
    const code = normaliseCode(typed);
    const guess = code === undefined ? randomBytes(32) : digestOf(flow, code);
    const blinded = createHash('sha256').update(nonce).update(guess).digest();
    return { flow, nonce, blinded, now, maxWrongTries: MAX_WRONG_TRIES };
  };

  const answerOf = async (db: Queryable, flow: Buffer, now: Date, judged: Judged | undefined): Promise<CodeAnswer> => {
    const counted = judged ?? (await mailedCodesStore(db).state({ flow, now }));
    if (judged?.right === true) return { kind: 'right' };
    if (counted === undefined) return { kind: 'none' };
    if (counted.wrongTries >= MAX_WRONG_TRIES) return { kind: 'exhausted' };
    return judged === undefined ? { kind: 'none' } : { kind: 'wrong', triesLeft: MAX_WRONG_TRIES - counted.wrongTries };
  };

  return {
    async issue(tx, { accountId, ttlSeconds, now, ...codeFlow }) {
      const flow = rowOf(codeFlow);
      const code = newCode();
      const known = digestOf(flow, code.replace('-', ''));
      const codeDigest = accountId === undefined ? randomBytes(known.length) : known;
      await mailedCodesStore(tx).put({ flow, accountId, codeDigest, expiresAt: secondsAfter(now, ttlSeconds) });
      return code;
    },
    async findOpen(db, { flows, now }) {
      const rows = flows.map(rowOf);
      const open = await mailedCodesStore(db).findOpen({ flows: rows, now, maxWrongTries: MAX_WRONG_TRIES });
      const flow = flows[rows.findIndex((row) => open?.flow.equals(row))];
      return open === undefined || flow === undefined ? undefined : { flow, expiresAt: open.expiresAt };
    },
    async redeem(db, typed) {
      const guess = guessOf(typed);
      return answerOf(db, guess.flow, typed.now, await mailedCodesStore(db).redeem(guess));
    },
    async check(db, typed) {
      const guess = guessOf(typed);
      const { flow, now } = guess;
      if (typed.typed.trim() === '') {
        const state = await mailedCodesStore(db).state({ flow, now });
        if (state?.verified === true) return { kind: 'right' };
      }
      const staysUntil = secondsAfter(now, VERIFIED_SECONDS);
      return answerOf(db, flow, now, await mailedCodesStore(db).check({ ...guess, staysUntil }));
    },
    consume: (tx, { now, ...codeFlow }) => mailedCodesStore(tx).consume({ flow: rowOf(codeFlow), now }),
    voidAll: (tx, accountId) => mailedCodesStore(tx).voidAll(accountId),
  };
}

/** A day later, when no flow lives any more: the row holds the count of wrong tries. */
export const MAILED_CODES_EXPIRY: Expiry = {
  table: 'mailed_codes',
  where: `expires_at < $1::timestamptz - interval '1 day'`,
};
