import { secondsAfter } from '../kernel/clock.js';

/** After so many failures in a row a lane is left alone for a while, and what waits in it costs nothing. */
const FAILURES = 5;
const PAUSE_SECONDS = 30;
/** Between two calls for all that wait in a lane. */
const CALL_SECONDS = 10;

/** What one process has learned of the places that messages go to: who does not answer must not hold up the others. */
export interface Lanes {
  /** Those to take nothing of now. */
  paused(now: Date): string[];
  failed(lane: string, now: Date): void;
  /** It took a message, or said no: somebody is there. */
  answered(lane: string): void;
  /** Whether to call for what waits there: once in a while, not for each of thousands that arrive. */
  mayCall(lane: string, now: Date): boolean;
}

export function createLanes(): Lanes {
  const failing = new Map<string, { failures: number; until: Date | undefined }>();
  const called = new Map<string, Date>();
  return {
    paused: (now) => [...failing].flatMap(([lane, { until }]) => (until !== undefined && until > now ? [lane] : [])),
    failed(lane, now) {
      const failures = (failing.get(lane)?.failures ?? 0) + 1;
      failing.set(lane, { failures, until: failures < FAILURES ? undefined : secondsAfter(now, PAUSE_SECONDS) });
    },
    answered: (lane) => void failing.delete(lane),
    mayCall(lane, now) {
      const last = called.get(lane);
      if (last !== undefined && now < secondsAfter(last, CALL_SECONDS)) return false;
      called.set(lane, now);
      return true;
    },
  };
}
