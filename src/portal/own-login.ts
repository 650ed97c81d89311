import type { AccountId } from '../kernel/ids.js';

/** Our own pages that people log in to: the portal with the account pages, and the helpdesk console. */
export type OwnPages = 'portal' | 'console';

/** What a redeemed authorization code of a built-in client says. */
export interface RedeemedLogin {
  readonly accountId: AccountId;
  /** The provider's session: our own page session lives exactly as long (one logout ends all). */
  readonly sessionUid: string;
  readonly acr: string | undefined;
  readonly authenticatedAt: Date;
}

/**
 * The code flow of the built-in clients of some of our pages, redeemed in process: they are this program, not a party
 * over HTTP. A `fresh` login asks who is signed in already for a second factor of the last five minutes, and for nothing
 * else; the console's usual one for one of the last fifteen.
 */
export interface OwnLogin {
  /** Address of the authorization endpoint with PKCE S256 and state. */
  authorizationUrl(request: { state: string; codeChallenge: string; fresh?: boolean }): string;
  /** Redeems a code once. Undefined when it is unknown, spent, expired or was issued for other values. */
  redeem(response: { code: string; codeVerifier: string; fresh?: boolean }): Promise<RedeemedLogin | undefined>;
  /** Whether the session still lives: not ended, not idle too long, its account in good standing. */
  isAlive(sessionUid: string): Promise<boolean>;
}
