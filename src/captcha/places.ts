import { epochSeconds, type Clock } from '../kernel/clock.js';
import type { KeyValue } from '../storage/key-value.js';

/** How many captchas may be open, neither tried nor expired, for one address bucket. */
export const OPEN_PER_ADDRESS = 300;

export interface Places {
  /** Takes a place and answers its name, or undefined when all are taken. */
  take(addressBucket: Buffer): Promise<string | undefined>;
  giveBack(place: string): Promise<void>;
}

interface PlacesOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  readonly ttlSeconds: number;
}

/**
 * Counts places taken and given back in windows as long as a place lasts. What is open now was taken in this window
 * or the one before; counting both may find too many by those that have expired, never too few. Each taker gets a
 * count of its own, so that parallel ones cannot all find the last place free.
 */
export function openPlaces({ keyValue, clock, ttlSeconds }: PlacesOptions): Places {
  const taken = (place: string): string => `captcha-taken:${place}`;
  const back = (place: string): string => `captcha-back:${place}`;
  const count = async (key: string): Promise<number> => Number((await keyValue.get(key)) ?? 0);
  const giveBack = async (place: string): Promise<void> => {
    await keyValue.increment(back(place), 2 * ttlSeconds);
  };
  return {
    async take(addressBucket) {
      const window = Math.floor(epochSeconds(clock.now()) / ttlSeconds);
      const placeOf = (number: number): string => `${addressBucket.toString('base64url')}:${number}`;
      const place = placeOf(window);
      const before = placeOf(window - 1);
      const [takenNow, backNow, takenBefore, backBefore] = await Promise.all([
        keyValue.increment(taken(place), 2 * ttlSeconds),
        count(back(place)),
        count(taken(before)),
        count(back(before)),
      ]);
      if (takenNow - backNow + takenBefore - backBefore <= OPEN_PER_ADDRESS) return place;
      await giveBack(place);
      return undefined;
    },
    giveBack,
  };
}
