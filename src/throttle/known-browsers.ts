import { randomId } from '../security/secrets.js';
import type { KeyedDigest } from '../security/digests.js';

/** How many people one browser remembers: an office computer is shared. */
const MAX_PEOPLE = 6;

/**
 * Which accounts have logged in fully in a browser, as a signed cookie: `tag:nonce` for each. Who holds one skips
 * the waits that strangers cause and has a budget of their own (R-20, device cookies). It proves nothing else and
 * never replaces a factor.
 */
export interface KnownBrowsers {
  /** The browser's own id for this account: what its budget is counted on. Undefined when it is a stranger. */
  find(cookie: string | undefined, accountId: string): string | undefined;
  /**
   * The cookie with this account remembered, the latest first, under a new id: who has proved themselves begins with a
   * full budget, whatever they mistyped before.
   */
  remember(cookie: string | undefined, accountId: string): string;
}

export function createKnownBrowsers(keyed: KeyedDigest): KnownBrowsers {
  const tagOf = (accountId: string): string => keyed('known browser', accountId).toString('base64url').slice(0, 16);
  const entries = (cookie = ''): { tag: string; nonce: string }[] =>
    cookie
      .split('.')
      .map((entry) => {
        const [tag = '', nonce = ''] = entry.split(':');
        return { tag, nonce };
      })
      .filter(({ tag, nonce }) => tag !== '' && nonce !== '');
  return {
    find: (cookie, accountId) => entries(cookie).find(({ tag }) => tag === tagOf(accountId))?.nonce,
    remember(cookie, accountId) {
      const tag = tagOf(accountId);
      const others = entries(cookie)
        .filter((entry) => entry.tag !== tag)
        .slice(0, MAX_PEOPLE - 1);
      return [{ tag, nonce: randomId(12) }, ...others].map((entry) => `${entry.tag}:${entry.nonce}`).join('.');
    },
  };
}
