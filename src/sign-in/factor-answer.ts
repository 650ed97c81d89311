import { sameBytes } from '../security/digests.js';
import type { Answered, Attempt } from './attempt.js';

/** What came of a second factor; the same code again within a minute gets the same answer. */
export type FactorAnswer =
  /** `codesLeft`: a recovery code was spent, and so many are left. */
  | { readonly kind: 'accepted'; readonly codesLeft?: number }
  /** `again`: of several codes of the phone in a row that were wrong. */
  | { readonly kind: 'otp_invalid'; readonly again?: boolean }
  | { readonly kind: 'otp_reused' }
  /** `isUnknown`: no passkey like this is registered, or none any more. */
  | { readonly kind: 'passkey_invalid'; readonly isUnknown?: boolean }
  | { readonly kind: 'clock_drift'; readonly minutes: number }
  /** The sign-in is over: it starts again with the password when the wait ends. */
  | { readonly kind: 'throttled'; readonly until: Date }
  | { readonly kind: 'disabled' }
  /** This attempt does not wait for a second factor now. */
  | { readonly kind: 'elsewhere' };

const SAME_ANSWER_SECONDS = 60;

/** An answer as the attempt keeps it, with the digest of the code it was given to. */
export const keptAnswer = (answer: FactorAnswer, code: Buffer, at: Date): Answered => ({
  digest: code,
  at,
  answer: JSON.stringify(answer),
});

/** What this attempt answered to this code less than a minute ago: a double tap is one try. */
export function answerGiven({ answered }: Attempt, code: Buffer, now: Date): FactorAnswer | undefined {
  if (answered === undefined || !sameBytes(answered.digest, code)) return undefined;
  if (now.getTime() - answered.at.getTime() > SAME_ANSWER_SECONDS * 1000) return undefined;
  const answer = JSON.parse(answered.answer) as FactorAnswer;
  return answer.kind === 'throttled' ? { ...answer, until: new Date(answer.until) } : answer;
}
