/** A value in one line of its own; undefined is an empty one. */
export type CsvValue = string | number | undefined;

/** What a spreadsheet takes for a formula, in half and full width, or skips to look for one. */
const FORMULA = /^[\s\u0000]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/** So that Excel reads UTF-8, not the code page of the machine; our own imports skip it. */
export const CSV_BEGIN = '\ufeff';

/**
 * A row of CSV (RFC 4180) with its line end, which no spreadsheet runs: a value that begins like a formula gets an
 * apostrophe before it (SECURITY.md A45). Everything is quoted, so that nothing in a value ends it.
 */
export const csvRow = (values: readonly CsvValue[]): string => `${values.map(cell).join(',')}\r\n`;

function cell(value: CsvValue): string {
  // A number of ours is none of theirs: -7 stays a number.
  if (typeof value === 'number') return String(value);
  const text = value ?? '';
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}
