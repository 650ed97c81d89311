import fc from 'fast-check';
import { newCode, normaliseCode } from '#src/codes/code-format.js';

test('codes have ten characters that cannot be taken for one another, in two groups', () => {
  const codes = Array.from({ length: 2000 }, newCode);
  for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  expect(new Set(codes).size).toBe(codes.length);
  // 20,000 characters, 625 of each expected: seven standard deviations wide.
  const counts = new Map<string, number>();
  for (const character of codes.join('').replaceAll('-', '')) counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(counts.size).toBe(32);
  for (const count of counts.values()) expect(Math.abs(count - 625)).toBeLessThan(175);
});

test.each([
  ['as mailed', '7K3PQ-9XW0A'],
  ['in small letters', '7k3pq-9xw0a'],
  ['without the dash', '7K3PQ9XW0A'],
  ['with spaces and a line break around', ' 7K3PQ 9XW0A\r\n'],
  ['with the dash of a phone', '7K3PQ–9XW0A'],
  ['with a minus sign', '7K3PQ−9XW0A'],
  ['with invisible characters of a mail program', '7K3PQ-\u200b9XW0A\u00a0'],
  ['with O for 0', '7K3PQ-9XWOA'],
  ['in wide letters', '７Ｋ３ＰＱ－９ＸＷ０Ａ'],
])('understands a code typed %s', (_, typed) => {
  expect(normaliseCode(typed)).toBe('7K3PQ9XW0A');
});

test('takes I and L for 1', () => {
  expect(normaliseCode('iLI1l-00000')).toBe('1111100000');
});

test.each([
  '',
  '-',
  '7K3PQ-9XW0',
  '7K3PQ-9XW0AA',
  '7K3PQ-9XW0U',
  '7K3PQ-9XW0!',
  "' OR 1=1--",
  `7K3PQ9XW0A${' '.repeat(60)}`,
])('does not take %j for a code', (typed) => {
  expect(normaliseCode(typed)).toBeUndefined();
});

test('never throws, and what it takes is a code', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (typed) => {
      expect(normaliseCode(typed) ?? '0000000000').toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
    }),
  );
});
