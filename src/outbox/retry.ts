import { secondsAfter } from '../kernel/clock.js';

/** A message that could not be delivered for this long is given up. */
export const GIVE_UP_AFTER_SECONDS = 24 * 3600;

/** The seconds to wait after so many failed attempts. */
export type Waits = (attempts: number) => number;

/** Attempts made quickly: for the quarter of an hour that a mailed code lives, even with the shortest waits. */
const QUICK_ATTEMPTS = 50;
const QUICK_CAP_SECONDS = 40;
const SLOW_SECONDS = 300;

/**
 * After 2, 4, 8, ... 40 seconds while a person may be waiting, so that a recovered server has everything within a minute
 * (F-11), then every five minutes.
 */
export const WHILE_SOMEBODY_WAITS: Waits = (attempts) =>
  attempts > QUICK_ATTEMPTS ? SLOW_SECONDS : Math.min(QUICK_CAP_SECONDS, 2 ** attempts);

const FIRST_SECONDS = 5;
const HOUR_SECONDS = 3600;

/**
 * After 5, 10, 20 seconds, and so on to an hour: for those who may be away for hours with thousands of messages
 * before their door, of which any that arrives calls the others (docs/adr/0030).
 */
export const TO_MANY: Waits = (attempts) => Math.min(HOUR_SECONDS, FIRST_SECONDS * 2 ** (attempts - 1));

/**
 * When to try again after the given failed attempt (1 is the first).
 * @param fraction from 0 up to 1: takes up to half of the wait away, so that a crowd does not come back at once.
 */
export const retryAt = (after: { now: Date; attempt: number; fraction: number; waits: Waits }): Date =>
  secondsAfter(after.now, after.waits(after.attempt) * (1 - after.fraction / 2));
