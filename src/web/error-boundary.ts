import type Koa from 'koa';
import type { Log } from '../kernel/log.js';
import { Refusal } from '../kernel/refusal.js';
import { Busy } from '../security/hash-queue.js';
import { randomBelow } from '../security/secrets.js';
import { DatabaseUnavailable } from '../storage/postgres.js';
import { KeyValueUnavailable } from '../storage/key-value.js';
import type { PageError } from './pages.js';
import type { PageWriter } from './page.js';
import type { PageContext, RequestState } from './request.js';

/** A store did not answer: ask people back after 5 to 29 seconds, spread out. */
const retryAfterSeconds = (): number => 5 + randomBelow(25);

/** The store that is away: the error itself, or what the OpenID provider was told in its own terms. */
const awayIn = (error: unknown): Error | undefined =>
  [error, error instanceof Error ? error.cause : undefined].find(
    (each) => each instanceof DatabaseUnavailable || each instanceof KeyValueUnavailable,
  );

function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof Busy) return new Refusal('busy', { retryAfterSeconds: error.retryAfterSeconds });
  const away = awayIn(error);
  if (away !== undefined) {
    return new Refusal('unavailable', { retryAfterSeconds: retryAfterSeconds(), reason: causeOf(away) });
  }
  // Node and Koa mark what the client did wrong with a 4xx status: malformed cookies, paths, aborted bodies.
  if (error instanceof Error && 'status' in error && typeof error.status === 'number') {
    if (error.status >= 400 && error.status < 500) {
      return new Refusal('invalid_input', { status: error.status, reason: error.message });
    }
  }
  return undefined;
}

const causeOf = ({ cause, message }: Error): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message;

/** The stack belongs in the log and nowhere else. */
const describe = (error: unknown): object =>
  error instanceof Error
    ? {
        error: error.name,
        detail: error.message,
        stack: error.stack,
        cause: error.cause instanceof Error ? error.cause.message : undefined,
      }
    : { detail: String(error) };

/** RFC 9457, for what is not a page. */
function writeProblem(ctx: PageContext, refusal: Refusal): void {
  ctx.status = refusal.status;
  ctx.body = JSON.stringify({ type: 'about:blank', title: refusal.code, status: refusal.status, code: refusal.code });
  ctx.type = 'application/problem+json';
}

const SIGN_IN_GONE = { kept: 'nothing' } as const;
/** One that waits goes on waiting, whichever page of it is gone. */
const MFA_RESET_GONE = { kept: 'mfa_reset', restartHref: '/reset/mfa' } as const;

function writePage(ctx: PageContext, write: PageWriter, refusal: Refusal): void {
  const { status, code, details } = refusal;
  const error: PageError = { code, field: details.field, retryAfterSeconds: details.retryAfterSeconds };
  if (code === 'not_found') write(ctx, 'not-found', {}, { status });
  else if (code === 'flow_expired') {
    const gone = details.passage === 'mfa_reset' ? MFA_RESET_GONE : SIGN_IN_GONE;
    write(ctx, 'expired', { cause: 'waited', ...gone }, { status });
  } else if (status === 503) write(ctx, 'busy', { error }, { status });
  else write(ctx, 'error', { status, error }, { status });
}

function answer(ctx: PageContext, write: PageWriter, refusal: Refusal): void {
  const { retryAfterSeconds: wait } = refusal.details;
  if (wait !== undefined) ctx.set('Retry-After', String(Math.ceil(wait)));
  // What is left of the body is not waited for.
  if (refusal.status === 413) ctx.set('Connection', 'close');
  if (refusal.status === 421 || ctx.path.startsWith('/api/')) writeProblem(ctx, refusal);
  else writePage(ctx, write, refusal);
}

/**
 * The one place where an error becomes an answer: a refusal its page or problem document, anything else a 500 with
 * nothing but the request id. The program lives on.
 */
export function errorBoundary({ log, write }: { log: Log; write: PageWriter }): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    const about = (): object => ({ request_id: ctx.state.requestId, route: ctx.state.route ?? 'other' });
    try {
      await next();
      if (ctx.status === 404 && ctx.body == null) throw new Refusal('not_found');
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) log.error('unexpected error', { ...about(), ...describe(error) });
      else log.info('refused', { ...about(), code: refusal.code, reason: refusal.details.reason });
      try {
        answer(ctx, write, refusal ?? new Refusal('unavailable', { status: 500 }));
      } catch (broken) {
        // Koa's own answer would drop the security headers.
        log.error('the error page is broken', { ...about(), ...describe(broken) });
        writeProblem(ctx, refusal ?? new Refusal('unavailable', { status: 500 }));
      }
    }
  };
}
