import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { createKeyedDigest, digest, sameBytes } from '#src/security/digests.js';

describe('digests', () => {
  it('keeps ids and tokens as their SHA-256 (A32)', () => {
    expect(digest('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(digest('kode ✓')).toEqual(createHash('sha256').update('kode ✓').digest());
  });

  it('is HMAC-SHA-256 under a key derived for each purpose (RFC 5869)', () => {
    const key = randomBytes(32);
    const derived = Buffer.from(hkdfSync('sha256', key, '', 'sso-asn|email', 32));
    const keyed = createKeyedDigest(key);
    for (let again = 0; again < 2; again += 1) {
      expect(keyed('email', 'a@b.id')).toEqual(createHmac('sha256', derived).update('a@b.id').digest());
    }
  });

  it('tells nothing of one purpose or key in another', () => {
    const keyed = createKeyedDigest(randomBytes(32));
    const all = [
      keyed('a', 'x'),
      keyed('b', 'x'),
      keyed('a', 'y'),
      createKeyedDigest(randomBytes(32))('a', 'x'),
      digest('x'),
    ];
    expect(new Set(all.map((bytes) => bytes.toString('hex'))).size).toBe(all.length);
  });

  it.each([
    ['', '', true],
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'ab', false],
    ['', 'a', false],
  ])('compares %j with %j', (a, b, same) => {
    expect(sameBytes(Buffer.from(a), Buffer.from(b))).toBe(same);
  });
});
