import { secondsAfter } from '../kernel/clock.js';

/** A message that could not be delivered for this long is given up. */
export const GIVE_UP_AFTER_SECONDS = 24 * 3600;

/** Attempts made quickly: for the quarter of an hour that a mailed code lives, even with the shortest waits. */
const QUICK_ATTEMPTS = 50;
const QUICK_CAP_SECONDS = 40;
const SLOW_SECONDS = 300;

/**
 * When to try again after the given failed attempt (1 is the first): after 2, 4, 8, ... 40 seconds while a person
 * may be waiting, so that a recovered server has everything within a minute (F-11), then every five minutes.
 * @param fraction from 0 up to 1: takes up to half of the wait away, so that a crowd does not come back at once.
 */
export function retryAt({ now, attempt, fraction }: { now: Date; attempt: number; fraction: number }): Date {
  const seconds = attempt > QUICK_ATTEMPTS ? SLOW_SECONDS : Math.min(QUICK_CAP_SECONDS, 2 ** attempt);
  return secondsAfter(now, seconds * (1 - fraction / 2));
}
