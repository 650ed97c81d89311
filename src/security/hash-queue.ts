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
  /**
   * Runs `work` when its turn comes. Throws {@link Busy} when there is no place or the wait gets too long. `from` names
   * who asks, by the network address: those who wait are served in turn, one for each, and no address may
   * hold more than half of the places (R-25, A40).
   */
  run<T>(work: () => Promise<T>, from?: string): Promise<T>;
  /** How many wait now. */
  depth(): number;
}

export function createHashQueue(options: HashQueueOptions): HashQueue {
  interface Place {
    readonly start: () => void;
  }
  /** Who waits, by who asks; the first of the map is served next and goes to its end. */
  const lines = new Map<string, Place[]>();
  let waiting = 0;
  let running = 0;

  const leave = (from: string, place: Place): void => {
    const line = (lines.get(from) ?? []).filter((each) => each !== place);
    if (line.length === 0) lines.delete(from);
    else lines.set(from, line);
    waiting -= 1;
  };

  const takeNext = (): Place | undefined => {
    const [first] = lines;
    if (first === undefined) return undefined;
    const [from, [place, ...others]] = first;
    lines.delete(from);
    if (others.length > 0) lines.set(from, others);
    waiting -= 1;
    return place;
  };

  const turn = (from: string): Promise<void> => {
    if (running < options.concurrency) {
      running += 1;
      return Promise.resolve();
    }
    const line = lines.get(from) ?? [];
    if (waiting >= options.maxWaiting || (from !== '' && line.length >= Math.ceil(options.maxWaiting / 2))) {
      return Promise.reject(new Busy(options.retryAfterSeconds()));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        leave(from, place);
        reject(new Busy(options.retryAfterSeconds()));
      }, options.maxWaitMs);
      const place = {
        start: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      lines.set(from, [...line, place]);
      waiting += 1;
    });
  };

  return {
    depth: () => waiting,
    async run(work, from = '') {
      await turn(from);
      try {
        return await work();
      } finally {
        const next = takeNext();
        if (next === undefined) running -= 1;
        else next.start();
      }
    },
  };
}
