import type { PageContext } from './request.js';

/** 303 See Other: the browser follows with a GET and never sends a form twice (RFC 9700 section 4.12). */
export function redirect(ctx: PageContext, location: string): void {
  ctx.redirect(location);
  ctx.status = 303;
  ctx.body = '';
}
