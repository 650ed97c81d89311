import fc from 'fast-check';
import { nameQueryOf, plainName } from '#src/helpdesk/desk/plain-name.js';
import { openTestDatabase } from '../../support/test-database.js';

const db = await openTestDatabase();
afterAll(() => db.drop());

const plainOf = async (names: readonly string[]): Promise<unknown[]> => {
  const rows = await db.query(
    'SELECT plain_name(name) AS plain FROM unnest($1::text[]) WITH ORDINALITY AS t (name, n) ORDER BY n',
    [names],
  );
  return rows.map(({ plain }) => plain);
};

const NAMES: readonly (readonly [name: string, plain: string])[] = [
  ['Siti Aminah', 'siti aminah'],
  ["Dr. H. Ahmad Nu'man Syafi’i, S.Pd., M.Pd", 'dr h ahmad numan syafii s pd m pd'],
  ['  I  Gusti-Ayu\u00a0Made ', 'i gusti ayu made'],
  ['Ésther Zoë Çelik', 'esther zoe celik'],
  ['ﬁlipus', 'filipus'],
  ['SITI', 'siti'],
  ['محمد', ''],
  ['', ''],
];

it.each(NAMES)('%s is %s', async (name, plain) => {
  expect(plainName(name)).toBe(plain);
  expect(await plainOf([name])).toEqual([plain]);
});

it('is the same in the program and in the database', async () => {
  const letters = fc.constantFrom(...Array.from("aZ09 .,-'’‘`éÉñßæŒİıſKÅﬁ①²Ⅷ\u0301\u00a0\u3000جあ_/()\t\n"));
  const name = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.array(letters, { maxLength: 150 }).map((all) => all.join('')),
  );
  const names = fc.sample(
    name.filter((text) => text.isWellFormed() && !text.includes('\0')),
    2000,
  );
  expect(await plainOf(names)).toEqual(names.map(plainName));
});

it.each([
  ['siti', { word: 'siti', others: [] }],
  ['siti Nurhaliza', { word: 'nurhaliza', others: ['siti'] }],
  ['siti siti', { word: 'siti', others: [] }],
  ['I Made', { word: 'made', others: ['i'] }],
  ['ab c', { word: 'ab', others: ['c'] }],
  ["nu'm", { word: 'num', others: [] }],
  ['ab', undefined],
  ['a b c', undefined],
  ['', undefined],
  ['%%%', undefined],
  ['محمد', undefined],
])('a search for %s', (typed, query) => {
  expect(nameQueryOf(typed)).toEqual(query);
});
