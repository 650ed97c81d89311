import type { Visitor } from '../throttle/visitor.js';
import type { KnownBrowsers } from '../throttle/known-browsers.js';
import { agentOf } from './agent.js';
import { readCookie, setCookie } from './cookies.js';
import type { PageContext } from './request.js';

const KNOWN = 'known';
const YEAR_SECONDS = 365 * 24 * 3600;

/** Who sits there, as far as a request tells before anything is proved. */
export const visitorOf = (ctx: PageContext): Visitor => ({
  browserId: ctx.state.browserId,
  address: ctx.state.address,
  knownBrowser: readCookie(ctx, KNOWN),
  agent: agentOf(ctx.get('user-agent')),
  locale: ctx.state.locale,
  requestId: ctx.state.requestId,
});

/** Remembers that this account has logged in fully, or proved its mailbox, in this browser. */
export function rememberBrowser(ctx: PageContext, known: KnownBrowsers, accountId: string): void {
  setCookie(ctx, KNOWN, known.remember(readCookie(ctx, KNOWN), accountId), { maxAgeSeconds: YEAR_SECONDS });
}
