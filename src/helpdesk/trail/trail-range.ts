import { secondsAfter } from '../../kernel/clock.js';

const DAY_SECONDS = 24 * 3600;
/** What is looked at when nobody says since when. */
const DEFAULT_DAYS = 30;
/** More than a year, a leap year too, is asked for in pieces: nobody's screen holds it, and every search is bounded. */
const MAX_DAYS = 366;

/** From this moment on, and before that one. */
export interface TrailRange {
  readonly from: Date;
  readonly to: Date;
}

/** What was said of it. */
export interface AskedRange {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

export type RangeProblem = 'backwards' | 'too_long';

/** The span that is searched: the last 30 days, or the 30 days before an end, where no more is said. */
export function trailRange(asked: AskedRange, now: Date): TrailRange | RangeProblem {
  const to = asked.to ?? now;
  const from = asked.from ?? secondsAfter(to, -DEFAULT_DAYS * DAY_SECONDS);
  if (from >= to) return 'backwards';
  if (to.getTime() - from.getTime() > MAX_DAYS * DAY_SECONDS * 1000) return 'too_long';
  return { from, to };
}
