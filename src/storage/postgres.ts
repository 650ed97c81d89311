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
 * SQLSTATE classes that speak of the server or of the moment, not of the statement: connection lost, shutting down,
 * out of resources, read-only, a deadline passed, a deadlock or another writer in the way.
 */
const UNAVAILABLE = /^(08|40|53|57|58|25006|25P03|55P03)/;
/** Five letters and digits with a digit among them: EPIPE is none. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;
const SOCKET =
  /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|terminated|timeout|not queryable|calling end/;

/** Also an error of another realm, where `instanceof` says no. */
const isError = (value: unknown): value is Error => Object.prototype.toString.call(value) === '[object Error]';
const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

/** What became of a call of the driver, for callers to tell a bug from a database that is away. */
export function translate(error: unknown): unknown {
  if (!isError(error)) return error;
  const code = codeOf(error);
  if (UNAVAILABLE.test(code)) return new DatabaseUnavailable(error);
  // Only errors without an SQLSTATE are judged by their words: those come from the driver or the socket.
  if (!SQLSTATE.test(code) && SOCKET.test(`${code} ${error.message}`)) return new DatabaseUnavailable(error);
  return error;
}

const refuse = (error: unknown): never => {
  throw translate(error);
};

/** Whether the connection itself failed, and not what was asked of it. */
const isLost = (error: unknown): error is DatabaseUnavailable =>
  error instanceof DatabaseUnavailable && isError(error.cause) && !SQLSTATE.test(codeOf(error.cause));

/** What a caller waits: for a connection and the answer to a first statement, and for each answer after it. */
const ANSWER_MS = 2_850;

/** A connection of the pool in one caller's hands. */
interface Loan {
  readonly client: pg.PoolClient;
  /** What is left for the first statement: nobody waits twice, for a connection and then on a frozen one (F-05). */
  readonly firstMs: number;
  /** Set when nobody else may get the connection. */
  broken: Error | undefined;
}

/** Opens a pool with every deadline of set. */
export function openPostgres({ url, maxConnections, onIdleError, onStatement }: PostgresOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 60_000,
    statement_timeout: 2_500,
    query_timeout: ANSWER_MS,
    lock_timeout: 1_000,
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
  });
  pool.on('error', onIdleError);

  const run = async (client: pg.PoolClient, text: string, values: readonly unknown[], withinMs = ANSWER_MS) => {
    onStatement?.(text);
    const statement = { name: nameOf(text), text, values: [...values], query_timeout: withinMs };
    const { rows } = await client.query<Record<string, unknown>>(statement).catch(refuse);
    return rows;
  };
  const over = (client: pg.PoolClient): Queryable => ({
    query: (text, values = []) => run(client, text, values),
  });

  async function lend<T>(work: (loan: Loan) => Promise<T>): Promise<T> {
    if (pool.waitingCount >= MAX_WAITING) throw new DatabaseUnavailable(new Error('too many callers wait'));
    const asked = performance.now();
    const client = await pool.connect().catch(refuse);
    const waitedMs = Math.ceil(performance.now() - asked);
    const loan: Loan = { client, firstMs: Math.max(ANSWER_MS - waitedMs, 1), broken: undefined };
    // A connection that breaks between two statements emits 'error' on the client itself.
    const onError = (error: Error): void => {
      loan.broken = error;
    };
    client.on('error', onError);
    try {
      return await work(loan);
    } catch (error) {
      if (isLost(error)) loan.broken = error;
      throw error;
    } finally {
      client.off('error', onError);
      client.release(loan.broken);
    }
  }

  return {
    query: (text, values = []) => lend(({ client, firstMs }) => run(client, text, values, firstMs)),
    transaction: (work) =>
      lend(async (loan) => {
        const { client, firstMs } = loan;
        const begin = { text: 'BEGIN', query_timeout: firstMs };
        await client.query(begin).catch(refuse);
        try {
          const result = await work(over(client));
          const { command } = await client.query('COMMIT').catch(refuse);
          // PostgreSQL answers ROLLBACK, without an error, when a failed statement was passed over.
          if (command !== 'COMMIT') throw new Error('rolled back: the work passed over a failed statement');
          return result;
        } catch (error) {
          // Nothing is to be expected of a lost connection, not even the answer to a ROLLBACK.
          if (!isLost(error)) {
            await client.query('ROLLBACK').catch((lost: unknown) => {
              loan.broken = isError(lost) ? lost : new Error('rollback failed');
            });
          }
          throw error;
        }
      }),
    close: () => pool.end(),
  };
}
