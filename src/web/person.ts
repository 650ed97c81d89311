import type { AccountId } from '../kernel/ids.js';
import type { ShownPerson } from './pages.js';
import type { PageContext } from './request.js';

/** Somebody who is logged in on our own pages. */
export interface Person extends ShownPerson {
  readonly id: AccountId;
  /** The provider's session: the one that *Keluar* ends. */
  readonly sessionUid: string;
  /** When the second factor was proved last. */
  readonly authenticatedAt: Date;
  /** `urn:asn:aal2` or `phr` (docs/CONTRACT, Tokens and claims). */
  readonly acr: string | undefined;
}

/**
 * Why somebody is sent to the login: nobody is logged in; or the second factor of who is may be used for reading on the
 * console no more, or is too old for a change. Then only the factor is asked for.
 */
type Wanted = 'login' | 'recent factor' | 'fresh factor';

/** Who is logged in on our own pages; implemented over the page sessions. */
export interface People {
  find(ctx: PageContext): Promise<Person | undefined>;
  /** Answers with the way to the login and back to `back`, a path of ours. */
  askToSignIn(ctx: PageContext, login: { wanted: Wanted; back: string }): void;
}
