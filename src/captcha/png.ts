import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), named, uint32(crc32(named))]);
}

/**
 * A picture in 16 greys as PNG (ISO/IEC 15948), of RGBA pixels that are grey: a third of the size of the same in
 * colours, which people on a phone far away wait for. `width` must be even.
 */
export function greyPng({ pixels, width, height }: { pixels: Buffer; width: number; height: number }): Buffer {
  const grey = (pixel: number): number => (pixels[pixel * 4] ?? 0) >> 4;
  // Each line begins with its filter (0, none); then two pixels a byte.
  const lines = Buffer.alloc((width / 2 + 1) * height);
  let at = 0;
  for (let pixel = 0; pixel < width * height; pixel += 2) {
    if (pixel % width === 0) at += 1;
    lines[at] = (grey(pixel) << 4) | grey(pixel + 1);
    at += 1;
  }
  // 4 bits, greyscale, then the only methods there are, not interlaced.
  const header = Buffer.concat([uint32(width), uint32(height), Buffer.from([4, 0, 0, 0, 0])]);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
