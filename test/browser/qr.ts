import type { Pixels } from './png.js';

type Modules = readonly (readonly boolean[])[];

/** Data codewords of each block at correction level M, by version (ISO/IEC 18004, table 9). */
const BLOCKS: Readonly<Record<number, readonly number[]>> = {
  1: [16],
  2: [28],
  3: [44],
  4: [32, 32],
  5: [43, 43],
  6: [27, 27, 27, 27],
  7: [31, 31, 31, 31],
  8: [38, 38, 39, 39],
  9: [36, 36, 36, 37, 37],
};

/** Centres of the alignment patterns, by version. */
const ALIGNMENT: Readonly<Record<number, readonly number[]>> = {
  1: [],
  2: [6, 18],
  3: [6, 22],
  4: [6, 26],
  5: [6, 30],
  6: [6, 34],
  7: [6, 22, 38],
  8: [6, 24, 42],
  9: [6, 26, 46],
};

const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (i, j) => (i + j) % 2 === 0,
  (i) => i % 2 === 0,
  (_, j) => j % 3 === 0,
  (i, j) => (i + j) % 3 === 0,
  (i, j) => (Math.floor(i / 2) + Math.floor(j / 3)) % 2 === 0,
  (i, j) => ((i * j) % 2) + ((i * j) % 3) === 0,
  (i, j) => (((i * j) % 2) + ((i * j) % 3)) % 2 === 0,
  (i, j) => (((i + j) % 2) + ((i * j) % 3)) % 2 === 0,
];

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

/** Finds the dark square in a picture and samples the middle of each module, as a phone's camera would. */
function findModules({ width, height, rgb }: Pixels): Modules {
  const isDark = (x: number, y: number): boolean => (rgb[(Math.round(y) * width + Math.round(x)) * 3] ?? 255) < 100;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!isDark(x, y)) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
  }
  let finder = 0;
  while (isDark(left + finder, top)) finder += 1;
  const across = (right - left + 1) / (finder / 7);
  // 17 modules and four more for each version.
  const size = Math.round((across - 17) / 4) * 4 + 17;
  const at = (from: number, to: number, index: number): number => from + ((to - from + 1) * (index + 0.5)) / size - 0.5;
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => isDark(at(left, right, column), at(top, bottom, row))),
  );
}

/** Whether a module belongs to the patterns every code has, and so carries no data. */
function isFixed(version: number, row: number, column: number): boolean {
  const size = version * 4 + 17;
  if (row === 6 || column === 6) return true;
  if (row <= 8 && (column <= 8 || column >= size - 8)) return true;
  if (column <= 8 && row >= size - 8) return true;
  if (version >= 7 && ((row < 6 && column >= size - 11) || (column < 6 && row >= size - 11))) return true;
  const centres = ALIGNMENT[version] ?? [];
  return centres.some((i) =>
    centres.some((j) => {
      const onFinder = (i === 6 && (j === 6 || j === size - 7)) || (i === size - 7 && j === 6);
      return !onFinder && Math.abs(row - i) <= 2 && Math.abs(column - j) <= 2;
    }),
  );
}

function codewordsOf(modules: Modules, version: number): number[] {
  const size = modules.length;
  const format = [0, 1, 2, 3, 4].map((column) => modules[8]?.[column] === true);
  const bits = format.reduce((value, bit) => value * 2 + Number(bit), 0) ^ 0b10101;
  if (bits >> 3 !== 0) throw new Error('the QR code has another correction level than M');
  const mask = MASKS[bits & 7] ?? (() => false);

  let text = '';
  let upward = true;
  for (let right = size - 1; right > 0; right -= 2, upward = !upward) {
    if (right === 6) right -= 1;
    for (let step = 0; step < size; step += 1) {
      const row = upward ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (isFixed(version, row, column)) continue;
        text += (modules[row]?.[column] === true) === mask(row, column) ? '0' : '1';
      }
    }
  }
  return (text.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
}

/** Puts the interleaved blocks back in order; the correction words behind them are not needed. */
function dataOf(codewords: readonly number[], lengths: readonly number[]): number[] {
  const blocks: number[][] = lengths.map(() => []);
  let next = 0;
  for (let index = 0; index < Math.max(...lengths); index += 1) {
    for (const [block, length] of lengths.entries()) {
      if (index < length) blocks[block]?.push(codewords[next++] ?? 0);
    }
  }
  return blocks.flat();
}

function textOf(data: readonly number[]): string {
  let bits = data.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const take = (count: number): number => {
    const value = Number.parseInt(bits.slice(0, count), 2);
    bits = bits.slice(count);
    return value;
  };
  const bytes: number[] = [];
  const write = (text: string): void => void bytes.push(...Buffer.from(text));
  while (bits.length >= 4) {
    const mode = take(4);
    if (mode === 0) break;
    if (mode === 4) {
      for (let count = take(8); count > 0; count -= 1) bytes.push(take(8));
    } else if (mode === 2) {
      let count = take(9);
      for (; count > 1; count -= 2) {
        const pair = take(11);
        write((ALPHANUMERIC[Math.floor(pair / 45)] ?? '') + (ALPHANUMERIC[pair % 45] ?? ''));
      }
      if (count === 1) write(ALPHANUMERIC[take(6)] ?? '');
    } else if (mode === 1) {
      let count = take(10);
      for (; count > 2; count -= 3) write(String(take(10)).padStart(3, '0'));
      if (count > 0) write(String(take(count * 3 + 1)).padStart(count, '0'));
    } else {
      throw new Error(`a QR segment of an unknown mode ${mode}`);
    }
  }
  return Buffer.from(bytes).toString();
}

/** Reads the QR code in a picture of the screen, up to version 9. Written apart from the code that draws it. */
export function readQr(pixels: Pixels): string {
  const modules = findModules(pixels);
  const version = (modules.length - 17) / 4;
  const blocks = BLOCKS[version];
  if (blocks === undefined) throw new Error(`no QR code was found, or one of an unknown size ${modules.length}`);
  return textOf(dataOf(codewordsOf(modules, version), blocks));
}
