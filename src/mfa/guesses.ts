import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import {
  clearFailures,
  findFailureWait,
  giveBackFailure,
  liftWait,
  reserveFailure,
  type Reservation,
} from '../throttle/failures.js';
import { OTP_FAILURES } from '../throttle/policies.js';

/** How many wrong codes in a row begin a wait; the sign-in they came from is over. */
const SPELL = 5;
/** How long the page says to wait where no more tries are given: somebody with the password must set it right. */
const PAST_HALF_SECONDS = 3600;
const LAST = OTP_FAILURES.disableAt ?? Number.POSITIVE_INFINITY;

/**
 * Wrong second factors, counted by account wherever one is typed: sign-in, enrolment, reset, on all processes and
 * from all addresses, apart from passwords (R-07, A13). A password comes first, or, in a reset, the mailbox.
 */
export interface Guesses {
  /**
   * Counts one failure before the code is looked at, so that parallel guesses cannot pass together. `mayDisable` is
   * false where no password was proved: then only half of the tries are given, and whoever holds only the mailbox can
   * neither find the code nor bring the authenticator so near its end that its owner's slips finish it.
   */
  reserve(tx: Queryable, accountId: AccountId, more?: { readonly mayDisable?: boolean }): Promise<Reservation>;
  /** Until when the next try would be refused; counts none. */
  findWait(db: Queryable, accountId: AccountId): Promise<Date | undefined>;
  /** What they are counted under. */
  keyOf(accountId: AccountId): Buffer;
  giveBack(tx: Queryable, accountId: AccountId): Promise<void>;
  clear(tx: Queryable, accountId: AccountId): Promise<void>;
  /** Ends the wait that is due now; the count goes on. */
  liftWait(tx: Queryable, accountId: AccountId): Promise<void>;
  /** True for the failure that closes the authenticator. */
  isLast(failures: number): boolean;
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
    async reserve(tx, accountId, { mayDisable = true } = {}) {
      const reserved = await reserveFailure(tx, of(accountId));
      if (mayDisable || reserved.kind === 'waiting' || reserved.failures <= LAST / 2) return reserved;
      await giveBackFailure(tx, of(accountId));
      return { kind: 'waiting', until: secondsAfter(clock.now(), PAST_HALF_SECONDS) };
    },
    findWait: (db, accountId) => findFailureWait(db, of(accountId)),
    keyOf,
    giveBack: (tx, accountId) => giveBackFailure(tx, of(accountId)),
    clear: (tx, accountId) => clearFailures(tx, of(accountId)),
    liftWait: (tx, accountId) => liftWait(tx, of(accountId)),
    isLast: (failures) => failures >= LAST,
    endsSpell: (failures) => failures % SPELL === 0,
  };
}
