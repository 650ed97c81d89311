import { stopTime, type StoppedTime } from '../support/stopped-time.js';

const MORNING_MS = Date.UTC(2000, 0, 1, 1, 15, 42);
const DAY_MS = 24 * 3600 * 1000;

/**
 * Stops the time at 08.15.42 WIB, so that pages show the same times in every run. The next morning, never the last:
 * cookies made in the past would be over.
 */
export function stopInTheMorning(): StoppedTime {
  const time = stopTime();
  const sinceMorning = (time.now().getTime() - MORNING_MS) % DAY_MS;
  time.pass({ seconds: (DAY_MS - sinceMorning) / 1000 });
  return time;
}
