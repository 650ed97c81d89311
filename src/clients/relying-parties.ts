/** What the login pages need to know of the service that asks; implemented over the client registry. */
export interface RelyingParties {
  /** Undefined for a client that is not (or no longer) registered. */
  find(clientId: string): RelyingParty | undefined;
}

export interface RelyingParty {
  /** As people know it: *MyASN*. */
  readonly name: string;
  /** Where the person starts at the service again. */
  readonly href: string | undefined;
  /** It is our own account pages, before a change. */
  readonly isOwnAccount: boolean;
  /** Every origin the redirect chain after a form may pass: browsers hold `form-action` against all of it. */
  readonly formOrigins: readonly string[];
}
