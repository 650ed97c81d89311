import type { AccountId } from '../kernel/ids.js';

/** Who calls the admin API. What a person may do is never in here: it is read from their roles at that moment. */
export interface AdminCaller {
  readonly clientId: string;
  /** Absent when a service calls for itself. */
  readonly accountId: AccountId | undefined;
  readonly scopes: ReadonlySet<string>;
  /** When the person's factors were proved; absent for a service. */
  readonly authenticatedAt: Date | undefined;
  /** How: `urn:asn:aal2` or `phr`. */
  readonly acr: string | undefined;
  /** The agency that a service is bound to by its registration. */
  readonly agency: string | undefined;
}

/** The port to the OpenID provider: whose access token this is. */
export interface AdminTokens {
  /** Undefined unless the token is alive, its session, grant and account too, and was issued for the admin API. */
  verify(bearer: string): Promise<AdminCaller | undefined>;
}
