import type { Disavowals } from '../accounts/disavowals.js';
import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { createEndFactors, type EndFactorsParts } from './end-factors.js';

/**
 * For an account that is another person's from now on: ends factors of every kind with all that was begun with them,
 * and the links in mails of before, in the caller's transaction. Answers how many authenticators ended.
 */
export function createForgetHolder(parts: EndFactorsParts & { readonly disavowals: Disavowals }) {
  const { disavowals } = parts;
  const endFactors = createEndFactors(parts);
  return async (tx: Queryable, accountId: AccountId): Promise<number> => {
    await disavowals.voidAll(tx, accountId);
    return (await endFactors.apply(tx, { accountId, reason: 'started_over' })).length;
  };
}
