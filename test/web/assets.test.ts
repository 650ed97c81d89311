import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { openToolkitSite, type ToolkitSite } from './toolkit-site.js';

const stylesheet = readFileSync(new URL('../../views/assets/styles.css', import.meta.url));
const script = readFileSync(new URL('../../views/assets/passkey.js', import.meta.url));
const mark = readFileSync(new URL('../../views/assets/mark.svg', import.meta.url));

let site: ToolkitSite;
beforeAll(async () => {
  site = await openToolkitSite();
});
afterAll(() => site.stop());

const CSS = '/assets/styles.css';

describe('assets', () => {
  it.each([
    [CSS, 'text/css; charset=utf-8', stylesheet],
    ['/assets/mark.svg', 'image/svg+xml', mark],
    ['/assets/passkey.js', 'text/javascript; charset=utf-8', script],
  ])('%s comes as %s, whole', async (path, type, content) => {
    const answer = await site.ask(path);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe(type);
    expect(answer.headers['content-length']).toBe(String(content.length));
    expect(answer.bytes.equals(content)).toBe(true);
  });

  it.each<[string, string | undefined, (bytes: Buffer) => Buffer]>([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['br;q=0, gzip', 'gzip', gunzipSync],
    ['identity', undefined, (bytes) => bytes],
    ['deflate', undefined, (bytes) => bytes],
    ['', undefined, (bytes) => bytes],
    ['*;q=0', undefined, (bytes) => bytes],
  ])('accepting %j come as %s, smaller', async (accepted, encoding, decode) => {
    const answer = await site.ask(CSS, { headers: { 'accept-encoding': accepted } });
    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.headers.vary).toMatch(/accept-encoding/i);
    expect(decode(answer.bytes).equals(stylesheet)).toBe(true);
    if (encoding !== undefined) expect(answer.bytes.length).toBeLessThan(stylesheet.length / 2);
  });

  it('are not sent again to who has them, in whatever encoding', async () => {
    const { headers } = await site.ask(CSS, { headers: { 'accept-encoding': 'br' } });
    expect(headers.etag).toMatch(/^W\/"[\w-]{16}"$/);
    const again = await site.ask(CSS, { headers: { 'if-none-match': headers.etag ?? '' } });
    expect([again.status, again.text]).toEqual([304, '']);
    expect(again.headers.etag).toBe(headers.etag);
    expect((await site.ask(CSS, { headers: { 'if-none-match': 'W/"other"' } })).status).toBe(200);
  });

  it('may be kept for good under the address that names their version, and for a while under the plain one', async () => {
    expect((await site.ask(`${CSS}?v=1a2b3c4d`)).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect((await site.ask(CSS)).headers['cache-control']).toMatch(/^public, max-age=\d{1,5}$/);
  });

  it('set no cookie: what is cached is the same for everybody', async () => {
    expect((await site.ask(`${CSS}?lang=en`)).cookies).toEqual([]);
  });

  it('answer HEAD without the content', async () => {
    const answer = await site.ask(CSS, { method: 'HEAD' });
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([
      200,
      '',
      String(stylesheet.length),
    ]);
  });

  it.each([
    '/assets/',
    '/assets',
    '/assets/none.css',
    '/assets/STYLES.CSS',
    '/assets/../locales/id.json',
    '/assets/..%2Flocales%2Fid.json',
    '/assets/%2e%2e/locales/id.json',
    '/assets/styles.css/',
    '/assets/./styles.css',
    '/assets/__proto__',
    '/locales/id.json',
    '/layout.eta',
    '/assets/styles.css%2500',
  ])('are no door to anything else: %s', async (path) => {
    const answer = await site.ask(path);
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('data-page="not-found"');
  });

  it('are only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await site.ask(CSS, { method })).status).toBe(404);
  });
});
