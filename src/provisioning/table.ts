import { readCsv, UnusableFile, type CsvLine } from './csv.js';

/** Why a row was skipped. Never holds a value of the row: the file is full of personal data. */
export interface RowProblem {
  readonly line: number;
  /** Empty when the line as a whole is at fault. */
  readonly column: string;
  readonly reason: string;
}

/** One row; a column that the file does not have reads as empty. */
export interface TableRow<Column extends string> {
  readonly line: number;
  cell(column: Column): string;
}

export type TableEntry<Column extends string> = TableRow<Column> | RowProblem;

export const isProblem = (entry: TableEntry<string>): entry is RowProblem => 'reason' in entry;

export interface Columns<Column extends string> {
  readonly required: readonly Column[];
  readonly optional: readonly Column[];
}

export interface Table<Column extends string> {
  /** The columns of ours that the file has. */
  readonly columns: ReadonlySet<Column>;
  /** Columns that nobody here knows: passed over. */
  readonly unknown: readonly string[];
  /** Rows in their order; empty lines are passed over. Read once. */
  readonly rows: AsyncIterable<readonly TableEntry<Column>[]>;
}

/** Reads the header and hands out the rows. Throws {@link UnusableFile} when the header is not what it must be. */
export async function openTable<Column extends string>(
  chunks: AsyncIterable<Buffer>,
  wanted: Columns<Column>,
): Promise<Table<Column>> {
  const lines = readCsv(chunks)[Symbol.asyncIterator]();
  const { header, rest } = await firstLine(lines);
  const names = header.map((cell) => cell.toLowerCase());
  const known: readonly Column[] = [...wanted.required, ...wanted.optional];
  refuseBadHeader(names, wanted);
  const places = new Map(known.map((column) => [column, names.indexOf(column)]));

  async function* rows(): AsyncGenerator<readonly TableEntry<Column>[]> {
    yield entries(rest);
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) yield entries(next.value);
  }
  const entries = (some: readonly CsvLine[]): readonly TableEntry<Column>[] =>
    some.flatMap((it): TableEntry<Column>[] => {
      const { line, cells, reason } = it;
      if (cells === undefined) return [{ line, column: '', reason }];
      if (cells.every((cell) => cell === '')) return [];
      if (cells.length !== names.length) {
        return [{ line, column: '', reason: `has ${cells.length} values where the header has ${names.length}` }];
      }
      return [{ line, cell: (column) => cells[places.get(column) ?? -1] ?? '' }];
    });

  return {
    columns: new Set(known.filter((column) => names.includes(column))),
    unknown: names.filter((name) => !(known as readonly string[]).includes(name)),
    rows: rows(),
  };
}

async function firstLine(
  lines: AsyncIterator<readonly CsvLine[]>,
): Promise<{ header: readonly string[]; rest: readonly CsvLine[] }> {
  for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
    const [first, ...rest] = next.value;
    if (first === undefined) continue;
    if (first.cells === undefined) throw new UnusableFile(`the first line ${first.reason}`);
    return { header: first.cells, rest };
  }
  throw new UnusableFile('the file is empty: its first line must name the columns');
}

function refuseBadHeader(names: readonly string[], { required, optional }: Columns<string>): void {
  const twice = names.find((name, place) => name !== '' && names.indexOf(name) !== place);
  if (twice !== undefined) throw new UnusableFile(`the column ${twice} is there twice`);
  const missing = required.filter((column) => !names.includes(column));
  if (missing.length === 0) return;
  if (names.length === 1 && names[0]?.includes(';') === true) {
    throw new UnusableFile('the values are separated by semicolons: save the file with commas');
  }
  const all = optional.length === 0 ? required.join(',') : `${required.join(',')} and optionally ${optional.join(',')}`;
  throw new UnusableFile(`the first line must name the columns ${all}; missing: ${missing.join(', ')}`);
}
