import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { actingFor, toldOfficer, type NamedOfficer } from './acting-officer.js';

/** A reset of second factors by an officer, as its owner is told of it. */
export interface OfficerReset {
  readonly at: Date;
  /** Nobody: a national officer, or whoever operates the server. */
  readonly officer: NamedOfficer | undefined;
}

/** The last one since then (docs/adr/0019). */
export async function selectOfficerReset(
  db: Queryable,
  account: AccountId,
  since: Date,
): Promise<OfficerReset | undefined> {
  const [row] = await db.query(
    `SELECT coalesce(o.decided_at, o.created_at) AS at, officer.name, unit.name AS unit,
            acting.is_national, acting.agency AS acting_agency
       FROM officer_acts o
       LEFT JOIN accounts officer ON officer.id = o.officer_id
       LEFT JOIN agencies unit ON unit.code = officer.agency_code
       ${actingFor({ officer: 'o.officer_id', agency: 'o.agency_code', at: 'coalesce(o.decided_at, o.created_at)' })}
      WHERE o.account_id = $1 AND o.action = 'mfa_reset' AND o.state = 'done' AND o.created_at > $2
      ORDER BY o.created_at DESC LIMIT 1`,
    [account, since],
  );
  if (row === undefined) return undefined;
  const officer = row.name === null ? 'national' : toldOfficer(row);
  return { at: row.at as Date, officer: officer === 'national' ? undefined : officer };
}
