import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type Koa from 'koa';
import type { RequestState } from './request.js';

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly br: Buffer;
}

function load(directory: string, file: string): Asset {
  const plain = readFileSync(join(directory, file));
  return {
    type: TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream',
    // Weak: the same for every encoding (RFC 9110 section 8.8.3).
    etag: `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 16)}"`,
    plain,
    gzip: gzipSync(plain),
    br: brotliCompressSync(plain),
  };
}

/** Serves the stylesheet, the mark and the script from memory, compressed once at start, below `/assets/`. */
export function serveAssets(directory: string): Koa.Middleware<RequestState> {
  const files = readdirSync(directory).filter((file) => /\.(css|js|svg)$/.test(file));
  const assets = new Map(files.map((file) => [`/assets/${file}`, load(directory, file)]));
  return async (ctx, next) => {
    const asset = assets.get(ctx.path);
    if (asset === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) {
      await next();
      return;
    }
    // Pages name a file with its version, so a changed file has another address.
    ctx.set('Cache-Control', 'v' in ctx.query ? 'public, max-age=31536000, immutable' : 'public, max-age=3600');
    ctx.set('ETag', asset.etag);
    ctx.vary('Accept-Encoding');
    ctx.type = asset.type;
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    // Browsers name gzip first and mean no preference: the smaller one wins.
    const encoding = (['br', 'gzip'] as const).find((candidate) => ctx.acceptsEncodings(candidate) === candidate);
    if (encoding !== undefined) ctx.set('Content-Encoding', encoding);
    ctx.body = encoding === undefined ? asset.plain : asset[encoding];
  };
}
