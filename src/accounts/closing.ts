import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import { closeAccount, reopenAccount } from './closing-store.js';
import type { EndSessions } from './end-sessions.js';
import type { EndUnderWay } from './freezing.js';

/**
 * Closing an account until an officer opens it again: for somebody who must not get in before the personnel system says
 * so. Unlike a freeze it is no suspicion, and nobody but an officer undoes it. Each happens once, in the caller's
 * transaction.
 */
export interface Closing {
  /** False when it is closed already. Ends what the account has open and under way. */
  close(tx: Queryable, accountId: AccountId, trace?: Trace): Promise<boolean>;
  /** The status that the personnel system has given last, which counts again; undefined when it is not closed. */
  reopen(tx: Queryable, accountId: AccountId): Promise<'active' | 'inactive' | undefined>;
}

export function createClosing(parts: {
  endSessions: EndSessions;
  underWay: readonly EndUnderWay[];
  clock: Clock;
}): Closing {
  const { endSessions, underWay, clock } = parts;
  return {
    async close(tx, accountId, trace) {
      if (!(await closeAccount(tx, accountId, clock.now()))) return false;
      await endSessions.ofAccounts(tx, [accountId]);
      for (const end of underWay) await end(tx, accountId, trace);
      return true;
    },
    reopen: (tx, accountId) => reopenAccount(tx, accountId, clock.now()),
  };
}
