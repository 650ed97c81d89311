import type { FeedRefusal } from './feed-report.js';
import type { Leaving } from './leavers-store.js';

/** How many people one file may make inactive without anybody having said the number. */
export interface LeaverLimit {
  /** Of the active accounts. */
  readonly percent: number;
  /** So many always: a small installation has leavers, too. */
  readonly atLeast: number;
}

/**
 * Whether a file makes so many people inactive that it is more likely broken: more than the share of all, or more than
 * half of one sizeable agency. `agreed` is the number that somebody has looked at and agreed to; it stands in for both.
 */
export function judgeLeavers(
  { active, leaving, emptied }: Leaving,
  { percent, atLeast }: LeaverLimit,
  agreed: number | undefined,
): FeedRefusal | undefined {
  if (agreed !== undefined && leaving <= agreed) return undefined;
  const allowed = Math.max(atLeast, Math.floor((active * percent) / 100));
  if (leaving > allowed) return { cause: 'too_many_inactive', inactive: leaving, active, allowed };
  const [worst] = emptied;
  if (worst === undefined) return undefined;
  const { agencyCode, leaving: inactive, active: people } = worst;
  return { cause: 'agency_emptied', agencyCode, inactive, active: people, allInactive: leaving };
}
