import { CROCKFORD, randomBelow, randomId, randomText } from '#src/security/secrets.js';

describe('random values', () => {
  it('makes ids of 128 bits that need no escaping and never repeat (R-27)', () => {
    const ids = Array.from({ length: 1_000 }, () => randomId());
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.every((id) => /^[A-Za-z0-9_-]{22}$/.test(id))).toBe(true);
    expect(randomId(32)).toHaveLength(43);
  });

  it('draws codes from an alphabet without look-alikes, every letter as often (R-08)', () => {
    expect(CROCKFORD).toMatch(/^[0-9A-Z]{32}$/);
    expect(CROCKFORD).not.toMatch(/[ILOU]/);
    expect(new Set(CROCKFORD).size).toBe(32);
    const counts = new Map<string, number>();
    for (const letter of randomText(64_000, CROCKFORD)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    // 2,000 each with a standard deviation of 44: seven of them.
    expect([...counts.values()].every((count) => count > 1_690 && count < 2_310)).toBe(true);
    expect(counts.size).toBe(32);
  });

  it('draws whole numbers below a limit, all of them', () => {
    const drawn = new Set(Array.from({ length: 1_000 }, () => randomBelow(10)));
    expect([...drawn].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
