import { epochSeconds, secondsAfter, type Clock } from '../kernel/clock.js';
import { openInProcess } from '../storage/in-process.js';
import { KeyValueUnavailable, type KeyValue } from '../storage/key-value.js';

export type AddressState = { readonly kind: 'free' } | { readonly kind: 'waiting'; readonly until: Date };

/** Buckets and names are keyed digests (src/security/digests). */
export interface AddressGuard {
  /** Ask before a password is checked, unless the browser is one that this person has used before. */
  check(bucket: Buffer): Promise<AddressState>;
  recordFailure(bucket: Buffer, name: Buffer): Promise<void>;
  recordSuccess(bucket: Buffer, name: Buffer): Promise<void>;
}

const WINDOW_SECONDS = 600;
const BLOCK_SECONDS = 600;
/** So many different people may fail from one address before it matters how many succeed. */
const FREE_NAMES = 40;
/** Beyond that, one failed name for so many names that got in: people behind one office address mistype, too. */
const RIGHT_PER_FAILED = 4;

/** Half a digest tells names apart well enough and keeps the sets small. */
const member = (name: Buffer): string => name.subarray(0, 12).toString('base64url');

/**
 * Slows down who tries many names from one address. Counted are different names, not tries, over a sliding
 * window of ten minutes, so that 2,000 colleagues behind one address never meet it and a list of names is stopped
 * within fifty. While the key-value store is away, this process counts alone, with half the limits.
 */
export function addressGuard({ keyValue, clock }: { keyValue: KeyValue; clock: Clock }): AddressGuard {
  const alone = openInProcess(clock);
  const onEither = async <T>(work: (store: KeyValue, share: number) => Promise<T>): Promise<T> => {
    try {
      return await work(keyValue, 1);
    } catch (error) {
      if (!(error instanceof KeyValueUnavailable)) throw error;
      return work(alone, 0.5);
    }
  };
  const blockKey = (bucket: Buffer): string => `address:${bucket.toString('base64url')}:blocked`;
  /** The sets of this window and the one before; of the latter counts what the sliding window still covers. */
  const windows = (bucket: Buffer) => {
    const seconds = epochSeconds(clock.now());
    const window = Math.floor(seconds / WINDOW_SECONDS);
    const prefix = `address:${bucket.toString('base64url')}`;
    const keys = (kind: 'failed' | 'right') => ({
      now: `${prefix}:${kind}:${window}`,
      before: `${prefix}:${kind}:${window - 1}`,
    });
    const covered = 1 - (seconds % WINDOW_SECONDS) / WINDOW_SECONDS;
    return { failed: keys('failed'), right: keys('right'), covered };
  };

  return {
    check: (bucket) =>
      onEither(async (store) => {
        const until = await store.get(blockKey(bucket));
        return until === undefined ? { kind: 'free' } : { kind: 'waiting', until: new Date(Number(until)) };
      }),

    recordFailure: (bucket, name) =>
      onEither(async (store, share) => {
        const { failed, right, covered } = windows(bucket);
        const [failedNow, failedBefore, rightNow, rightBefore] = await Promise.all([
          store.addDistinct(failed.now, member(name), 2 * WINDOW_SECONDS),
          store.countDistinct(failed.before),
          store.countDistinct(right.now),
          store.countDistinct(right.before),
        ]);
        const allowed = Math.max(FREE_NAMES, (rightNow + covered * rightBefore) / RIGHT_PER_FAILED) * share;
        if (failedNow + covered * failedBefore < allowed) return;
        const until = secondsAfter(clock.now(), BLOCK_SECONDS);
        await store.set(blockKey(bucket), String(until.getTime()), BLOCK_SECONDS);
      }),

    recordSuccess: (bucket, name) =>
      onEither(async (store) => {
        const { right } = windows(bucket);
        await store.addDistinct(right.now, member(name), 2 * WINDOW_SECONDS);
      }),
  };
}
