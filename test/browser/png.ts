import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** A picture as red, green and blue bytes, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function paeth(left: number, up: number, upLeft: number): number {
  const guess = left + up - upLeft;
  const toUp = Math.abs(guess - up);
  const toUpLeft = Math.abs(guess - upLeft);
  if (Math.abs(guess - left) <= Math.min(toUp, toUpLeft)) return left;
  return toUp <= toUpLeft ? up : upLeft;
}

/** What a row's filter expects of a byte, from its neighbours. */
function predict(filter: number, left: number, up: number, upLeft: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, upLeft);
    default:
      return 0;
  }
}

/** Reads what Chromium and {@link writePng} write: eight bits a sample, not interlaced (PNG, third edition). */
export function readPng(png: Buffer): Pixels {
  const chunks = chunksOf(png);
  const header = chunks.find(({ type }) => type === 'IHDR')?.data ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = { 2: 3, 3: 1, 6: 4 }[header[9] ?? 0];
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data;
  if (header[8] !== 8 || channels === undefined || header[12] !== 0) throw new Error('a PNG of an unknown form');
  const packed = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)));

  const stride = width * channels;
  const rgb = new Uint8Array(width * height * 3);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y += 1) {
    const filter = packed[y * (stride + 1)] ?? 0;
    const row = new Uint8Array(packed.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    for (let x = 0; x < stride; x += 1) {
      const left = x < channels ? 0 : (row[x - channels] ?? 0);
      const up = above[x] ?? 0;
      const upLeft = x < channels ? 0 : (above[x - channels] ?? 0);
      row[x] = (row[x] ?? 0) + predict(filter, left, up, upLeft);
    }
    for (let x = 0; x < width; x += 1) {
      for (let channel = 0; channel < 3; channel += 1) {
        const sample = palette === undefined ? row[x * channels + channel] : palette[(row[x] ?? 0) * 3 + channel];
        rgb[(y * width + x) * 3 + channel] = sample ?? 0;
      }
    }
    above = row;
  }
  return { width, height, rgb };
}

const COLOURS = 256;

const colourAt = ({ rgb }: Pixels, pixel: number): number =>
  ((rgb[pixel * 3] ?? 0) << 16) | ((rgb[pixel * 3 + 1] ?? 0) << 8) | (rgb[pixel * 3 + 2] ?? 0);

function distance(a: number, b: number): number {
  const red = (a >> 16) - (b >> 16);
  const green = ((a >> 8) & 255) - ((b >> 8) & 255);
  const blue = (a & 255) - (b & 255);
  return red * red + green * green + blue * blue;
}

/** The 256 commonest colours, and for every colour the place of the nearest of them. */
function paletteOf(pixels: Pixels): { palette: readonly number[]; placeOf: ReadonlyMap<number, number> } {
  const counts = new Map<number, number>();
  for (let pixel = 0; pixel < pixels.width * pixels.height; pixel += 1) {
    const colour = colourAt(pixels, pixel);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const colours = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  const palette = colours.slice(0, COLOURS);
  const placeOf = new Map(palette.map((colour, place) => [colour, place]));
  for (const colour of colours.slice(COLOURS)) {
    let nearest = 0;
    for (let place = 1; place < palette.length; place += 1) {
      if (distance(palette[place] ?? 0, colour) < distance(palette[nearest] ?? 0, colour)) nearest = place;
    }
    placeOf.set(colour, nearest);
  }
  return { palette, placeOf };
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG with a palette: text and flat colours in a third of what Chromium needs. */
export function writePng(pixels: Pixels): Buffer {
  const { width, height } = pixels;
  const { palette, placeOf } = paletteOf(pixels);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    rows[pixel + Math.floor(pixel / width) + 1] = placeOf.get(colourAt(pixels, pixel)) ?? 0;
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
