import type { FeedRefusal } from './feed-report.js';
import type { Leaving } from './leavers-store.js';
import type { RecentChanges } from './recent-changes-store.js';

/** How many people the files of a day may make inactive without anybody having said the number. */
export interface LeaverLimit {
  /** Of the active accounts. */
  readonly percent: number;
  /** So many always: a small installation has leavers, too. */
  readonly atLeast: number;
}

/** Numbers that somebody has looked at and agreed to, for one file. */
export interface Agreed {
  readonly inactive?: number | undefined;
  readonly moved?: number | undefined;
  readonly readdressed?: number | undefined;
}

/** What a file would do to people, and what those before it have done to others in the same reach. */
export interface Judged {
  readonly leaving: Leaving;
  readonly moved: number;
  /** In use, and with another address or another person than before. */
  readonly readdressed: number;
  readonly recent: RecentChanges;
}

/** People move, and get another address, more often than they leave. */
const MORE_THAN_LEAVERS = 5;

/** Whether a file changes so many people, together with those of the last day, that it is more likely broken. */
export function judgeChanges(judged: Judged, limit: LeaverLimit, agreed: Agreed): FeedRefusal | undefined {
  const { leaving, moved, readdressed, recent } = judged;
  const active = leaving.active + recent.inactive;
  const most = Math.max(limit.atLeast, Math.floor((active * limit.percent) / 100));
  const tooMany = (people: number, before: number, allowed: number): boolean => people > 0 && people + before > allowed;
  const allowed = most * MORE_THAN_LEAVERS;

  if (!isAgreed(leaving.leaving, agreed.inactive)) {
    if (tooMany(leaving.leaving, recent.inactive, most)) {
      const counts = { inactive: leaving.leaving, before: recent.inactive, active: leaving.active, allowed: most };
      return { cause: 'too_many_inactive', ...counts };
    }
    const [worst] = leaving.emptied;
    if (worst !== undefined) {
      const { agencyCode, leaving: inactive, before, active: people } = worst;
      return { cause: 'agency_emptied', agencyCode, inactive, before, active: people, allInactive: leaving.leaving };
    }
  }
  if (!isAgreed(moved, agreed.moved) && tooMany(moved, recent.moved, allowed)) {
    return { cause: 'too_many_moved', people: moved, before: recent.moved, active: leaving.active, allowed };
  }
  if (!isAgreed(readdressed, agreed.readdressed) && tooMany(readdressed, recent.readdressed, allowed)) {
    return {
      ...{ cause: 'too_many_readdressed', people: readdressed, before: recent.readdressed },
      ...{ active: leaving.active, allowed },
    };
  }
  return undefined;
}

const isAgreed = (people: number, agreed: number | undefined): boolean => agreed !== undefined && people <= agreed;
