import type { ParameterizedContext } from 'koa';
import type { FreshForm } from './csrf.js';
import type { Locale } from './locale.js';

/** What the toolkit has learned about a request by the time a route sees it. */
export interface RequestState {
  /** On every response as `x-request-id`, in every log line. */
  requestId: string;
  /** The client's address as far as it is believed: the socket's, or what a trusted proxy says. */
  address: string;
  locale: Locale;
  /** 128 random bits in a cookie: what flows and form tokens are bound to before anyone is known. */
  browserId: string;
  /** True until the browser has been given its id. */
  isNewBrowser: boolean;
  /** The route's template (`/sign-in/:uid/otp`) for metrics and logs; never the address itself. */
  route?: string;
  /** The languages that a service asked for in its authorization request, the most wanted first. */
  uiLocales?: string;
  /** Origins besides our own that a form of this page may end at: `form-action` covers the redirect chain. */
  formOrigins: string[];
  /** The page loads our script: the content policy lets it, and lets it ask us for a challenge. */
  isScripted?: boolean;
  /** What the form tokens of this page say of its age, where a second factor was fresh when it was opened. */
  freshForm?: FreshForm;
  /** Account of the person, for the log. */
  accountId?: string;
}

export type PageContext = ParameterizedContext<RequestState>;
