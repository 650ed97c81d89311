import { inflateSync } from 'node:zlib';
import { CAPTCHA_ALPHABET, CAPTCHA_LENGTH } from '#src/captcha/captchas.js';
import { glyph } from '#src/captcha/glyphs.js';
import { noiseOf } from '#src/captcha/noise.js';
import { drawPicture } from '#src/captcha/picture.js';
import { greyPng } from '#src/captcha/png.js';

/** The greys of a picture as this project writes it: one IDAT, 4 bits, no filter. */
function greys(png: Buffer): number[] {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const lines = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
  return Array.from({ length: height }, (_, row) => row * (width / 2 + 1)).flatMap((line) =>
    [...lines.subarray(line + 1, line + 1 + width / 2)].flatMap((two) => [two >> 4, two & 15]),
  );
}

it('writes PNG with every pixel in its place', () => {
  const shades = [0, 15, 7, 8, 1, 14, 3, 2, 15, 0, 9, 5];
  const pixels = Buffer.from(shades.flatMap((grey) => [grey * 17, grey * 17, grey * 17, 255]));
  expect(greys(greyPng({ pixels, width: 4, height: 3 }))).toEqual(shades);
});

it('draws every character of the alphabet solid, and none like another', () => {
  const shapes = Array.from(CAPTCHA_ALPHABET).map(glyph);
  // Contours beside the first: holes, and a second part of m and r. The hollow letters of the font have two more.
  const more = { A: 1, B: 2, D: 1, R: 1, b: 1, d: 1, g: 1, m: 1, r: 1, 4: 1, 6: 1, 8: 2 };
  expect(shapes.map((shape) => shape.split('Z').length - 2)).toEqual(
    Array.from(CAPTCHA_ALPHABET).map(
      (character) => Object.entries(more).find(([name]) => name === character)?.[1] ?? 0,
    ),
  );
  expect(new Set(shapes).size).toBe(CAPTCHA_ALPHABET.length);
});

it('has a white ground with dark letters on it, and stays below 12 kB', () => {
  for (let round = 0; round < 20; round += 1) {
    const start = (round * 5) % (CAPTCHA_ALPHABET.length - CAPTCHA_LENGTH);
    const png = drawPicture(CAPTCHA_ALPHABET.slice(start, start + CAPTCHA_LENGTH), noiseOf(`seed ${round}`));
    expect(png.length).toBeLessThan(12_000);
    const shades = greys(png);
    const share = (dark: boolean): number =>
      shades.filter((grey) => (dark ? grey < 4 : grey === 15)).length / shades.length;
    expect(share(false)).toBeGreaterThan(0.6);
    expect(share(true)).toBeGreaterThan(0.07);
  }
});

it('draws what a test chose, also what the font does not know', () => {
  for (const text of ['a', 'Ünknown 漢字 🙂', 'x'.repeat(32), '<&">']) {
    expect(drawPicture(text, noiseOf('seed')).length).toBeGreaterThan(200);
  }
});
