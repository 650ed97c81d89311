import type { DriftSighting } from '../devices/device.js';
import { STEP_SECONDS } from './totp.js';

/** All steps within 130 minutes either way: minutes of a clock that runs wrong, and zones set by hand. */
export const REACH_STEPS = (130 * 60) / STEP_SECONDS;

/** The two codes must come within one sitting. */
const TOGETHER_SECONDS = 10 * 60;

/**
 * How many minutes a phone's clock is ahead (negative: behind), once two different codes show the same offset.
 * One code alone never tells: "your code is valid in 3 minutes" would hand a guesser the code (SECURITY, decisions).
 */
export function diagnose(earlier: DriftSighting | undefined, later: DriftSighting): number | undefined {
  if (earlier === undefined || earlier.step === later.step) return undefined;
  if (later.seenAt.getTime() - earlier.seenAt.getTime() > TOGETHER_SECONDS * 1000) return undefined;
  // A constant offset may fall on either side of a step's edge.
  if (Math.abs(later.offsetSteps - earlier.offsetSteps) > 1) return undefined;
  const minutes = ((later.offsetSteps + earlier.offsetSteps) / 2) * (STEP_SECONDS / 60);
  return minutes > 0 ? Math.max(1, Math.round(minutes)) : Math.min(-1, Math.round(minutes));
}
