import { randomBytes } from 'node:crypto';
import { parseKeyRing } from '#src/security/key-ring.js';
import { createSealedBox, SealBroken } from '#src/security/sealed-box.js';

const key = (kid: string): string => `${kid}:${randomBytes(32).toString('base64')}`;
const [k1, k2] = [key('k1'), key('k2')];
const box = createSealedBox(parseKeyRing(k1));
const MINE = 'devices|1|secret';

describe('sealed box (R-15)', () => {
  it.each([
    ['text', 'JBSWY3DPEHPK3PXP'],
    ['nothing', ''],
    ['letters of all kinds', 'Rahasia ✓ 秘密'],
    ['much', 'x'.repeat(100_000)],
  ])('opens what it sealed: %s', (_, plaintext) => {
    expect(box.open(box.seal(plaintext, MINE), MINE).toString()).toBe(plaintext);
  });

  it('opens bytes as bytes', () => {
    const bytes = randomBytes(64);
    expect(box.open(box.seal(bytes, MINE), MINE)).toEqual(bytes);
  });

  it('shows nothing of the plaintext and never seals alike twice', () => {
    const sealed = Array.from({ length: 100 }, () => box.seal('JBSWY3DPEHPK3PXP', MINE));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed.join()).not.toContain(Buffer.from('JBSWY3DPEHPK3PXP').toString('base64url'));
    expect(sealed.join()).not.toContain('JBSW');
  });

  it('does not open what was moved to another row, column or purpose', () => {
    const sealed = box.seal('secret', MINE);
    for (const other of ['devices|2|secret', 'devices|1|other', 'accounts|1|secret', '', `${MINE} `]) {
      expect(() => box.open(sealed, other)).toThrow(SealBroken);
    }
  });

  it('does not open what was changed in any one character', () => {
    const sealed = box.seal('secret', MINE);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`;
      expect(() => box.open(changed, MINE)).toThrow(SealBroken);
    }
  });

  it.each([
    ['nothing', ''],
    ['plain text', 'JBSWY3DPEHPK3PXP'],
    ['another version', box.seal('x', MINE).replace('v1.', 'v2.')],
    ['a nonce alone', `v1.k1.${randomBytes(12).toString('base64url')}`],
    ['a fourth part', `${box.seal('x', MINE)}.x`],
    ['another spelling', `${box.seal('x', MINE)}!`],
    ['half of it', box.seal('x'.repeat(64), MINE).slice(0, -20)],
  ])('does not open %s', (_, sealed) => {
    expect(() => box.open(sealed, MINE)).toThrow(SealBroken);
  });

  it('opens old values after a rotation and seals with the new key', () => {
    const old = box.seal('secret', MINE);
    const rotated = createSealedBox(parseKeyRing(`${k2},${k1}`));
    expect(rotated.open(old, MINE).toString()).toBe('secret');
    expect(rotated.seal('secret', MINE)).toMatch(/^v1\.k2\./);
    expect(old).toMatch(/^v1\.k1\./);
  });

  it('names the key it misses, and refuses another key under the same kid', () => {
    const sealed = box.seal('secret', MINE);
    expect(() => createSealedBox(parseKeyRing(k2)).open(sealed, MINE)).toThrow('the key k1 is missing');
    expect(() => createSealedBox(parseKeyRing(key('k1'))).open(sealed, MINE)).toThrow(SealBroken);
  });
});
