import { randomBytes } from 'node:crypto';
import { parseKeyRing } from '#src/security/key-ring.js';

const base64 = (bytes: number): string => randomBytes(bytes).toString('base64');

describe('key ring', () => {
  it('uses the first key for new work and finds every one by its kid', () => {
    const [first, second] = [base64(32), base64(32)];
    const ring = parseKeyRing(`new:${first}, old_1-x:${second}`);
    expect(ring.current).toEqual({ kid: 'new', bytes: Buffer.from(first, 'base64') });
    expect(ring.find('old_1-x')?.bytes).toEqual(Buffer.from(second, 'base64'));
    expect(ring.find('gone')).toBeUndefined();
    expect(ring.all.map(({ kid }) => kid)).toEqual(['new', 'old_1-x']);
  });

  it('takes a key without its padding', () => {
    const key = base64(32);
    expect(parseKeyRing(`k:${key.replace('=', '')}`).current.bytes).toEqual(Buffer.from(key, 'base64'));
  });

  const good = base64(32);
  it.each([
    ['nothing', '', 'key 1 must be written kid:base64'],
    ['no kid', good, 'key 1 must be written kid:base64'],
    ['an empty kid', `:${good}`, 'key 1 must be written kid:base64'],
    ['a kid with a dot', `a.b:${good}`, 'key 1 must be written kid:base64'],
    ['a kid too long', `${'k'.repeat(33)}:${good}`, 'key 1 must be written kid:base64'],
    ['three parts', `k:${good}:more`, 'key 1 must be written kid:base64'],
    ['a trailing comma', `k:${good},`, 'key 2 must be written kid:base64'],
    ['a key of 31 bytes', `k:${base64(31)}`, 'key 1 must be 32 bytes in base64'],
    ['a key of 33 bytes', `a:${good},k:${base64(33)}`, 'key 2 must be 32 bytes in base64'],
    ['no key', 'k:', 'key 1 must be 32 bytes in base64'],
    ['a stray character', `k:${good.slice(0, 20)}!${good.slice(20)}`, 'key 1 must be written kid:base64'],
    ['one kid twice', `k:${good},k:${base64(32)}`, 'two keys share one kid'],
  ])('refuses %s, saying which key and never its value (R-15)', (_, text, message) => {
    expect(() => parseKeyRing(text)).toThrow(new Error(message));
  });

  it('does not repeat a secret that stands where the kid should be (R-42)', () => {
    const secret = 'hunter2-hunter2';
    expect(() => parseKeyRing(`${secret}:${secret}`)).toThrow(expect.not.stringContaining(secret) as Error);
    expect(() => parseKeyRing(`${secret}:${secret}`)).toThrow('key 1 must be');
  });
});
