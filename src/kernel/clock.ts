/**
 * Where the program learns what time it is. Handed in everywhere, so that tests decide the time and
 * SQL gets it as a parameter (SECURITY.md A42, R-71).
 */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** Whole seconds since 1970-01-01T00:00:00Z. */
export const epochSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);

export const secondsAfter = (at: Date, seconds: number): Date => new Date(at.getTime() + seconds * 1000);

/** Whole seconds from one moment until a later one, rounded up. */
export const secondsUntil = (from: Date, until: Date): number => Math.ceil((until.getTime() - from.getTime()) / 1000);
