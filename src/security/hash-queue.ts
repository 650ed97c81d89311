/** The queue is full or the wait too long: answer 503 with this Retry-After, touch no counter. */
export class Busy extends Error {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('the password hashing queue is full');
    this.name = 'Busy';
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface HashQueueOptions {
  /** How many hashes run at once. */
  readonly concurrency: number;
  /** How many may wait behind them. */
  readonly maxWaiting: number;
  /** How long one may wait. */
  readonly maxWaitMs: number;
  /** Seconds to put into Retry-After; spread, so that the crowd does not come back at once. */
  readonly retryAfterSeconds: () => number;
}

/**
 * Lets a bounded number of hashes run at once, so that a crowd at the login page cannot take the thread pool and
 * the processor from token and key-set requests.
 */
export interface HashQueue {
  /** Runs `work` when its turn comes. Throws {@link Busy} when there is no place or the wait gets too long. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** How many wait now. */
  depth(): number;
}

export function createHashQueue(options: HashQueueOptions): HashQueue {
  const waiting: { start: () => void }[] = [];
  let running = 0;

  const turn = (): Promise<void> => {
    if (running < options.concurrency) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.length >= options.maxWaiting) return Promise.reject(new Busy(options.retryAfterSeconds()));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(place), 1);
        reject(new Busy(options.retryAfterSeconds()));
      }, options.maxWaitMs);
      const place = {
        start: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      waiting.push(place);
    });
  };

  return {
    depth: () => waiting.length,
    async run(work) {
      await turn();
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next.start();
      }
    },
  };
}
