import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Page } from 'playwright-core';
import { readPng, writePng, type Pixels } from './png.js';

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What is new in every run: secrets and numbers. */
const VOLATILE = '.captcha, .secret span, .qr svg, .codes li, pre';

/** What else is new in every run, and what is shown in its place: as on a newcomer's machine, on the day of the drawings. */
const SETTLED: readonly (readonly [pattern: string, text: string])[] = [
  ['\\blocalhost:\\d+', 'localhost:3000'],
  ['\\b\\d{1,2} [A-Z][a-z]+ 20\\d\\d\\b', '23 November 2026'],
  ['dalam \\d+ detik\\.', 'dalam 20 detik.'],
  ['^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$', '0d9f6c1e-0c7e-4f53-9a39-5f0f5c2f6a11'],
  ['^[\\w-]{43}$', 'VYl6q0RkAXa1pT3mB9cWnE7uHs2oJd5gZf8xKtLrQyI'],
  ['^[0-9A-Z]{16}$', '01JDC7Q8ZK2V5N3T'],
  ['^\\d{10}$', '1795396542'],
];

/** Settles the texts of the page and answers where the rest is. */
const SETTLE = `(() => {
  const settled = ${JSON.stringify(SETTLED)}.map(([pattern, text]) => [new RegExp(pattern, 'g'), text]);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    node.data = settled.reduce((text, [pattern, shown]) => text.replace(pattern, shown), node.data);
  }
  return Array.from(document.querySelectorAll('${VOLATILE}'), (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x: x + scrollX - 2, y: y + scrollY - 2, width: width + 4, height: height + 4 };
  });
})()`;

/** A difference nobody sees: other smoothing of a few letters. */
const CHANNEL_TOLERANCE = 48;
const PIXEL_TOLERANCE = 30;

const inside = (boxes: readonly Box[], x: number, y: number): boolean =>
  boxes.some((box) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);

/** Whether two pictures show the same to somebody who does not read what is new in every run. */
export function looksSame(before: Pixels, after: Pixels, ignored: readonly Box[]): boolean {
  if (before.width !== after.width || before.height !== after.height) return false;
  let different = 0;
  for (let pixel = 0; pixel < after.width * after.height; pixel += 1) {
    const at = pixel * 3;
    const apart = (byte: number): boolean =>
      Math.abs((before.rgb[byte] ?? 0) - (after.rgb[byte] ?? 0)) > CHANNEL_TOLERANCE;
    if (
      (apart(at) || apart(at + 1) || apart(at + 2)) &&
      !inside(ignored, pixel % after.width, Math.floor(pixel / after.width))
    )
      different += 1;
  }
  return different <= PIXEL_TOLERANCE;
}

/** More of a long page is more of the same, and every picture is kept for ever. */
const HIGHEST = 2100;

function cutOff({ width, height, rgb }: Pixels): Pixels {
  const shown = Math.min(height, HIGHEST);
  return { width, height: shown, rgb: rgb.subarray(0, width * shown * 3) };
}

/** Puts a picture of the page into the file, unless the one that is there looks the same. */
export async function takePicture(page: Page, file: string): Promise<'kept' | 'written'> {
  const boxes = await page.evaluate<readonly Box[]>(SETTLE);
  const picture = cutOff(readPng(await page.screenshot({ fullPage: true })));
  if (existsSync(file) && looksSame(readPng(await readFile(file)), picture, boxes)) return 'kept';
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, writePng(picture));
  return 'written';
}
