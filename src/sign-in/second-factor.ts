import { getById, recordLogin, type Account } from '../accounts/accounts.js';
import type { Audit } from '../audit/audit.js';
import type { Devices } from '../devices/devices.js';
import type { Clock } from '../kernel/clock.js';
import type { AttemptId } from '../kernel/ids.js';
import type { Guesses } from '../mfa/guesses.js';
import type { OtpCheck } from '../mfa/otp.js';
import type { RecoveryCodes } from '../mfa/recovery-codes.js';
import type { WrongCodes } from '../mfa/wrong-codes.js';
import { sameBytes, type KeyedDigest } from '../security/digests.js';
import type { Database, Queryable } from '../storage/database.js';
import { evidenceOf, personOf, type Attempt, type FactorMethod } from './attempt.js';
import * as attempts from './attempt-store.js';
import { nextStep } from './journey.js';
import type { Visitor } from '../throttle/visitor.js';

/** What came of a second factor; the same code again within a minute gets the same answer. */
export type FactorAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'otp_invalid' }
  | { readonly kind: 'otp_reused' }
  | { readonly kind: 'clock_drift'; readonly minutes: number }
  /** The sign-in is over: it starts again with the password when the wait ends. */
  | { readonly kind: 'throttled'; readonly until: Date }
  | { readonly kind: 'disabled' }
  /** This attempt does not wait for a second factor now. */
  | { readonly kind: 'elsewhere' };

const SAME_ANSWER_SECONDS = 60;

export interface SecondFactor {
  submitOtp(uid: AttemptId, typed: string, visitor: Visitor): Promise<FactorAnswer>;
  /** Throws `Busy` when the hash queue is full. */
  submitRecoveryCode(uid: AttemptId, typed: string, visitor: Visitor): Promise<FactorAnswer>;
}

export interface SecondFactorParts {
  readonly db: Database;
  readonly devices: Devices;
  readonly otp: OtpCheck;
  readonly guesses: Guesses;
  readonly recoveryCodes: RecoveryCodes;
  readonly wrongCodes: WrongCodes;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

const write = (answer: FactorAnswer): string => JSON.stringify(answer);

function read(text: string): FactorAnswer {
  const answer = JSON.parse(text) as FactorAnswer;
  return answer.kind === 'throttled' ? { ...answer, until: new Date(answer.until) } : answer;
}

export function createSecondFactor(parts: SecondFactorParts): SecondFactor {
  const { db, devices, otp, guesses, recoveryCodes, wrongCodes, audit, keyed, clock } = parts;

  async function accept(
    tx: Queryable,
    { attempt, account, method }: { attempt: Attempt; account: Account; method: FactorMethod },
  ): Promise<void> {
    const { credEpoch } = attempt.accountId === undefined ? account : { credEpoch: attempt.credEpoch ?? -1 };
    await attempts.recordFactor(tx, { uid: attempt.uid, accountId: account.id, credEpoch, method, now: clock.now() });
    await recordLogin(tx, { accountId: account.id, now: clock.now() });
  }

  /** The answer to a wrong factor. Half a login must not outlive the cap: whoever guesses needs the password again. */
  async function refuse(
    tx: Queryable,
    {
      attempt,
      account,
      failures,
      requestId,
    }: { attempt: Attempt; account: Account; failures: number; requestId: string },
  ): Promise<FactorAnswer | undefined> {
    const consequence = await wrongCodes.follow(tx, { account, failures, requestId });
    if (consequence.kind === 'none') return undefined;
    await attempts.forgetPassword(tx, attempt.uid);
    return consequence.kind === 'wait' ? { kind: 'throttled', until: consequence.until } : { kind: 'disabled' };
  }

  async function judgeOtp(
    tx: Queryable,
    { attempt, account, typed, requestId }: { attempt: Attempt; account: Account; typed: string; requestId: string },
  ): Promise<FactorAnswer> {
    const about = { accountId: account.id, clientId: attempt.clientId, requestId };
    const verdict = await otp.check(tx, { accountId: account.id, typed });
    switch (verdict.kind) {
      case 'accepted':
        await accept(tx, { attempt, account, method: 'otp' });
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
        const over = await refuse(tx, { attempt, account, failures: verdict.failures, requestId });
        return over ?? { kind: 'clock_drift', minutes: verdict.minutes };
      }
      case 'mismatch': {
        await audit.record(tx, { type: 'sign_in.otp_refused', detail: { cause: 'mismatch' }, ...about });
        return (
          (await refuse(tx, { attempt, account, failures: verdict.failures, requestId })) ?? { kind: 'otp_invalid' }
        );
      }
    }
  }

  /**
   * Takes one factor of one attempt: the attempt's row is held meanwhile, so that a double tap is one try and its
   * second half finds the first one's answer.
   */
  async function take(
    uid: AttemptId,
    code: Buffer,
    judge: (tx: Queryable, attempt: Attempt, account: Account) => Promise<FactorAnswer>,
  ): Promise<FactorAnswer> {
    return db.transaction(async (tx) => {
      const attempt = await attempts.lock(tx, uid, clock.now());
      if (attempt === undefined) return { kind: 'elsewhere' };
      const { answered } = attempt;
      if (answered !== undefined && sameBytes(answered.digest, code)) {
        const ageSeconds = (clock.now().getTime() - answered.at.getTime()) / 1000;
        if (ageSeconds <= SAME_ANSWER_SECONDS) return read(answered.answer);
      }
      const person = personOf(attempt);
      if (person === undefined) return { kind: 'elsewhere' };
      const hasDevice = (await devices.activeOf(tx, person)).length > 0;
      if (nextStep(evidenceOf(attempt, hasDevice), clock.now()) !== 'second-factor') return { kind: 'elsewhere' };
      const answer = await judge(tx, attempt, await getById(tx, person));
      await attempts.recordAnswer(tx, uid, { digest: code, at: clock.now(), answer: write(answer) });
      return answer;
    });
  }

  return {
    submitOtp: (uid, typed, { requestId }) =>
      take(uid, keyed('answered code', `${uid}|otp|${typed.replace(/\s/g, '')}`), (tx, attempt, account) =>
        judgeOtp(tx, { attempt, account, typed, requestId }),
      ),

    async submitRecoveryCode(uid, typed, { requestId }) {
      const opened = await attempts.find(db, uid, clock.now());
      const person = opened === undefined ? undefined : personOf(opened);
      if (person === undefined) return { kind: 'elsewhere' };
      // The slow hash is made before the transaction: no row is held meanwhile.
      const code = await recoveryCodes.read(db, person, typed);
      return take(uid, keyed('answered code', `${uid}|recovery|${typed.trim()}`), async (tx, attempt, account) => {
        const about = { accountId: account.id, clientId: attempt.clientId, requestId };
        const reserved = await guesses.reserve(tx, account.id);
        if (reserved.kind === 'waiting') {
          await attempts.forgetPassword(tx, uid);
          return { kind: 'throttled', until: reserved.until };
        }
        const left = code === undefined ? undefined : await recoveryCodes.redeem(tx, code);
        if (left === undefined) {
          await audit.record(tx, { type: 'sign_in.recovery_code_refused', detail: {}, ...about });
          const { failures } = reserved;
          return (await refuse(tx, { attempt, account, failures, requestId })) ?? { kind: 'otp_invalid' };
        }
        await guesses.clear(tx, account.id);
        await accept(tx, { attempt, account, method: 'recovery_code' });
        await audit.record(tx, { type: 'sign_in.recovery_code_accepted', detail: { left }, ...about });
        return { kind: 'accepted' };
      });
    },
  };
}
