import { normaliseUserCode, writtenUserCode } from '#src/device-login/user-codes.js';

describe('a user code as people type it', () => {
  it.each([
    'BCDF-GHJK',
    'bcdfghjk',
    ' bcdf ghjk ',
    'BCDF–GHJK',
    'b.c.d.f.g.h.j.k',
    'ＢＣＤＦ－ＧＨＪＫ',
    'BCDF\u00a0GHJK',
    'bcdf_ghjk',
  ])('%j is understood', (typed) => {
    expect(normaliseUserCode(typed)).toBe('BCDFGHJK');
  });

  it.each(['', 'BCDF', 'BCDFGHJKL', 'BCDF-GHJ1', 'ABCD-EFGH', 'BCDF-GHJ\u0130', `${' '.repeat(80)}BCDFGHJK`])(
    '%j is none',
    (typed) => {
      expect(normaliseUserCode(typed)).toBeUndefined();
    },
  );

  it('is written in two groups', () => {
    expect(writtenUserCode('BCDFGHJK')).toBe('BCDF-GHJK');
  });
});
