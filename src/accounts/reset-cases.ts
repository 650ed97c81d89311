import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { closeCasesOf, openCase } from './freezing-store.js';

/** The helpdesk's view of resets of MFA that wait: one open case for an account, as long as its reset waits. */
export interface ResetCases {
  /** In the transaction that begins the wait. */
  open(tx: Queryable, accountId: AccountId): Promise<void>;
  /** In the transaction that ends it. */
  close(tx: Queryable, accountIds: readonly AccountId[], outcome: 'done' | 'stopped' | 'void'): Promise<void>;
}

export function createResetCases(clock: Clock): ResetCases {
  const cause = 'mfa_reset_waiting';
  return {
    async open(tx, accountId) {
      await openCase(tx, { accountId, cause, events: [], reason: undefined, now: clock.now() });
    },
    async close(tx, accountIds, outcome) {
      if (accountIds.length > 0) await closeCasesOf(tx, { accountIds, cause, reason: outcome, now: clock.now() });
    },
  };
}
