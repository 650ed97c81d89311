import type { AccountId } from '../kernel/ids.js';

/** One single sign-on session of an account that works at this moment. */
export interface OpenSession {
  /** Names it for {@link EndSessions}; nobody's key to anything. */
  readonly uid: string;
  /** As the browser sent it at its login: anybody may pretend to be another. */
  readonly userAgent: string;
  /** The address at its login. Personal data: show its network only. */
  readonly address: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  /** The names of the services that were opened in it. */
  readonly services: readonly string[];
}

/** An application that stays logged in without a browser (`offline_access`): its session has ended, its grant lives. */
export interface StayingApp {
  /** Names it for {@link EndSessions}; nobody's key to anything. */
  readonly id: string;
  /** The service's name; its client id where it is no longer registered. */
  readonly service: string;
  readonly since: Date;
  /** When it has to ask for a login again. */
  readonly until: Date;
}

/** What an account has open; implemented by the OpenID provider's stores. */
export interface OpenSessions {
  /** The sessions used last, first; at most `limit`. */
  of(accountId: AccountId, limit: number): Promise<readonly OpenSession[]>;
  find(accountId: AccountId, sessionUid: string): Promise<OpenSession | undefined>;
  /** The latest first. */
  staying(accountId: AccountId): Promise<readonly StayingApp[]>;
}
