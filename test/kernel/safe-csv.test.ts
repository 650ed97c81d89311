import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { CSV_BEGIN, csvRow } from '#src/kernel/safe-csv.js';

/** A45: nothing that somebody typed runs in a spreadsheet; everything else comes back as it was. */
const read = (text: string): string[][] => parse(text, { bom: true });

it.each([
  '=1+1',
  '+62812',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\n=1',
  ' =1',
  '\u0000=1',
  '\uff1d1',
  '\uff20x',
  '=HYPERLINK("http://evil.example","x")',
  '\tplain',
])('%j stays text', (value) => {
  expect(read(csvRow(['a', value]))).toEqual([['a', `'${value}`]]);
  expect(csvRow([value]).startsWith('"\'')).toBe(true);
});

it.each(['Siti', 'a=b', 'a,b', 'a"b', 'a\r\nb', '', "O'Neil", '1990'])('%j is what it was', (value) => {
  expect(read(csvRow(['a', value]))).toEqual([['a', value]]);
});

it('writes numbers as numbers, nothing as nothing, and lines as RFC 4180 ends them', () => {
  expect(csvRow([-7, undefined, 'x'])).toBe('-7,"","x"\r\n');
  expect(read(CSV_BEGIN + csvRow(['a', 'b']))).toEqual([['a', 'b']]);
});

it('no value begins a cell as a formula does, whatever it is', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 2, maxLength: 4 }), (values) => {
      const [cells = []] = read(csvRow(values));
      expect(cells.map((cell) => (cell.startsWith("'") ? cell.slice(1) : cell))).toEqual(
        values.map((value) => (value.startsWith("'") ? value.slice(1) : value)),
      );
      for (const cell of cells) expect(cell).not.toMatch(/^[\s\u0000]*[=+\-@]/);
    }),
  );
});
