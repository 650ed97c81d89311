/**
 * CSV as RFC 4180 describes it, with one rule more: a row is one line. None of our values may hold a line break,
 * and a stray quote then spoils its own line instead of swallowing the next thousand (ADR 0003).
 */
export interface CsvLine {
  /** As an editor counts, the header being line 1. */
  readonly line: number;
  /** Trimmed. Undefined when the line cannot be read, for the reason given. */
  readonly cells: readonly string[] | undefined;
  readonly reason: string;
}

/** The file as a whole cannot be used; the message says why. */
export class UnusableFile extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnusableFile';
  }
}

const MAX_LINE_LENGTH = 65_536;
/** Controls and what reorders text: nobody's name, and a way to forge what a reader sees. */
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Reads UTF-8, with or without byte order mark, lines ended by LF or CRLF. Yields the lines of one chunk at a time. */
export async function* readCsv(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly CsvLine[]> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let line = 0;
  let first = true;
  for await (const chunk of chunks) {
    if (first) refuseUtf16(chunk);
    first = false;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH) throw new UnusableFile(`line ${line + lines.length + 1} does not end`);
    yield lines.map((text) => readLine((line += 1), text));
  }
  rest += decoder.decode();
  if (rest !== '') yield [readLine(line + 1, rest)];
}

function refuseUtf16(chunk: Buffer): void {
  const mark = chunk.subarray(0, 2).toString('hex');
  if (mark === 'fffe' || mark === 'feff') throw new UnusableFile('the file is UTF-16: save it as CSV in UTF-8');
}

function readLine(line: number, withReturn: string): CsvLine {
  const text = withReturn.endsWith('\r') ? withReturn.slice(0, -1) : withReturn;
  const unreadable = (reason: string): CsvLine => ({ line, cells: undefined, reason });
  // The decoder writes this character wherever the bytes are no UTF-8.
  if (text.includes('\ufffd')) return unreadable('is not UTF-8');
  if (INVISIBLE.test(text)) return unreadable('holds a control character');
  const cells = splitLine(text);
  return cells === undefined ? unreadable('a quoted value does not end') : { line, cells, reason: '' };
}

/** Undefined when a quoted value does not end, or something follows its end. */
function splitLine(text: string): readonly string[] | undefined {
  if (!text.includes('"')) return text.split(',').map((cell) => cell.trim());
  const cells: string[] = [];
  const cell = /\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(,|$)/y;
  for (;;) {
    const found = cell.exec(text);
    if (found === null) return undefined;
    const [, quoted, plain = '', end] = found;
    if (quoted === undefined && plain.startsWith('"')) return undefined;
    cells.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (end === '') return cells;
  }
}
