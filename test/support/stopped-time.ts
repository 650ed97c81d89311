import { jest } from '@jest/globals';

/** The time of this process, and so of the program in it. It stands still until it is moved; timers run on. */
export interface StoppedTime {
  now(): Date;
  pass(by: { readonly seconds?: number; readonly minutes?: number; readonly hours?: number }): void;
  release(): void;
}

/** Stops the time in the middle of a one-time code's step, so that no code turns over while a page is on its way. */
export function stopTime(): StoppedTime {
  const now = Math.floor(new Date().getTime() / 30_000) * 30_000 + 15_000;
  jest.useFakeTimers({
    now,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
  return {
    now: () => new Date(),
    pass: ({ seconds = 0, minutes = 0, hours = 0 }) => {
      jest.setSystemTime(new Date().getTime() + (seconds + 60 * minutes + 3600 * hours) * 1000);
    },
    release: () => {
      jest.useRealTimers();
    },
  };
}
