import { getById } from '../accounts/accounts.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Audit } from '../audit/audit.js';
import { FEW_CODES } from '../devices/recovery-code-sets.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId } from '../kernel/ids.js';
import type { Guesses } from '../mfa/guesses.js';
import type { OtpCheck } from '../mfa/otp.js';
import type { RecoveryCodes } from '../mfa/recovery-codes.js';
import type { WrongCodes } from '../mfa/wrong-codes.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Database, Queryable } from '../storage/database.js';
import { evidenceOf, personOf, type Attempt, type FactorMethod } from './attempt.js';
import * as attempts from './attempt-store.js';
import { answerGiven, keptAnswer, type FactorAnswer } from './factor-answer.js';
import { nextStep } from './journey.js';
import { addressBucket } from '../throttle/address.js';
import type { Visitor } from '../throttle/visitor.js';

/** The answer, with the attempt to go on from: as an accepted factor has left it, else as it was found. */
export interface FactorOutcome {
  readonly answer: FactorAnswer;
  /** Undefined when the attempt is finished or gone. */
  readonly attempt: Attempt | undefined;
}

export interface SecondFactor {
  /** Until when no code is looked at, after too many wrong ones; undefined when one may be typed. */
  findWait(attempt: Attempt): Promise<Date | undefined>;
  /** The caller knows that this browser began the attempt. */
  submitOtp(uid: AttemptId, typed: string, visitor: Visitor): Promise<FactorOutcome>;
  /** Throws `Busy` when the hash queue is full. */
  submitRecoveryCode(uid: AttemptId, typed: string, visitor: Visitor): Promise<FactorOutcome>;
}

export interface SecondFactorParts {
  readonly db: Database;
  readonly otp: OtpCheck;
  readonly guesses: Guesses;
  readonly recoveryCodes: RecoveryCodes;
  readonly wrongCodes: WrongCodes;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

/** A code typed by the person whose attempt it is, which waits for one. */
interface Guess {
  readonly attempt: Attempt;
  readonly person: AccountId;
  readonly visitor: Visitor;
}

export function createSecondFactor(parts: SecondFactorParts): SecondFactor {
  const { db, otp, guesses, recoveryCodes, wrongCodes, accountMail, audit, keyed, clock } = parts;

  /** The answer to a wrong factor. Half a login must not outlive the cap: whoever guesses needs the password again. */
  async function refuse(
    tx: Queryable,
    { attempt, person, failures, visitor }: Guess & { failures: number },
  ): Promise<FactorAnswer | undefined> {
    const account = await getById(tx, person);
    const consequence = await wrongCodes.follow(tx, { account, failures, trace: visitor });
    if (consequence.kind === 'none') return undefined;
    await attempts.forgetPassword(tx, attempt.uid);
    return consequence.kind === 'wait' ? { kind: 'throttled', until: consequence.until } : { kind: 'disabled' };
  }

  async function judgeOtp(tx: Queryable, typed: string, guess: Guess): Promise<FactorAnswer> {
    const { attempt, person } = guess;
    const { requestId, agent } = guess.visitor;
    const about = { accountId: person, clientId: attempt.clientId, requestId, agent };
    const verdict = await otp.check(tx, { accountId: person, typed });
    switch (verdict.kind) {
      case 'accepted':
        await audit.record(tx, { type: 'sign_in.otp_accepted', detail: { device: verdict.device.id }, ...about });
        return { kind: 'accepted' };
      case 'throttled':
        await audit.record(tx, { type: 'sign_in.throttled', detail: { limit: 'otp' }, ...about });
        await attempts.forgetPassword(tx, attempt.uid);
        return { kind: 'throttled', until: verdict.until };
      case 'reused':
        await audit.record(tx, { type: 'sign_in.otp_refused', detail: { cause: 'reused' }, ...about });
        return { kind: 'otp_reused' };
      case 'drift': {
        const detail = { cause: 'drift', drift_minutes: verdict.minutes } as const;
        await audit.record(tx, { type: 'sign_in.otp_refused', detail, ...about });
        const over = await refuse(tx, { ...guess, failures: verdict.failures });
        return over ?? { kind: 'clock_drift', minutes: verdict.minutes };
      }
      case 'mismatch': {
        await audit.record(tx, { type: 'sign_in.otp_refused', detail: { cause: 'mismatch' }, ...about });
        const { failures } = verdict;
        return (await refuse(tx, { ...guess, failures })) ?? { kind: 'otp_invalid', again: failures > 1 };
      }
    }
  }

  /**
   * Takes one factor of one attempt: the attempt's row is held meanwhile, so that a double tap is one try and its
   * second half finds the first one's answer.
   */
  async function take(
    { uid, code, method, visitor }: { uid: AttemptId; code: Buffer; method: FactorMethod; visitor: Visitor },
    judge: (tx: Queryable, guess: Guess) => Promise<FactorAnswer>,
  ): Promise<FactorOutcome> {
    return db.transaction(async (tx) => {
      const { browserId } = visitor;
      const attempt = await attempts.lock(tx, { uid, browserId, now: clock.now() });
      if (attempt === undefined) return { answer: { kind: 'elsewhere' }, attempt };
      const before = answerGiven(attempt, code, clock.now());
      if (before !== undefined) return { answer: before, attempt };
      const person = personOf(attempt);
      if (person === undefined || nextStep(evidenceOf(attempt), clock.now()) !== 'second-factor') {
        return { answer: { kind: 'elsewhere' }, attempt };
      }
      const answer = await judge(tx, { attempt, person, visitor });
      const now = clock.now();
      const given = keptAnswer(answer, code, now);
      if (answer.kind !== 'accepted') {
        await attempts.recordAnswer(tx, uid, given);
        return { answer, attempt };
      }
      const credEpoch = attempt.accountId === undefined ? (await getById(tx, person)).credEpoch : attempt.credEpoch;
      if (credEpoch === undefined) throw new Error('a password was proved without its epoch');
      const proof = { uid, accountId: person, credEpoch, method, now, answered: given };
      return { answer, attempt: await attempts.recordFactor(tx, proof) };
    });
  }

  return {
    async findWait({ accountId, sessionAccountId, codesWaitUntil: until }) {
      if (accountId !== undefined) return until !== undefined && until > clock.now() ? until : undefined;
      return sessionAccountId === undefined ? undefined : guesses.findWait(db, sessionAccountId);
    },

    submitOtp: (uid, typed, visitor) =>
      take(
        { uid, code: keyed('answered code', `${uid}|otp|${typed.replace(/\s/g, '')}`), method: 'otp', visitor },
        (tx, guess) => judgeOtp(tx, typed, guess),
      ),

    async submitRecoveryCode(uid, typed, visitor) {
      const { browserId, requestId, agent } = visitor;
      const opened = await attempts.find(db, { uid, browserId, now: clock.now() });
      const person = opened === undefined ? undefined : personOf(opened);
      if (person === undefined) return { answer: { kind: 'elsewhere' }, attempt: opened };
      const read = (on: Queryable, of: AccountId) => recoveryCodes.read(on, of, typed, addressBucket(visitor.address));
      const isDue = opened !== undefined && nextStep(evidenceOf(opened), clock.now()) === 'second-factor';
      // The slow hash is made before the transaction, no row is held meanwhile; and only for a code that is looked at.
      const isLookedAt = isDue && (await guesses.findWait(db, person)) === undefined;
      const early = isLookedAt ? await read(db, person) : undefined;
      const code = keyed('answered code', `${uid}|recovery|${typed.trim()}`);
      return take({ uid, code, method: 'recovery_code', visitor }, async (tx, guess) => {
        const about = { accountId: guess.person, clientId: guess.attempt.clientId, requestId, agent };
        const reserved = await guesses.reserve(tx, guess.person);
        if (reserved.kind === 'waiting') {
          await audit.record(tx, { type: 'sign_in.throttled', detail: { limit: 'otp' }, ...about });
          await attempts.forgetPassword(tx, uid);
          return { kind: 'throttled', until: reserved.until };
        }
        // In this very moment the wait ended, or the attempt came to this step.
        const slow = isLookedAt ? early : await read(tx, guess.person);
        const left = slow === undefined ? undefined : await recoveryCodes.redeem(tx, guess.person, slow);
        if (left === undefined) {
          await audit.record(tx, { type: 'sign_in.recovery_code_refused', detail: {}, ...about });
          return (await refuse(tx, { ...guess, failures: reserved.failures })) ?? { kind: 'otp_invalid' };
        }
        await guesses.clear(tx, guess.person);
        await audit.record(tx, { type: 'sign_in.recovery_code_accepted', detail: { left }, ...about });
        if (left <= FEW_CODES) {
          const account = await getById(tx, guess.person);
          const data = { at: clock.now(), left };
          await accountMail.queue(tx, { account, mail: 'recovery-codes-few', data, locale: visitor.locale });
        }
        return { kind: 'accepted', codesLeft: left };
      });
    },
  };
}
