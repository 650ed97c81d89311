import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Queryable } from './database.js';

/**
 * One connection for one long piece of work, apart from the pool and its short deadlines: it may COPY, hold
 * temporary tables and session locks, all of which end with it.
 */
export interface BulkSession extends Queryable {
  /** Commits when `work` resolves, rolls back when it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** `COPY <target> FROM STDIN`: lines in PostgreSQL's text format, see {@link copyLine}. */
  copy(target: string, lines: AsyncIterable<string>): Promise<void>;
  /** `COPY (<query>) TO STDOUT` in binary: each row as its values' bytes (network byte order), undefined for NULL. */
  copyOut(query: string): AsyncIterable<readonly (Buffer | undefined)[]>;
}

/** No statement of an import takes this long; one that does hangs. */
const STATEMENT_TIMEOUT_MS = 15 * 60_000;
/** How long a row that somebody else changes is waited for. */
const LOCK_TIMEOUT_MS = 10_000;

/**
 * Opens the connection, runs the work and closes it, whatever happens; also under the work, when the signal says so: the
 * statement under way fails then, and its transaction is undone.
 */
export async function withBulkSession<T>(
  url: string,
  work: (session: BulkSession) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    keepAlive: true,
  });
  // Without a listener a connection that breaks would end the process; the statement under way fails anyway.
  client.on('error', () => undefined);
  await client.connect();
  const breakOff = (): void => void client.end().catch(() => undefined);
  signal?.addEventListener('abort', breakOff);
  const session: BulkSession = {
    query: async (text, values = []) => (await client.query<Record<string, unknown>>(text, [...values])).rows,
    async transaction(inner) {
      await client.query('BEGIN');
      try {
        const result = await inner(session);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    },
    copyOut: (query) => binaryRows(client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`))),
    copy: (target, lines) => pipeline(Readable.from(lines), client.query(copyFrom(`COPY ${target} FROM STDIN`))),
  };
  try {
    return await work(session);
  } finally {
    signal?.removeEventListener('abort', breakOff);
    await client.end().catch(() => undefined);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One row in PostgreSQL's text format for COPY, with its line end. Values must not hold NUL, as text never does. */
export const copyLine = (values: readonly (string | number | undefined)[]): string =>
  `${values.map(copyValue).join('\t')}\n`;

function copyValue(value: string | number | undefined): string {
  if (value === undefined) return '\\N';
  if (typeof value === 'number') return String(value);
  return /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, (char) => ESCAPES[char] ?? char) : value;
}

/** Signature, flags and the length of an extension that nobody uses. */
const BINARY_HEADER_BYTES = 19;

/** Rows of PostgreSQL's binary COPY format, as they come in pieces of any size. */
async function* binaryRows(stream: AsyncIterable<Buffer>): AsyncIterable<readonly (Buffer | undefined)[]> {
  let rest: Buffer = Buffer.alloc(0);
  let at = 0;
  let headerSeen = false;
  for await (const piece of stream) {
    rest = at === rest.length ? piece : Buffer.concat([rest.subarray(at), piece]);
    at = 0;
    if (!headerSeen) {
      if (rest.length < BINARY_HEADER_BYTES) continue;
      at = BINARY_HEADER_BYTES;
      headerSeen = true;
    }
    for (let row = rowAt(rest, at); row !== undefined; row = rowAt(rest, at)) {
      if (row.values === undefined) return;
      at = row.end;
      yield row.values;
    }
  }
}

/** The row that begins there; undefined while it is not all there, without values at the end of the data. */
function rowAt(bytes: Buffer, begin: number): { values: (Buffer | undefined)[] | undefined; end: number } | undefined {
  if (bytes.length < begin + 2) return undefined;
  const count = bytes.readInt16BE(begin);
  if (count === -1) return { values: undefined, end: begin + 2 };
  const values: (Buffer | undefined)[] = [];
  let at = begin + 2;
  for (let field = 0; field < count; field += 1) {
    if (bytes.length < at + 4) return undefined;
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length === -1) values.push(undefined);
    else {
      if (bytes.length < at + length) return undefined;
      values.push(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return { values, end: at };
}
