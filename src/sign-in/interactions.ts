import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccountId, AttemptId } from '../kernel/ids.js';

/** The raw request and response: the provider reads and sets its own cookies on them. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** What was proved, in the terms of the tokens: OpenID Connect Core section 2, RFC 8176. */
export interface SignInResult {
  readonly accountId: AccountId;
  /** `pwd`, `otp`, `mfa`, ... */
  readonly amr: readonly string[];
  readonly acr: string;
  /** When the second factor was proved; becomes `auth_time`. */
  readonly authenticatedAt: Date;
  /** The account's credential epoch when its password was proved; a newer one voids the session. */
  readonly credEpoch: number;
  /** Only a fresh second factor was proved: worth nothing without the person's session in this browser. */
  readonly buildsOnSession: boolean;
}

/** The authorization requests that wait for a person; implemented over the OpenID provider. */
export interface Interactions {
  /** True when this browser began the interaction: its cookie is signed by us and names this uid. */
  holds(exchange: Exchange, uid: AttemptId): boolean;
  /**
   * Vouches for the person and answers the address that resumes the authorization request. Called from one
   * place only, after both factors. Undefined when the interaction has gone meanwhile.
   */
  finish(exchange: Exchange, uid: AttemptId, result: SignInResult): Promise<string | undefined>;
  /**
   * Ends the authorization request without a login, and tells the relying party why: what it asks for cannot be had
   * (`unmet`, OpenID Connect Core Unmet Authentication Requirements 1.0), or the person does not want to (`refused`,
   * RFC 6749 section 4.1.2.1). Answers the address that resumes it.
   */
  decline(exchange: Exchange, uid: AttemptId, why: 'unmet' | 'refused'): Promise<string | undefined>;
  /** Whether somebody has signed in in this browser meanwhile. Says nothing of how well, or who. */
  isSignedIn(exchange: Exchange): Promise<boolean>;
  /** Address of the authorization request that an attempt serves or served, to be made again. */
  authorizationRequest(uid: AttemptId): Promise<string | undefined>;
}
