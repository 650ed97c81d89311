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

/** What the console says once after an act. */
export type DeskNotice =
  | 'act_sessions_end'
  | 'act_mfa_reset'
  | 'act_unlock'
  | 'act_freeze'
  | 'act_unfreeze'
  | 'act_disable'
  | 'act_enable'
  | 'act_contact_change'
  | 'act_awaiting'
  | 'act_appointed'
  | 'act_removed'
  | 'act_approved'
  | 'act_rejected'
  | 'client_saved'
  | 'client_disabled'
  | 'client_enabled'
  | 'developer_named'
  | 'developer_dismissed';

/** What the next page says once: carried in a cookie, never in the address. */
export type Notice =
  | 'resent'
  | 'code_kept'
  | 'recovery_code_used'
  | 'device_lost'
  | 'all_sessions_ended'
  | 'session_over'
  | AccountNotice
  | DeskNotice;

/** How long it waits for its page; a whole login may lie between. */
const USUAL_SECONDS = 60;

export function leaveNotice(
  ctx: PageContext,
  notice: Notice,
  { count, seconds = USUAL_SECONDS }: { count?: number; seconds?: number } = {},
): void {
  setCookie(ctx, NOTICE, count === undefined ? notice : `${notice}.${count}`, { maxAgeSeconds: seconds });
}

/** Whichever of these was left, once. */
export function takeOneOf<Kind extends Notice>(ctx: PageContext, notices: readonly Kind[]): Kind | undefined {
  return notices.find((notice) => takeNotice(ctx, notice));
}

/** True once. */
export const takeNotice = (ctx: PageContext, notice: Notice): boolean => take(ctx, notice) !== undefined;

/** The number that was left with it, once. */
export function takeCount(ctx: PageContext, notice: Notice): number | undefined {
  const count = take(ctx, notice);
  return count === undefined ? undefined : Number(count);
}

function take(ctx: PageContext, notice: Notice): string | undefined {
  const [name, count = ''] = readCookie(ctx, NOTICE)?.split('.') ?? [];
  if (name !== notice) return undefined;
  clearCookie(ctx, NOTICE);
  return count;
}
