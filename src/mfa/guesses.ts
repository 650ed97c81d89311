import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import {
  clearFailures,
  findFailureWait,
  giveBackFailure,
  reserveFailure,
  type Reservation,
} from '../throttle/failures.js';
import { OTP_FAILURES } from '../throttle/policies.js';

/** How many wrong codes in a row begin a wait; the sign-in they came from is over. */
const SPELL = 5;
const LAST = OTP_FAILURES.disableAt ?? Number.POSITIVE_INFINITY;

/**
 * Wrong second factors, counted by account wherever one is typed: sign-in, enrolment, reset, on all processes and
 * from all addresses, apart from passwords (R-07, A13). A password comes first, or, in a reset, the mailbox.
 */
export interface Guesses {
  /** Counts one failure before the code is looked at, so that parallel guesses cannot pass together. */
  reserve(tx: Queryable, accountId: AccountId): Promise<Reservation>;
  /** Until when the next try would be refused; counts none. */
  findWait(db: Queryable, accountId: AccountId): Promise<Date | undefined>;
  /** What they are counted under. */
  keyOf(accountId: AccountId): Buffer;
  giveBack(tx: Queryable, accountId: AccountId): Promise<void>;
  clear(tx: Queryable, accountId: AccountId): Promise<void>;
  /** True for the failure that ends the authenticator. */
  isLast(failures: number): boolean;
  /** True where half of the failures that end an authenticator are used up: the rest is for who proved the password. */
  isPastHalf(failures: number): boolean;
  /** True for the failure that begins a wait. */
  endsSpell(failures: number): boolean;
}

export function createGuesses({ keyed, clock }: { keyed: KeyedDigest; clock: Clock }): Guesses {
  const keyOf = (accountId: AccountId): Buffer => keyed('second factor', accountId);
  const of = (accountId: AccountId) => ({
    policy: OTP_FAILURES,
    key: keyOf(accountId),
    now: clock.now(),
  });
  return {
    reserve: (tx, accountId) => reserveFailure(tx, of(accountId)),
    findWait: (db, accountId) => findFailureWait(db, of(accountId)),
    keyOf,
    giveBack: (tx, accountId) => giveBackFailure(tx, of(accountId)),
    clear: (tx, accountId) => clearFailures(tx, of(accountId)),
    isLast: (failures) => failures >= LAST,
    isPastHalf: (failures) => failures > LAST / 2,
    endsSpell: (failures) => failures % SPELL === 0,
  };
}
