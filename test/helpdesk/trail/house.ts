import { createAudit } from '#src/audit/audit.js';
import { createTrailExports } from '#src/helpdesk/trail/export.js';
import { createTrailSearches, type TrailSearch } from '#src/helpdesk/trail/search.js';
import { agencyCode, type AccountId } from '#src/kernel/ids.js';
import { createKeyedDigest } from '#src/security/digests.js';
import type { Database } from '#src/storage/database.js';
import { now, PLACES, type Place } from '../people.js';

/** The trail's use-cases with all their real parts, on a clock that tests set. */
export function trailHouse(db: Database, options: { readonly maxRows?: number } = {}) {
  const clock = { at: now, now: () => clock.at };
  const audit = createAudit(clock);
  const parts = { db, audit, keyed: createKeyedDigest(Buffer.alloc(32, 7)), clock, ...options };
  const searches = createTrailSearches(parts);
  return {
    ...parts,
    exports: createTrailExports(parts),
    as: (accountId: AccountId, search: Partial<TrailSearch> = {}) =>
      searches.search({ scope: { kind: 'officer', accountId }, limit: 50, ...search }),
    asEverybody: (search: Partial<TrailSearch> = {}) =>
      searches.search({ scope: { kind: 'all' }, limit: 50, ...search }),
    later(seconds: number) {
      clock.at = new Date(clock.at.getTime() + seconds * 1000);
    },
  };
}

/** Moves somebody, as the personnel feed does. */
export const move = (db: Database, id: AccountId, place: Place): Promise<unknown> =>
  db.query('UPDATE accounts SET agency_code = $2 WHERE id = $1', [id, agencyCode(PLACES[place])]);
