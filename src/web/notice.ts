import { clearCookie, readCookie, setCookie } from './cookies.js';
import type { PageContext } from './request.js';

const NOTICE = 'notice';

/** What an account page says once after a change. */
export type AccountNotice =
  | 'device_added'
  | 'passkey_added'
  | 'device_removed'
  | 'device_renamed'
  | 'device_moved'
  | 'codes_renewed'
  | 'password_changed'
  | 'contact_changed'
  | 'contact_stopped'
  | 'session_ended'
  | 'sessions_ended'
  | 'app_ended';

/** What the next page says once: carried in a cookie, never in the address. */
export type Notice = 'resent' | 'all_sessions_ended' | 'session_over' | AccountNotice;

export function leaveNotice(ctx: PageContext, notice: Notice): void {
  setCookie(ctx, NOTICE, notice, { maxAgeSeconds: 60 });
}

/** Whichever of these was left, once. */
export function takeOneOf<Kind extends Notice>(ctx: PageContext, notices: readonly Kind[]): Kind | undefined {
  return notices.find((notice) => takeNotice(ctx, notice));
}

/** True once. */
export function takeNotice(ctx: PageContext, notice: Notice): boolean {
  if (readCookie(ctx, NOTICE) !== notice) return false;
  clearCookie(ctx, NOTICE);
  return true;
}
