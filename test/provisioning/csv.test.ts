import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { readCsv, type CsvLine } from '#src/provisioning/csv.js';

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function read(file: string | Buffer, chunkSize = 1 << 16): Promise<CsvLine[]> {
  const lines: CsvLine[] = [];
  for await (const some of readCsv(chunksOf(Buffer.from(file), chunkSize))) lines.push(...some);
  return lines;
}

const cells = async (file: string | Buffer, chunkSize?: number) =>
  (await read(file, chunkSize)).map((line) => line.cells);

const sound: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
  ['nothing', '', []],
  ['one line without an end', 'a,b', [['a', 'b']]],
  [
    'LF',
    'a,b\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'CRLF',
    'a,b\r\nc,d\r\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['a byte order mark', '\ufeffa,b\n', [['a', 'b']]],
  ['empty values', ',a,,\n', [['', 'a', '', '']]],
  ['an empty line', 'a\n\nb\n', [['a'], [''], ['b']]],
  ['a comma in quotes', '"Siti, S.Kom.",b\n', [['Siti, S.Kom.', 'b']]],
  ['quotes in quotes', '"Siti ""Ani"" R.",b\n', [['Siti "Ani" R.', 'b']]],
  ['an empty quoted value', '"",b\n', [['', 'b']]],
  ['spaces around', ' a , "b" ,c \n', [['a', 'b', 'c']]],
  ['a quote inside a plain value', 'Siti "Ani" R.,b\n', [['Siti "Ani" R.', 'b']]],
  ['letters beyond ASCII', 'Zoë,Añ,😀\n', [['Zoë', 'Añ', '😀']]],
];

test.each(sound)('reads %s', async (_what, file, expected) => {
  expect(await cells(file)).toEqual(expected);
  // However the file arrives in pieces, also in the middle of a character.
  expect(await cells(file, 1)).toEqual(expected);
});

const spoilt: readonly (readonly [string, string | Buffer, string])[] = [
  ['a quote that does not end', 'a,"b\nc,d\n', 'a quoted value does not end'],
  ['text after the closing quote', 'a,"b"c\nc,d\n', 'a quoted value does not end'],
  ['a NUL', 'a,b\0\nc,d\n', 'holds a control character'],
  ['text that reads backwards', 'a,\u202eb\nc,d\n', 'holds a control character'],
  ['bytes that are no UTF-8', Buffer.from([0x61, 0x2c, 0xe9, 0x0a, 0x63, 0x2c, 0x64, 0x0a]), 'is not UTF-8'],
];

test.each(spoilt)('tells %s and reads the next line', async (_what, file, reason) => {
  expect(await read(file)).toEqual([
    { line: 1, cells: undefined, reason },
    { line: 2, cells: ['c', 'd'], reason: '' },
  ]);
});

test('counts lines as an editor does', async () => {
  const lines = await read('a\n\n"b\n\nc', 2);
  expect(lines.map(({ line, reason }) => [line, reason === ''])).toEqual([
    [1, true],
    [2, true],
    [3, false],
    [4, true],
    [5, true],
  ]);
});

test('refuses UTF-16 and a file without line ends', async () => {
  await expect(read(Buffer.from('\ufeffnip,name\n', 'utf16le'))).rejects.toThrow('UTF-16');
  await expect(read('a'.repeat(100_000), 4_096)).rejects.toThrow('line 1 does not end');
});

test('agrees with another reader on whatever that one writes on one line', async () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'B', '1', ',', '"', ' ', 'é', '.'), maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(value, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
      async (rows) => {
        const file = rows.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')).join('\n');
        const other: string[][] = parse(file, { relax_column_count: true });
        expect(await cells(file)).toEqual(other.map((row) => row.map((cell) => cell.trim())));
      },
    ),
  );
});
