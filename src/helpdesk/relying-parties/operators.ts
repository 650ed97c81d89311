import type { By } from '../../clients/clients.js';
import type { Clock } from '../../kernel/clock.js';
import type { Queryable } from '../../storage/database.js';
import type { ActTrace, Caller } from '../acts/act.js';
import type { Refusals } from '../refusals.js';
import { isOperator } from './operator-store.js';

/** Who wants something: over the admin API or in the console. */
export interface OperatorAsked {
  readonly caller: Caller;
  readonly trace: ActTrace;
}

/** Only operators have to do with clients, and each of them with all. */
export interface Forbidden {
  readonly kind: 'forbidden';
}

export const byOf = ({ caller, trace }: OperatorAsked): By => ({ actorId: caller.accountId, ...trace });

/** Whether somebody is an operator at this moment; a refusal is on record. */
export interface Operators {
  maySee(db: Queryable, asked: OperatorAsked, action: string): Promise<boolean>;
  /** The same in a transaction that changes something: it stays true until that ends. */
  mayChange(tx: Queryable, asked: OperatorAsked, action: string): Promise<boolean>;
}

export function createOperators({ refusals, clock }: { refusals: Refusals; clock: Clock }): Operators {
  const ask =
    (holding: boolean) =>
    async (db: Queryable, { caller, trace }: OperatorAsked, action: string): Promise<boolean> => {
      const { accountId: officer, clientId } = caller;
      if (await isOperator(db, { officer, now: clock.now(), holding })) return true;
      await refusals.record(db, { action, cause: 'role', actorId: officer, clientId, trace });
      return false;
    };
  return { maySee: ask(false), mayChange: ask(true) };
}
