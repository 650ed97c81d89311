export interface BreakerOptions {
  /** A failure that took at least this long counts; quick ones cost nobody any time. */
  readonly slowMs: number;
  /** How many slow failures in a row open the breaker. */
  readonly failures: number;
  readonly pauseMs: number;
}

export type Breaker = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Stops asking a server that does not answer: after some slow failures in a row every call is refused at once until
 * the pause is over (fault test F-08: a frozen Redis must not add its time limit to every request).
 */
export function breaker({ slowMs, failures, pauseMs }: BreakerOptions): Breaker {
  let slow = 0;
  let openUntil = 0;
  return async (work) => {
    const begun = performance.now();
    if (begun < openUntil) throw new Error('paused after several calls without an answer');
    try {
      const result = await work();
      slow = 0;
      return result;
    } catch (error) {
      const now = performance.now();
      // A millisecond of grace: timers may fire that much early.
      if (now - begun >= slowMs - 1) slow += 1;
      if (slow >= failures) openUntil = now + pauseMs;
      throw error;
    }
  };
}
