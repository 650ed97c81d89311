import type { Queryable } from '../storage/database.js';
import { MAIL_QUOTAS } from './policies.js';
import { quotaStore, type QuotaPlace } from './quota-store.js';

export type { QuotaPlace } from './quota-store.js';

export type Spending = { readonly kind: 'spent' } | { readonly kind: 'exhausted'; readonly until: Date };

/**
 * Takes one place of every quota, or of none. The windows slide exactly: within any span of the quota's length there
 * are never more than its limit. `until` is when there is room in all of them. Call it in a transaction.
 */
export async function spendQuotas(
  tx: Queryable,
  { places, now }: { readonly places: readonly QuotaPlace[]; readonly now: Date },
): Promise<Spending> {
  const store = quotaStore(tx);
  const taken = await store.take(places, now);
  if (taken.length === places.length) return { kind: 'spent' };
  if (taken.length > 0) await store.giveBack(taken, now);
  return { kind: 'exhausted', until: (await store.findRoom(places, now)) ?? now };
}

/** Gives back the places taken at that time, e.g. when the code that was mailed is redeemed. */
export const giveBackQuotas = (
  tx: Queryable,
  { places, spentAt }: { readonly places: readonly QuotaPlace[]; readonly spentAt: Date },
): Promise<void> => quotaStore(tx).giveBack(places, spentAt);

/**
 * What one mail spends. `account` is the keyed digest of the account or of the name typed, existing or not;
 * `address` that of the bucket the request came from.
 */
export const mailPlaces = ({ account, address }: { account: Buffer; address: Buffer }): QuotaPlace[] => [
  { quota: MAIL_QUOTAS.accountFromSource, key: Buffer.concat([account, address]) },
  { quota: MAIL_QUOTAS.accountFromSourceDay, key: Buffer.concat([account, address]) },
  { quota: MAIL_QUOTAS.accountHour, key: account },
  { quota: MAIL_QUOTAS.accountDay, key: account },
  { quota: MAIL_QUOTAS.address, key: address },
];

/** What one mail spends of the budget of a browser that the account has logged in with. */
export const knownBrowserMailPlaces = (browser: Buffer): QuotaPlace[] => [
  { quota: MAIL_QUOTAS.knownBrowserHour, key: browser },
  { quota: MAIL_QUOTAS.knownBrowserDay, key: browser },
];
