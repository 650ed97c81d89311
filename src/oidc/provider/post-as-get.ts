import type Koa from 'koa';
import { Refusal } from '../../kernel/refusal.js';
import { readBody } from '../../web/form.js';

/** Longest form accepted: it becomes an address, and a request's head ends at 16 kB. */
const MAX_CHARACTERS = 8 * 1024;

/**
 * Authorization and logout requests may come by POST (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout
 * section 2). The browser sends no SameSite=Lax cookie with them, so they are sent on as the same request by GET,
 * with which it does.
 */
export function postAsGet(paths: readonly string[]): Koa.Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || !paths.includes(ctx.path)) {
      await next();
      return;
    }
    if (ctx.is('application/x-www-form-urlencoded') === false) {
      throw new Refusal('invalid_input', { status: 415, reason: 'not a form' });
    }
    const query = new URLSearchParams(await readBody(ctx.req)).toString();
    if (query.length > MAX_CHARACTERS) throw new Refusal('invalid_input', { status: 413, reason: 'form too long' });
    ctx.redirect(`${ctx.path}?${query}`);
    ctx.status = 303;
    ctx.body = '';
  };
}
