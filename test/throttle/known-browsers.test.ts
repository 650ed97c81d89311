import { randomBytes } from 'node:crypto';
import { createKeyedDigest } from '#src/security/digests.js';
import { createKnownBrowsers } from '#src/throttle/known-browsers.js';

const known = createKnownBrowsers(createKeyedDigest(randomBytes(32)));
const people = Array.from({ length: 8 }, (_, index) => `account-${index}`);
const [sari = '', budi = ''] = people;
const after = (names: readonly string[]): string =>
  names.reduce<string | undefined>((cookie, name) => known.remember(cookie, name), undefined) ?? '';

describe('known browsers (R-20)', () => {
  it('are strangers to begin with', () => {
    expect(known.find(undefined, sari)).toBeUndefined();
    expect(known.find('', sari)).toBeUndefined();
  });

  it('know those who logged in, each under an id of its own, and nobody else', () => {
    const cookie = after([sari, budi]);
    expect(known.find(cookie, sari)).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(known.find(cookie, budi)).not.toBe(known.find(cookie, sari));
    expect(known.find(cookie, 'account-9')).toBeUndefined();
  });

  it('have a new id after each full login: whoever proved themselves has a full budget again', () => {
    const first = after([sari, budi]);
    const second = known.remember(first, sari);
    expect(known.find(second, sari)).not.toBe(known.find(first, sari));
    expect(known.find(second, budi)).toBe(known.find(first, budi));
  });

  it('have an id of their own, so that one browser cannot spend the budget of another', () => {
    expect(known.find(after([sari]), sari)).not.toBe(known.find(after([sari]), sari));
  });

  it('remember six people, the latest first: the one not seen longest is forgotten', () => {
    const cookie = after([...people, people[3] ?? '']);
    expect(people.filter((person) => known.find(cookie, person) !== undefined)).toEqual(people.slice(2));
    const again = known.remember(cookie, 'account-9');
    expect(known.find(again, people[2] ?? '')).toBeUndefined();
    expect(known.find(again, people[3] ?? '')).toBe(known.find(cookie, people[3] ?? ''));
  });

  it('fit into a cookie and say nothing of who they know (R-42)', () => {
    const cookie = after(people);
    expect(cookie).toMatch(/^[A-Za-z0-9_:.-]{1,300}$/);
    expect(cookie).not.toContain('account');
    expect(createKnownBrowsers(createKeyedDigest(randomBytes(32))).find(cookie, sari)).toBeUndefined();
  });

  it.each(['.', ':', '::', 'x', 'x:', ':x', '.....', ':.:.:', 'a:b:c.d', '\u0000', ';='.repeat(1_000)])(
    'of %j know nobody and can begin anew',
    (cookie) => {
      expect(known.find(cookie, sari)).toBeUndefined();
      expect(known.find(known.remember(cookie, sari), sari)).toMatch(/^[A-Za-z0-9_-]{16}$/);
    },
  );
});
