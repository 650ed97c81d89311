import { epochSeconds, type Clock } from '../kernel/clock.js';
import { Refusal } from '../kernel/refusal.js';
import { digest, sameBytes } from '../security/digests.js';
import { randomId, randomText } from '../security/secrets.js';
import type { KeyValue } from '../storage/key-value.js';
import { noiseOf } from './noise.js';
import { drawPicture } from './picture.js';
import { openPlaces } from './places.js';
import { speak } from './speech.js';

/**
 * A picture of letters to type, as a speed bump before costly steps: assume it solved, limits carry the load (A8,
 * `browser` is the random id of the browser's session before login: one captcha serves one browser only.
 * Every method rejects with `KeyValueUnavailable` while the key-value store is away.
 */
export interface Captchas {
  /** A new captcha for 10 minutes. Refuses (`throttled`) when 300 are open for this address bucket (keyed digest). */
  issue(request: { browser: string; addressBucket: Buffer }): Promise<{ id: string }>;
  /** PNG, 512 by 176 pixels, to be shown at half that size; undefined when not this browser's, used or expired. */
  image(id: string, browser: string): Promise<Buffer | undefined>;
  /** WAV: the same letters spoken; undefined as above. */
  audio(id: string, browser: string, locale: 'id' | 'en'): Promise<Buffer | undefined>;
  /**
   * True once, for the right letters in the right case from the right browser. Right or wrong, it is used up. `beside`:
   * the name that was typed with it, for {@link CaptchaOptions.onWrong}.
   */
  redeem(attempt: { id: string; browser: string; answer: string; beside?: string | undefined }): Promise<boolean>;
}

export const CAPTCHA_LENGTH = 6;
/** The two cases of a letter differ in shape, and no two characters look alike below the strokes. */
export const CAPTCHA_ALPHABET = 'ABDEGHLMRTbdfghmr234678';
const TTL_SECONDS = 600;
/** Reloads, and the sound a few times. */
const MAX_SHOWN = 12;

interface Stored {
  /** Digest of the browser's id: who reads the store must not learn it. */
  readonly browser: string;
  readonly answer: string;
  readonly seed: string;
  readonly place: string;
}

const keyOf = (id: string): string => `captcha:${id}`;
const isId = (id: string): boolean => /^[\w-]{22}$/.test(id);
const normal = (answer: string): string => answer.normalize('NFC').trim();
const same = (a: string, b: string): boolean => sameBytes(digest(a), digest(b));
const parse = (value: string): Stored => JSON.parse(value) as Stored;

export interface CaptchaOptions {
  readonly keyValue: KeyValue;
  readonly clock: Clock;
  /** CAPTCHA_TEST_ANSWER: the answer of every captcha, for automated tests; never in production. */
  readonly testAnswer?: string | undefined;
  /** Called for wrong letters in the right browser, with what was typed beside them. */
  readonly onWrong?: (beside: string) => Promise<void>;
}

export function captchas({ keyValue, clock, testAnswer, onWrong }: CaptchaOptions): Captchas {
  const places = openPlaces({ keyValue, clock, ttlSeconds: TTL_SECONDS });

  /** Drawing costs more than asking for it: a captcha is shown a few times and no more. */
  async function show(id: string, browser: string): Promise<Stored | undefined> {
    const stored = await find(id, browser);
    if (stored === undefined) return undefined;
    const shown = await keyValue.increment(`${keyOf(id)}:shown`, TTL_SECONDS);
    return shown > MAX_SHOWN ? undefined : stored;
  }

  /** Reads without using it up: a picture may be fetched again. */
  async function find(id: string, browser: string): Promise<Stored | undefined> {
    const value = isId(id) ? await keyValue.get(keyOf(id)) : undefined;
    const stored = value === undefined ? undefined : parse(value);
    return stored !== undefined && same(stored.browser, digest(browser).toString('base64url')) ? stored : undefined;
  }

  return {
    async issue({ browser, addressBucket }) {
      const place = await places.take(addressBucket);
      if (place === undefined) {
        const retryAfterSeconds = TTL_SECONDS - (epochSeconds(clock.now()) % TTL_SECONDS);
        throw new Refusal('throttled', { retryAfterSeconds, reason: 'too many open captchas' });
      }
      const id = randomId();
      const stored: Stored = {
        browser: digest(browser).toString('base64url'),
        answer: testAnswer ?? randomText(CAPTCHA_LENGTH, CAPTCHA_ALPHABET),
        seed: randomId(),
        place,
      };
      await keyValue.set(keyOf(id), JSON.stringify(stored), TTL_SECONDS);
      return { id };
    },

    async image(id, browser) {
      const stored = await show(id, browser);
      return stored && drawPicture(stored.answer, noiseOf(`picture:${stored.seed}`));
    },

    async audio(id, browser, locale) {
      const stored = await show(id, browser);
      return stored && speak(stored.answer, { locale, noise: noiseOf(`${locale}:${stored.seed}`) });
    },

    async redeem({ id, browser, answer, beside }) {
      const value = isId(id) ? await keyValue.take(keyOf(id)) : undefined;
      if (value === undefined) return false;
      const stored = parse(value);
      await places.giveBack(stored.place);
      const fromBrowser = same(stored.browser, digest(browser).toString('base64url'));
      const isRight = same(normal(stored.answer), normal(answer));
      if (!isRight && fromBrowser && beside !== undefined) await onWrong?.(beside);
      return isRight && fromBrowser;
    },
  };
}
