import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CAPTCHA_ALPHABET } from '#src/captcha/captchas.js';
import type { Noise } from '#src/captcha/noise.js';
import { speak } from '#src/captcha/speech.js';

const folder = join(import.meta.dirname, '../../views/assets/audio');
/** No noise and always the middle: what is left is speech. */
const quiet: Noise = { between: (low, high) => (low + high) / 2, bytes: (length) => Buffer.alloc(length, 128) };
const samples = (text: string, locale: 'id' | 'en'): Buffer => speak(text, { noise: quiet, locale }).subarray(44);

it.each(['id', 'en'] as const)('speaks every character of the alphabet as no other: %s', (locale) => {
  const spoken = Array.from(CAPTCHA_ALPHABET).map((character) => samples(character, locale).toString('latin1'));
  expect(new Set(spoken).size).toBe(CAPTCHA_ALPHABET.length);
  const silent = samples(' ', locale).length;
  for (const sound of spoken) expect(sound.length).toBeGreaterThan(silent + 2_000);
});

it.each(['id', 'en'] as const)('says which case a letter has: %s', (locale) => {
  const [upper, lower] = [samples('B', locale), samples('b', locale)];
  expect(upper).not.toEqual(lower);
  // The letter itself, which comes last, sounds the same.
  expect(upper.subarray(-6_000)).toEqual(lower.subarray(-6_000));
});

it('speaks the letters in their order', () => {
  const [first, second] = [samples('2', 'en'), samples('3', 'en')];
  const pauseAtEnd = 3_200;
  const both = Buffer.concat([first.subarray(0, -pauseAtEnd), second]);
  expect(samples('23', 'en')).toEqual(both);
});

it('has clips of less than 250 kB in all, and none that is not spoken', () => {
  const files = ['id', 'en'].flatMap((locale) => readdirSync(join(folder, locale)).map((file) => join(locale, file)));
  const names = [...new Set([...Array.from(CAPTCHA_ALPHABET.toLowerCase()), 'upper', 'lower'])].map(
    (name) => `${name}.wav`,
  );
  expect(files.sort()).toEqual(['en', 'id'].flatMap((locale) => names.map((name) => join(locale, name))).sort());
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  expect(bytes).toBeLessThan(250_000);
});
