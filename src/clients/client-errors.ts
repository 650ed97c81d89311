import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { Queryable } from '../storage/database.js';
import { countErrorsSince, selectErrorOfRequest, selectErrors } from './client-errors-store.js';

/** What a client was refused: the same thing once, with how often and when. */
export interface ClientError {
  readonly endpoint: string;
  /** Of OAuth. */
  readonly error: string;
  /** The provider's own words; may be empty. */
  readonly detail: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly times: number;
  /** Of the last requests, the latest first. */
  readonly requestIds: readonly string[];
}

/** The last errors of clients, as they were written (src/clients/client-use.ts). */
export interface ClientErrors {
  /** The latest first. */
  ofClient(clientId: string): Promise<readonly ClientError[]>;
  /** What a request of that number was refused, by whichever client it was made. */
  ofRequest(requestId: string): Promise<{ readonly clientId: string; readonly error: ClientError } | undefined>;
  /** Clients that were refused something within the hour, and how many different things. */
  lastHour(): Promise<ReadonlyMap<string, number>>;
}

const HOUR_SECONDS = 3600;

export const createClientErrors = ({ db, clock }: { db: Queryable; clock: Clock }): ClientErrors => ({
  ofClient: (clientId) => selectErrors(db, clientId),
  ofRequest: (requestId) => selectErrorOfRequest(db, requestId),
  lastHour: () => countErrorsSince(db, secondsAfter(clock.now(), -HOUR_SECONDS)),
});
