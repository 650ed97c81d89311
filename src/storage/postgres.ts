import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Database, Queryable } from './database.js';

/** Every statement is prepared once per connection, under a name made from its text. */
const names = new Map<string, string>();
const nameOf = (text: string): string => {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha1').update(text).digest('base64url');
    names.set(text, name);
  }
  return name;
};

export interface PostgresOptions {
  readonly url: string;
  readonly maxConnections: number;
  /** Called when an idle connection breaks; without a listener the process would die. */
  readonly onIdleError: (error: Error) => void;
  /** Called once per statement, with its text: budgets are counted here. */
  readonly onStatement?: (text: string) => void;
}

/** How many callers may wait for a connection before the next is refused. */
const MAX_WAITING = 500;

/** The database did not answer in time or refused us: the caller's work was not done. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('the database is not available', { cause });
    this.name = 'DatabaseUnavailable';
  }
}

/**
 * SQLSTATE classes that speak of the server, not of the statement: connection lost, shutting down, out of
 * resources, read-only, statement or lock deadline passed.
 */
const UNAVAILABLE = /^(08|53|57|58|25006|55P03)/;
const SOCKET = /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|terminated|timeout|not queryable|Connection ended/i;

function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNAVAILABLE.test(code)) return new DatabaseUnavailable(error);
  // Only errors without an SQLSTATE are judged by their words: those come from the driver or the socket.
  if (!/^[0-9A-Z]{5}$/.test(code) && SOCKET.test(`${code} ${error.message}`)) return new DatabaseUnavailable(error);
  return error;
}

/** Opens a pool with every deadline of set. */
export function openPostgres({ url, maxConnections, onIdleError, onStatement }: PostgresOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 2_500,
    query_timeout: 3_000,
    lock_timeout: 1_000,
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
  });
  pool.on('error', onIdleError);

  const run = async (client: pg.Pool | pg.PoolClient, text: string, values: readonly unknown[]) => {
    onStatement?.(text);
    try {
      const result = await client.query<Record<string, unknown>>({ name: nameOf(text), text, values: [...values] });
      return result.rows;
    } catch (error) {
      throw translate(error);
    }
  };
  const over = (client: pg.PoolClient): Queryable => ({
    query: (text, values = []) => run(client, text, values),
  });
  const requirePlace = (): void => {
    if (pool.waitingCount >= MAX_WAITING) throw new DatabaseUnavailable(new Error('too many callers wait'));
  };

  return {
    query: (text, values = []) => {
      requirePlace();
      return run(pool, text, values);
    },
    async transaction(work) {
      requirePlace();
      const client = await pool.connect().catch((error: unknown) => {
        throw translate(error);
      });
      // A connection that breaks between two statements emits 'error' on the client itself.
      let broken: Error | undefined;
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on('error', onError);
      try {
        await client.query('BEGIN');
        const result = await work(over(client));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((failure: unknown) => {
          broken = failure instanceof Error ? failure : new Error('rollback failed');
        });
        throw translate(error);
      } finally {
        client.off('error', onError);
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}
