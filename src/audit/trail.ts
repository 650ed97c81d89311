import type { Queryable } from '../storage/database.js';
import { selectEvents } from './audit-store.js';
import type { AuditType } from './events.js';

/** An event as its row tells it. Its kind and its detail may be of another version of the program: trust neither. */
export interface TrailEvent {
  readonly id: string;
  readonly at: Date;
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly actorId: string | undefined;
  /** That the event is filed under. */
  readonly agencyCode: string | undefined;
  readonly clientId: string | undefined;
}

/** Where a page of the trail ended. */
export interface TrailPlace {
  readonly at: Date;
  readonly id: string;
}

export interface TrailQuery {
  readonly accountId: string;
  /** Only these kinds. */
  readonly types: readonly AuditType[];
  readonly since: Date;
  /** Goes on behind this place; none: from the newest on. */
  readonly before?: TrailPlace | undefined;
  readonly limit: number;
}

/** What happened to an account, newest first, at most `limit` rows: by key, so that page 400 costs what page 1 does. */
export const trailOf = (db: Queryable, query: TrailQuery): Promise<readonly TrailEvent[]> => selectEvents(db, query);
