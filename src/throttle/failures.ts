import type { Queryable } from '../storage/database.js';
import { failureStore, type FailureCounter } from './failure-store.js';

export { waitOf, type FailureCounter } from './failure-store.js';

interface FailureEvent extends FailureCounter {
  readonly now: Date;
}

export type Reservation =
  /** Go on and check; `failures` counts this try as failed until it is given back or cleared. */
  | { readonly kind: 'reserved'; readonly failures: number }
  /** Refuse without checking: nothing was counted. */
  | { readonly kind: 'waiting'; readonly until: Date };

/**
 * Counts a failure before the check is made, so that parallel guesses cannot pass together. Commit it
 * before checking: in a transaction that rolls back the failure would be forgotten.
 */
export async function reserveFailure(db: Queryable, { now, ...counter }: FailureEvent): Promise<Reservation> {
  const store = failureStore(db);
  const failures = await store.reserve(counter, now);
  if (failures !== undefined) return { kind: 'reserved', failures };
  const until = await store.findWait(counter);
  // Cleared since: the next try may come at once.
  return { kind: 'waiting', until: until === undefined || until < now ? now : until };
}

/** Until when a try would be refused, without counting one. Undefined: it would be looked at. */
export async function findFailureWait(db: Queryable, { now, ...counter }: FailureEvent): Promise<Date | undefined> {
  const until = await failureStore(db).findWait(counter);
  return until !== undefined && until > now ? until : undefined;
}

/** Takes one reservation back where the try was neither right nor wrong: a code spent twice, a busy server. */
export const giveBackFailure = (tx: Queryable, { now, ...counter }: FailureEvent): Promise<void> =>
  failureStore(tx).giveBack(counter, now);

/**
 * Success: the count begins anew and this try's reservation is gone; call it in the transaction that records the
 * success. Failures within the policy's window still count there.
 */
export const clearFailures = (tx: Queryable, { now, ...counter }: FailureEvent): Promise<void> =>
  failureStore(tx).clear(counter, now);

/** Ends the wait that is due now. Failures still count towards the one that disables: an officer gives time, not tries. */
export const liftWait = (tx: Queryable, { now, ...counter }: FailureEvent): Promise<void> =>
  failureStore(tx).lift(counter, now);
