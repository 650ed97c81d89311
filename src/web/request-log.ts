import type Koa from 'koa';
import type { Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { CROCKFORD, randomText } from '../security/secrets.js';
import type { RequestState } from './request.js';

/** 80 bits that people can read to somebody over the phone, and that are never taken for a mailed code. */
const newRequestId = (): string => randomText(16, CROCKFORD);

export type RequestObserver = (seen: { route: string; method: string; status: number; seconds: number }) => void;

/** Gives every request its id and writes one line when it is answered: the route's template, never the address. */
export function requestLog(options: {
  log: Log;
  clock: Clock;
  addressOf: (socketAddress: string | undefined, forwardedFor: string | undefined) => string;
  observe: RequestObserver;
}): Koa.Middleware<RequestState> {
  return async (ctx, next) => {
    const began = performance.now();
    ctx.state.requestId = newRequestId();
    ctx.state.formOrigins = [];
    ctx.state.address = options.addressOf(ctx.req.socket.remoteAddress, ctx.get('x-forwarded-for') || undefined);
    ctx.set('x-request-id', ctx.state.requestId);
    ctx.res.once('close', () => {
      const seconds = (performance.now() - began) / 1000;
      const route = ctx.state.route ?? 'other';
      options.observe({ route, method: ctx.method, status: ctx.res.statusCode, seconds });
      options.log.info('request', {
        request_id: ctx.state.requestId,
        method: ctx.method,
        route,
        status: ctx.res.statusCode,
        ms: Math.round(seconds * 1000),
        ...(ctx.state.accountId === undefined ? {} : { account: ctx.state.accountId }),
      });
    });
    await next();
  };
}
