import { clearCookie, readCookie, setCookie } from './cookies.js';
import type { PageContext } from './request.js';

const NOTICE = 'notice';

/** What the next page says once: carried in a cookie, never in the address. */
export type Notice = 'resent';

export function leaveNotice(ctx: PageContext, notice: Notice): void {
  setCookie(ctx, NOTICE, notice, { maxAgeSeconds: 60 });
}

/** True once. */
export function takeNotice(ctx: PageContext, notice: Notice): boolean {
  if (readCookie(ctx, NOTICE) !== notice) return false;
  clearCookie(ctx, NOTICE);
  return true;
}
