import type { KeyedDigest } from '../security/digests.js';
import { KeyValueUnavailable, type KeyValue } from '../storage/key-value.js';

/** Longer than a call to the helpdesk; forgotten soon after. */
const KEPT_SECONDS = 30 * 60;

/**
 * How often a wrong captcha was typed beside a name, for who is called because "it does not work". Counted under a keyed
 * digest of what was typed, whether anybody is called so or not: no account is looked up before the captcha is right,
 * and no row tells of people. It decides nothing.
 */
export interface WrongCaptchas {
  count(typedName: string): Promise<void>;
  /** Of these names together; 0 as well while the key-value store is away. */
  countOf(names: readonly string[]): Promise<number>;
}

export function createWrongCaptchas({ keyValue, keyed }: { keyValue: KeyValue; keyed: KeyedDigest }): WrongCaptchas {
  const keyOf = (name: string): string => `wrong-captchas:${keyed('wrong captcha', name).toString('base64url')}`;
  const ofOne = async (name: string): Promise<number> => {
    try {
      return Number((await keyValue.get(keyOf(name))) ?? 0);
    } catch (error) {
      if (error instanceof KeyValueUnavailable) return 0;
      throw error;
    }
  };
  return {
    async count(typedName) {
      await keyValue.increment(keyOf(typedName), KEPT_SECONDS);
    },
    async countOf(names) {
      const counts = await Promise.all(names.map(ofOne));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
