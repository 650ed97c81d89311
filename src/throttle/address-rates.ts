import { epochSeconds, type Clock } from '../kernel/clock.js';
import type { KeyedDigest } from '../security/digests.js';
import { openInProcess } from '../storage/in-process.js';
import { KeyValueUnavailable, type KeyValue } from '../storage/key-value.js';
import { addressBucket } from './address.js';
import type { Quota } from './policies.js';

/** How much of something one address may do, by windows that follow each other. Nothing depends on an exact count. */
export interface AddressRates {
  /** Takes one; undefined when there was room, else in how many seconds there is again. */
  take(quota: Quota, address: string): Promise<number | undefined>;
}

/**
 * In the key-value store, so that it costs the database nothing. While that is away this process counts
 * alone, with half the limits.
 */
export function createAddressRates(parts: {
  readonly keyValue: KeyValue;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}): AddressRates {
  const { keyValue, keyed, clock } = parts;
  const alone = openInProcess(clock);
  return {
    async take({ scope, limit, windowSeconds }, address) {
      const seconds = epochSeconds(clock.now());
      const window = Math.floor(seconds / windowSeconds);
      const bucket = keyed('address rate', addressBucket(address)).subarray(0, 16).toString('base64url');
      const count = async (store: KeyValue, share: number): Promise<boolean> =>
        (await store.increment(`rate:${scope}:${bucket}:${window}`, 2 * windowSeconds)) <= limit * share;
      let isFree: boolean;
      try {
        isFree = await count(keyValue, 1);
      } catch (error) {
        if (!(error instanceof KeyValueUnavailable)) throw error;
        isFree = await count(alone, 0.5);
      }
      return isFree ? undefined : (window + 1) * windowSeconds - seconds;
    },
  };
}
