import type { AccountId } from '../../kernel/ids.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Quota } from '../../throttle/policies.js';
import type { QuotaPlace } from '../../throttle/quotas.js';
import type { ActAction } from './act.js';

/** so many resets one officer makes before somebody looks. */
export const RESET_QUOTAS = {
  hour: { scope: 'mfa-reset-hour', limit: 20, windowSeconds: 3600 },
  day: { scope: 'mfa-reset-day', limit: 60, windowSeconds: 24 * 3600 },
} satisfies Record<string, Quota>;

/** Of everything together: far more than a busy desk needs, far less than a stolen session would like. */
export const ACT_QUOTAS = {
  hour: { scope: 'desk-act-hour', limit: 60, windowSeconds: 3600 },
  day: { scope: 'desk-act-day', limit: 300, windowSeconds: 24 * 3600 },
} satisfies Record<string, Quota>;

/** Of people who are none of the officer's. */
export const REFUSED_QUOTA: Quota = { scope: 'desk-refused-hour', limit: 100, windowSeconds: 3600 };

/** What one act of an officer spends. */
export function placesOf(keyed: KeyedDigest, officer: AccountId, action: ActAction): readonly QuotaPlace[] {
  const all = Object.values(ACT_QUOTAS).map((quota) => ({ quota, key: keyed('desk officer', officer) }));
  if (action !== 'mfa_reset') return all;
  const resets = Object.values(RESET_QUOTAS).map((quota) => ({ quota, key: keyed('mfa reset officer', officer) }));
  return [...resets, ...all];
}
