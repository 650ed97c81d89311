import { errors } from 'oidc-provider';
import { DatabaseUnavailable } from '../storage/postgres.js';
import { requestScope } from './request-scope.js';

/** An error that came out of the provider after all, as our own error boundary knows it. */
export const own = (error: unknown): unknown =>
  error instanceof errors.TemporarilyUnavailable && error.cause !== undefined ? error.cause : error;

/** PostgreSQL's words for text that it cannot hold: NUL, half a surrogate pair, bytes that are no UTF-8. */
const UNSTORABLE = ['22P05', '22P02', '22021'];

const isUnstorable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && UNSTORABLE.includes(String(error.code));

/**
 * Runs what the provider asks of us. A database that does not answer is told to the client as what it is, with 503,
 * not as a bug of ours.
 */
export async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  const scope = requestScope();
  try {
    // Who has waited in vain is answered: the provider would wait again for what it saves at a request's end (F-05).
    if (scope.away !== undefined) throw scope.away;
    return await work();
  } catch (cause) {
    if (isUnstorable(cause)) throw new errors.InvalidRequest('a parameter holds a character that cannot be stored');
    if (!(cause instanceof DatabaseUnavailable)) throw cause;
    scope.away = cause;
    const error = new errors.TemporarilyUnavailable('the service is busy, try again later');
    throw Object.assign(error, { status: 503, statusCode: 503, expose: true, cause });
  }
}
