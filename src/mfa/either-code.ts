import type { Account } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import { FEW_CODES } from '../devices/recovery-code-sets.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Visitor } from '../throttle/visitor.js';
import type { Guesses } from './guesses.js';
import type { OtpCheck, OtpVerdict } from './otp.js';
import { isRecoveryCode, type RecoveryCodes, type TypedCode } from './recovery-codes.js';
import type { WrongCodes } from './wrong-codes.js';

/** What was typed, with the slow hash of a recovery code made. */
export type ReadCode =
  | { readonly kind: 'otp'; readonly typed: string }
  | { readonly kind: 'recovery'; readonly code: TypedCode | undefined };

export type CodeRefusal = Exclude<OtpVerdict, { kind: 'accepted' }>;

/**
 * One field that takes a one-time code or, where no app is at hand, a recovery code. Which of the two was typed shows by
 * its form alone, so the page says nothing of what the account has.
 */
export interface EitherCode {
  /** Asked before any transaction: no row is held while a recovery code is hashed. Throws `Busy`. */
  read(db: Queryable, accountId: AccountId, typed: string, from: string): Promise<ReadCode>;
  /** Until when a code would not be looked at: asked before slow work that only a code looked at is worth. */
  findWait(db: Queryable, accountId: AccountId): Promise<Date | undefined>;
  /**
   * Spends the code, once, or counts and follows up the failure, in the caller's transaction. Commit whatever comes of
   * it. Undefined: it was right.
   */
  take(
    tx: Queryable,
    /** `mayDisable` as in `Guesses.reserve`. */
    given: { account: Account; read: ReadCode; mayDisable: boolean },
    visitor: Visitor,
  ): Promise<CodeRefusal | undefined>;
}

export function createEitherCode(parts: {
  otp: OtpCheck;
  guesses: Guesses;
  recoveryCodes: RecoveryCodes;
  wrongCodes: WrongCodes;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): EitherCode {
  const { otp, guesses, recoveryCodes, wrongCodes, accountMail, audit, clock } = parts;

  async function takeRecovery(
    tx: Queryable,
    { account, code, mayDisable }: { account: Account; code: TypedCode | undefined; mayDisable: boolean },
    { locale, requestId, agent }: Visitor,
  ): Promise<CodeRefusal | undefined> {
    const { id: accountId } = account;
    const reserved = await guesses.reserve(tx, accountId, { mayDisable });
    if (reserved.kind === 'waiting') return { kind: 'throttled', until: reserved.until };
    const left = code === undefined ? undefined : await recoveryCodes.redeem(tx, accountId, code);
    if (left === undefined) return { kind: 'mismatch', failures: reserved.failures };
    await guesses.clear(tx, accountId);
    await audit.record(tx, { type: 'reset.recovery_code_accepted', detail: { left }, accountId, requestId, agent });
    if (left <= FEW_CODES) {
      await accountMail.queue(tx, { account, mail: 'recovery-codes-few', data: { at: clock.now(), left }, locale });
    }
    return undefined;
  }

  async function takeOtp(
    tx: Queryable,
    { account, typed, mayDisable }: { account: Account; typed: string; mayDisable: boolean },
  ): Promise<CodeRefusal | undefined> {
    const verdict = await otp.check(tx, { accountId: account.id, typed, mayDisable });
    return verdict.kind === 'accepted' ? undefined : verdict;
  }

  return {
    async read(db, accountId, typed, from) {
      if (!isRecoveryCode(typed)) return { kind: 'otp', typed };
      return { kind: 'recovery', code: await recoveryCodes.read(db, accountId, typed, from) };
    },
    findWait: (db, accountId) => guesses.findWait(db, accountId),
    async take(tx, { account, read, mayDisable }, visitor) {
      const isRecovery = read.kind === 'recovery';
      const refusal = isRecovery
        ? await takeRecovery(tx, { account, code: read.code, mayDisable }, visitor)
        : await takeOtp(tx, { account, typed: read.typed, mayDisable });
      if (refusal === undefined) return undefined;
      const { requestId, agent } = visitor;
      const cause = isRecovery && refusal.kind === 'mismatch' ? 'recovery_code' : refusal.kind;
      await audit.record(tx, { type: 'reset.otp_refused', detail: { cause }, accountId: account.id, requestId, agent });
      if ('failures' in refusal) await wrongCodes.follow(tx, { account, failures: refusal.failures, trace: visitor });
      return refusal;
    },
  };
}
