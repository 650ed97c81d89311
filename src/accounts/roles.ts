import type { AccountId, AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { findAgency } from './agencies.js';
import {
  endAllGrants,
  endGrant,
  endGrantsElsewhere,
  insertGrant,
  selectGrants,
  type EndedGrant,
} from './role-store.js';
import { needsAgency, type Role, type RoleGrant } from './role.js';

export interface RoleChange {
  readonly accountId: AccountId;
  readonly role: Role;
  /** Given for roles of an agency, and only for them. */
  readonly agencyCode?: AgencyCode | undefined;
  /** Who does it; absent on the command line. */
  readonly by?: AccountId | undefined;
  readonly now: Date;
}

export type Granting =
  | { readonly kind: 'granted'; readonly grantId: string }
  | { readonly kind: 'held_already' }
  | { readonly kind: 'unknown_agency' };

export type Revoking = { readonly kind: 'revoked'; readonly grantId: string } | { readonly kind: 'not_held' };

/** The roles an account holds at this moment. */
export const rolesOf = (db: Queryable, accountId: AccountId): Promise<readonly RoleGrant[]> =>
  selectGrants(db, accountId);

/** Grants a role. The caller records `role.granted` in the same transaction. */
export async function grantRole(tx: Queryable, change: RoleChange): Promise<Granting> {
  const { agencyCode, by } = withMatchingAgency(change);
  if (agencyCode !== undefined && (await findAgency(tx, agencyCode)) === undefined) return { kind: 'unknown_agency' };
  const grantId = await insertGrant(tx, { ...change, agencyCode, by });
  return grantId === undefined ? { kind: 'held_already' } : { kind: 'granted', grantId };
}

/** Ends a role at once. The caller records `role.revoked` in the same transaction. */
export async function revokeRole(tx: Queryable, change: RoleChange): Promise<Revoking> {
  const { agencyCode, by } = withMatchingAgency(change);
  const grantId = await endGrant(tx, { ...change, agencyCode, by });
  return grantId === undefined ? { kind: 'not_held' } : { kind: 'revoked', grantId };
}

/**
 * Ends every role of people who left: a role must not come back with its holder by itself. The caller records
 * `role.revoked` for each in the same transaction.
 */
export const revokeRolesOfLeavers = (
  tx: Queryable,
  holders: readonly AccountId[],
  now: Date,
): Promise<readonly EndedGrant[]> => endAllGrants(tx, holders, now);

/**
 * Ends the roles of people who moved that are of an agency neither theirs now nor above it (A21). The caller records
 * `role.revoked` for each in the same transaction.
 */
export const revokeRolesOfMovers = (
  tx: Queryable,
  holders: readonly AccountId[],
  now: Date,
): Promise<readonly EndedGrant[]> => endGrantsElsewhere(tx, holders, now);

/** A role of an agency without one would reach nobody or, worse, everybody (SECURITY.md A21). */
function withMatchingAgency({ role, agencyCode, by }: RoleChange) {
  if (needsAgency(role) !== (agencyCode !== undefined)) throw new Error(`role ${role} does not fit its agency`);
  return { agencyCode, by };
}
