import type { KeyedDigest } from '../../security/digests.js';
import type { Queryable } from '../../storage/database.js';
import type { Quota } from '../../throttle/policies.js';
import { spendQuotas, type Spending } from '../../throttle/quotas.js';
import type { Looking } from './search-store.js';

/** More than anybody who answers calls needs in an hour; who copies the register needs more (A46). */
export const LOOK_QUOTAS = {
  search: { scope: 'desk-search', limit: 600, windowSeconds: 3600 },
  view: { scope: 'desk-view', limit: 600, windowSeconds: 3600 },
  /** Pages of names nobody searched for. */
  list: { scope: 'desk-list', limit: 600, windowSeconds: 3600 },
} satisfies Record<string, Quota>;

/** Takes one place of an officer's own; call it in the transaction of the look. */
export const spendLook = (
  tx: Queryable,
  { officer, now, what, keyed }: Looking & { what: keyof typeof LOOK_QUOTAS; keyed: KeyedDigest },
): Promise<Spending> =>
  spendQuotas(tx, { places: [{ quota: LOOK_QUOTAS[what], key: keyed('desk officer', officer) }], now });
