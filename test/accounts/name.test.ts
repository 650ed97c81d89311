import { canonicalName } from '#src/accounts/name.js';

const NIP = '198609262015051001';

const nips: readonly (readonly [string, string])[] = [
  [NIP, 'as it is'],
  ['19860926 201505 1 001', 'grouped by spaces'],
  ['19860926.201505.1.001', 'grouped by dots'],
  ['19860926-201505-1-001', 'grouped by dashes'],
  ['19860926–201505–1–001', 'grouped by the dashes of a word processor'],
  ['19860926\u00a0201505\u00a01\u00a0001', 'grouped by spaces that do not break'],
  [` ${NIP} `, 'with a space around it'],
  ['１９８６０９２６２０１５０５１００１', 'in full-width digits'],
];

test.each(nips)('reads %j as the NIP, %s', (typed) => {
  expect(canonicalName(typed)).toEqual({ kind: 'nip', value: NIP });
});

const names: readonly (readonly [string, string])[] = [
  ['galuh.permadi', 'galuh.permadi'],
  ['Galuh.Permadi', 'galuh.permadi'],
  ['ＧＡＬＵＨ', 'galuh'],
  ['a-1', 'a-1'],
  ['ﬁtri', 'fitri'],
  ['budi_01', 'budi_01'],
  ['x'.repeat(64), 'x'.repeat(64)],
];

test.each(names)('reads %j as the account name %j', (typed, value) => {
  expect(canonicalName(typed)).toEqual({ kind: 'account_name', value });
});

const malformed: readonly (readonly [string, string])[] = [
  ['', 'nothing'],
  ['ab', 'too short'],
  ['x'.repeat(65), 'too long'],
  ['12345', 'all digits'],
  ['19860926201505100', '17 digits'],
  ['1986092620150510011', '19 digits'],
  ['١٩٨٦٠٩٢٦٢٠١٥٠٥١٠٠١', 'Arabic-Indic digits'],
  ['budi santoso', 'a space inside'],
  [' budi', 'a space before'],
  ['budi\u0000', 'NUL'],
  ['budi\n', 'a line break'],
  [`${NIP}\t`, 'a tab'],
  ['budi\u202e', 'reversed reading'],
  ['bu\u0301di', 'a combining mark'],
  ['budí', 'a letter with a mark'],
  ['бudi', 'a Cyrillic letter'],
  ['İbudi', 'a letter whose lower case is two'],
  ['budi\ud800', 'half a character'],
  ['budi@contoh', 'an at sign'],
  ['1'.repeat(100_000), 'a hundred thousand digits'],
  ['\ufdfa'.repeat(1_000_000), 'what grows eighteenfold'],
];

test.each(malformed.map(([typed, why]) => [why, typed] as const))('refuses %s', (_why, typed) => {
  expect(canonicalName(typed)).toEqual({ kind: 'malformed' });
});

test('a canonical name is its own canonical name', () => {
  for (const [typed] of [...nips, ...names]) {
    const name = canonicalName(typed);
    if (name.kind === 'malformed') throw new Error('malformed');
    expect(canonicalName(name.value)).toEqual(name);
  }
});
