import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccountId } from '../kernel/ids.js';

/** The raw request and response, and the browser it comes from: the provider reads and sets its own cookies on them. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly browserId: string;
}

/** What a typed code leads to; `location` begins the way to the question, by a login where one is needed. */
export type Opened =
  { readonly kind: 'opened'; readonly location: string } | { readonly kind: 'unknown' | 'expired' | 'answered' };

/** A device that waits for the answer of who is signed in in this browser. */
export interface WaitingDevice {
  /** The eight letters that stand on the device. */
  readonly userCode: string;
  readonly clientId: string;
  /** Whose account it would use. */
  readonly accountId: AccountId;
  /** The claims about the person that it would get. */
  readonly claims: readonly string[];
  /** Where else it could act for the person, and what it may do there, by the names of scopes. */
  readonly resources: readonly { readonly resource: string; readonly scopes: readonly string[] }[];
  /** How long it could stay signed in after the person's own session; undefined where it ends with that. */
  readonly staysSeconds: number | undefined;
}

/** What can be said of a device in this browser: it waits, was answered here, or neither. */
export type Standing =
  { readonly kind: 'waiting'; readonly device: WaitingDevice } | { readonly kind: 'approved' | 'refused' | 'gone' };

/** The devices that ask to be let in (RFC 8628); implemented over the OpenID provider. */
export interface DeviceRequests {
  /** Takes a user code, written as {@link normaliseUserCode} has it. Changes nothing for the device yet. */
  open(exchange: Exchange, userCode: string): Promise<Opened>;
  /** What a page may show of one that was opened in this browser; `uid` names it, and works in this browser only. */
  find(exchange: Exchange, uid: string): Promise<Standing>;
  /** Writes the person's yes or no and answers where it goes on; undefined when there is nothing to answer any more. */
  answer(exchange: Exchange, uid: string, isApproved: boolean): Promise<string | undefined>;
}
