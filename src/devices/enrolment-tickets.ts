import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Queryable } from '../storage/database.js';
import { deleteTickets, takeTicket, upsertTicket } from './enrolment-ticket-store.js';

const TTL_SECONDS = 15 * 60;

/**
 * The right to enrol a first authenticator: minted where the mailbox was just proved, bound to browser and account,
 * spent once, dead after 15 minutes. A password alone never leads to an enrolment (R-03, A18).
 */
export interface EnrolmentTickets {
  issue(tx: Queryable, accountId: AccountId, browserId: string): Promise<void>;
  /** True once, in the browser it was issued to. */
  redeem(tx: Queryable, accountId: AccountId, browserId: string): Promise<boolean>;
  /** Ends all of an account's tickets: a reset of its factors or another change voids them. */
  voidAll(tx: Queryable, accountId: AccountId): Promise<void>;
}

export function createEnrolmentTickets({ keyed, clock }: { keyed: KeyedDigest; clock: Clock }): EnrolmentTickets {
  const of = (browserId: string): Buffer => keyed('enrolment ticket', browserId);
  return {
    issue: (tx, accountId, browserId) =>
      upsertTicket(tx, { accountId, browser: of(browserId), expiresAt: secondsAfter(clock.now(), TTL_SECONDS) }),
    redeem: (tx, accountId, browserId) => takeTicket(tx, { accountId, browser: of(browserId), now: clock.now() }),
    voidAll: deleteTickets,
  };
}
