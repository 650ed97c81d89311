import { secondsAfter, type Clock } from '../kernel/clock.js';
import { sameBytes, type KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import { giveUpKey, keepAnswer, selectAnswer, takeKey } from './idempotency-store.js';

const KEPT_SECONDS = 24 * 3600;

/** A call that its caller may repeat because the answer was lost on the way. */
export interface RepeatableCall {
  /** Keys of different callers never meet. */
  readonly caller: string;
  /** What the caller sent as `Idempotency-Key`; without one every call stands for itself. */
  readonly key: string | undefined;
  /** All that was asked, in one canonical form. */
  readonly request: string;
}

/** The key was used for another request. */
export interface KeyReused {
  readonly kind: 'key_reused';
}

export interface Idempotency {
  /**
   * Does the work once for a key, in the caller's transaction, however many calls come at the same time; the others
   * get the same answer for a day. Only an answer with an effect (`keeps`) is kept, as JSON: a refusal changed
   * nothing, and whether it still holds is decided anew (A47).
   */
  once<Answer>(
    tx: Queryable,
    call: RepeatableCall & { readonly keeps: (answer: Answer) => boolean },
    work: () => Promise<Answer>,
  ): Promise<Answer | KeyReused>;
  /**
   * Whether a read is what its key was used for before, if it was. No answer is kept: it is read anew, and may be about
   * people.
   */
  isSame(tx: Queryable, call: RepeatableCall): Promise<boolean>;
}

export function createIdempotency({ keyed, clock }: { keyed: KeyedDigest; clock: Clock }): Idempotency {
  const idempotency: Idempotency = {
    async once<Answer>(
      tx: Queryable,
      { caller, key: sent, request: asked, keeps }: RepeatableCall & { readonly keeps: (answer: Answer) => boolean },
      work: () => Promise<Answer>,
    ) {
      if (sent === undefined) return work();
      const key = keyed('idempotency key', JSON.stringify([caller, sent]));
      const request = keyed('idempotent request', asked);
      const now = clock.now();
      if (!(await takeKey(tx, { key, request, now, expiresAt: secondsAfter(now, KEPT_SECONDS) }))) {
        const before = await selectAnswer(tx, key);
        return sameBytes(before.request, request) ? (before.answer as Answer) : { kind: 'key_reused' };
      }
      const answer = await work();
      await (keeps(answer) ? keepAnswer(tx, key, answer) : giveUpKey(tx, key));
      return answer;
    },

    async isSame(tx, call) {
      const read = { kind: 'read' } as const;
      return (await idempotency.once(tx, { ...call, keeps: () => true }, () => Promise.resolve(read))).kind === 'read';
    },
  };
  return idempotency;
}
