import type { AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Agency } from './agency.js';
import {
  deriveAncestors,
  lockAgencies,
  selectAgencies,
  selectAgency,
  selectSubtree,
  upsertAgencies,
} from './agency-store.js';

export const allAgencies = (db: Queryable): Promise<readonly Agency[]> => selectAgencies(db);

export const findAgency = (db: Queryable, code: AgencyCode): Promise<Agency | undefined> => selectAgency(db, code);

/** The code of an agency and those of all below it; empty when there is no such agency. */
export const agenciesUnder = (db: Queryable, code: AgencyCode): Promise<readonly AgencyCode[]> =>
  selectSubtree(db, code);

/** Adds and changes agencies, parents and children in any order; the caller has refused loops and missing parents. */
export async function saveAgencies(
  tx: Queryable,
  { agencies, now }: { agencies: readonly Agency[]; now: Date },
): Promise<void> {
  await upsertAgencies(tx, agencies, now);
  await deriveAncestors(tx);
}

/** Holds the tree still until the transaction ends: read it, decide, then save. */
export const holdAgencies = (tx: Queryable): Promise<void> => lockAgencies(tx);
