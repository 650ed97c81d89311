import { Resvg } from '@resvg/resvg-js';
import { glyph, GLYPH_SIZE } from './glyphs.js';
import type { Noise } from './noise.js';
import { greyPng } from './png.js';

/** Twice the size it is shown at (256 by 88), for sharp edges on phones. */
const WIDTH = 512;
const HEIGHT = 176;
const INK = '#111';
const PAPER = '#fff';

/** A wave across the whole picture: steep, so that it crosses letters instead of running along their bars. */
function wave(noise: Noise, colour: string, width: number): string {
  const highFirst = noise.between(0, 1) < 0.5;
  const turn = (index: number): { x: number; y: number } => ({
    x: Math.round(WIDTH * (index / 3 - 0.15) + noise.between(-25, 25)),
    y: Math.round(HEIGHT * ((index % 2 === 0) === highFirst ? noise.between(0.12, 0.35) : noise.between(0.65, 0.88))),
  });
  const start = turn(0);
  const curves = [1, 2, 3, 4].map(turn).map(({ x, y }) => `S${x - 80} ${y} ${x} ${y}`);
  return `<path d="M${start.x} ${start.y}${curves.join('')}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
}

function letter(character: string, { noise, x, size }: { noise: Noise; x: number; size: number }): string {
  const y = HEIGHT / 2 + noise.between(-14, 14);
  const turn = noise.between(-7, 7).toFixed(1);
  const lean = noise.between(-7, 7).toFixed(1);
  const scale = ((size / GLYPH_SIZE) * noise.between(0.94, 1.08)).toFixed(3);
  const place = `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${turn}) skewX(${lean}) scale(${scale})`;
  return `<path transform="${place} translate(${-GLYPH_SIZE / 2} ${-GLYPH_SIZE / 2})" d="${glyph(character)}"/>`;
}

/**
 * Draws a text as PNG (A8: the paths of an SVG spell it out). Large and dark on white, for weak eyes; the letters
 * stand close, and dark and white waves cross them, so that a program cannot simply part them.
 */
export function drawPicture(text: string, noise: Noise): Buffer {
  const characters = Array.from(text);
  const step = WIDTH / (characters.length + 0.6);
  const size = Math.min(145, step * 1.9);
  const letters = characters.map((character, index) =>
    letter(character, { noise, size, x: step * (index + 0.8 + noise.between(-0.07, 0.07)) }),
  );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">
<rect width="100%" height="100%" fill="${PAPER}"/>
<g fill="${INK}" fill-rule="evenodd" stroke="${INK}" stroke-width="2.5" stroke-linejoin="round">${letters.join('')}</g>
${wave(noise, INK, 5)}${wave(noise, PAPER, 3)}${wave(noise, INK, 4)}
</svg>`;
  const { pixels, width, height } = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
  return greyPng({ pixels, width, height });
}
