import type { Clock } from '../kernel/clock.js';
import type { Database, Queryable } from '../storage/database.js';
import { ensureMonths, insertEvents } from './audit-store.js';
import type { AuditEvent } from './events.js';

export interface Audit {
  /**
   * Writes events in the caller's transaction, so that nothing that happened lacks its row and no row lacks its
   * effect. When it cannot be written, the caller's work fails with it.
   */
  record(tx: Queryable, ...events: readonly AuditEvent[]): Promise<void>;
  /** Makes room for the coming months. Run at start and by the purge job. */
  prepare(db: Database): Promise<void>;
}

export function createAudit(clock: Clock): Audit {
  return {
    record: (tx, ...events) => insertEvents(tx, clock.now(), events),
    prepare: (db) => db.transaction((tx) => ensureMonths(tx, clock.now())),
  };
}
