import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { UnusableFile } from './csv.js';
import type { RowProblem } from './table.js';

/** What a long import is doing, for whoever watches. */
export interface Progress {
  readonly phase: 'reading' | 'checking' | 'writing' | 'closing';
  /** Bytes while reading, lines while writing, accounts while closing those that a full file does not name. */
  readonly done: number;
  readonly total: number;
  /** Rows read or written so far. */
  readonly rows: number;
}

/** How an import of agencies ended. */
export type ImportOutcome =
  | {
      readonly kind: 'done';
      readonly created: number;
      readonly updated: number;
      readonly unchanged: number;
      /** Rows with a problem, all of them in the error file. */
      readonly skipped: number;
      /** Columns that nobody here knows: passed over. */
      readonly unknownColumns: readonly string[];
    }
  /** The file cannot be read, or its header is wrong; nothing was changed. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** Another import runs at this moment. */
  | { readonly kind: 'busy' };

/** A file as it is read, once. */
export interface ImportFile {
  readonly bytes: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** A file to import, with its size; throws {@link UnusableFile} when there is none. */
export async function openImportFile(path: string): Promise<ImportFile> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UnusableFile(`there is no file ${path}`);
  if (found.isDirectory()) throw new UnusableFile(`${path} is a folder`);
  return { bytes: found.size, chunks: createReadStream(path, { highWaterMark: 262_144 }) };
}

export const errorsPathOf = (path: string): string => `${path}.errors.csv`;

const HEADER = 'line,column,reason\n';
const quoted = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Writes the skipped rows as `line,column,reason`. Nothing skipped makes no file; one left from an earlier run is
 * emptied down to its header, so that it does not tell of rows that are fine by now.
 */
export async function writeErrorFile(
  path: string,
  problems: AsyncIterable<readonly RowProblem[]> | Iterable<readonly RowProblem[]>,
): Promise<void> {
  let file: FileHandle | undefined;
  try {
    for await (const some of problems) {
      if (some.length === 0) continue;
      if (file === undefined) {
        file = await open(path, 'w');
        await file.write(HEADER);
      }
      await file.write(some.map((it) => `${it.line},${quoted(it.column)},${quoted(it.reason)}\n`).join(''));
    }
    if (file === undefined && (await stat(path).catch(() => undefined))?.isFile() === true) {
      file = await open(path, 'w');
      await file.write(HEADER);
    }
  } finally {
    await file?.close();
  }
}
