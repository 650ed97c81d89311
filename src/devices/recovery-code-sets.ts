import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import {
  countLeft,
  endSetsUnder,
  findSet,
  replaceSet,
  spendCode,
  type CodeSet,
  type CodesLeft,
} from './recovery-code-store.js';

export type { CodesLeft } from './recovery-code-store.js';

/** From so many on the owner is told that few are left. */
export const FEW_CODES = 3;

/** An account's recovery codes at rest: one living set, slow hashes under one salt. */
export interface RecoveryCodeSets {
  find(db: Queryable, accountId: AccountId): Promise<CodeSet | undefined>;
  /** Undefined when the account has no codes. */
  left(db: Queryable, accountId: AccountId): Promise<CodesLeft | undefined>;
  /** Makes these the account's codes; the older set ends. */
  replace(
    tx: Queryable,
    set: { accountId: AccountId; salt: Buffer; pepperKid: string; hashes: readonly Buffer[] },
  ): Promise<void>;
  /** Ends up to `limit` sets whose codes are hashed under a pepper that is given up. Answers whose they were. */
  endUnder(tx: Queryable, pepper: string, limit: number): Promise<readonly AccountId[]>;
  /** Spends one code of the account once. Answers how many are left, undefined when it is unknown or spent. */
  spend(tx: Queryable, code: { accountId: AccountId; setId: string; hash: Buffer }): Promise<number | undefined>;
}

export function createRecoveryCodeSets(clock: Clock): RecoveryCodeSets {
  return {
    find: findSet,
    left: countLeft,
    replace: (tx, set) => replaceSet(tx, { ...set, now: clock.now() }),
    endUnder: (tx, pepper, limit) => endSetsUnder(tx, { pepper, limit, now: clock.now() }),
    spend: (tx, code) => spendCode(tx, { ...code, now: clock.now() }),
  };
}
