import { checkNip, displayNip, isNip, lastThreeOf, type NipFault, type NipForm } from '#src/accounts/nip.js';

const sound: readonly (readonly [string, NipForm, string])[] = [
  ['198609262015051001', 'PNS', 'the published example of a PNS number'],
  ['199009132025242014', 'PPPK', 'the published example of a part-time PPPK number'],
  ['199001012023211001', 'PPPK', 'a code that is no month'],
  ['199001012023991001', 'PPPK', 'any two digits'],
  ['199001012023051001', 'PPPK', 'a code that could be a month'],
  ['200002292024012001', 'PNS', '29 February of a leap year'],
  ['196512311990122999', 'PNS', 'the last sequence'],
];

test.each(sound)('takes %s as %s: %s', (text, form) => {
  expect(checkNip(text, form).kind).toBe('nip');
});

const faulty: readonly (readonly [string, NipForm, NipFault])[] = [
  ['', 'PNS', 'length'],
  ['19860926201505100', 'PNS', 'length'],
  ['1986092620150510011', 'PNS', 'length'],
  ['19860926 201505 1 001', 'PNS', 'length'],
  ['19860926201505100x', 'PNS', 'length'],
  ['١٩٨٦٠٩٢٦٢٠١٥٠٥١٠٠١', 'PNS', 'length'],
  ['199002312015051001', 'PNS', 'birth date'],
  ['199002292015051001', 'PNS', 'birth date'],
  ['190002292015051001', 'PNS', 'birth date'],
  ['199013012015051001', 'PNS', 'birth date'],
  ['199000012015051001', 'PNS', 'birth date'],
  ['199001002015051001', 'PNS', 'birth date'],
  ['000001012015051001', 'PNS', 'birth date'],
  ['199001012015131001', 'PNS', 'appointment'],
  ['199001012015001001', 'PNS', 'appointment'],
  ['199001012023211001', 'PNS', 'appointment'],
  ['199001010023211001', 'PPPK', 'appointment'],
  ['199001012015050001', 'PNS', 'sex'],
  ['199001012015053001', 'PNS', 'sex'],
  ['199001012015051000', 'PNS', 'sequence'],
];

test.each(faulty)('refuses %j as %s for its %s', (text, form, fault) => {
  expect(checkNip(text, form)).toEqual({ kind: 'fault', fault });
});

test('takes every number of 10,000 made as the regulations tell', () => {
  const two = (value: number): string => String(value).padStart(2, '0');
  const refused: string[] = [];
  for (let at = 0; at < 10_000; at += 1) {
    // Every day of 27 years in turn, 29 February included.
    const born = new Date(Date.UTC(1972, 0, 1 + at)).toISOString().slice(0, 10).replaceAll('-', '');
    const form = at % 2 === 0 ? 'PNS' : 'PPPK';
    const code = form === 'PNS' ? 1 + (at % 12) : at % 100;
    const nip = `${born}${2000 + (at % 26)}${two(code)}${1 + (at % 2)}${String(1 + (at % 999)).padStart(3, '0')}`;
    if (checkNip(nip, form).kind !== 'nip') refused.push(nip);
  }
  expect(refused).toEqual([]);
});

test('shows a number in the groups people know, or its last three digits', () => {
  const nip = '198609262015051001';
  if (!isNip(nip)) throw new Error('not a NIP');
  expect(displayNip(nip)).toBe('19860926 201505 1 001');
  expect(lastThreeOf(nip)).toBe('001');
});
