import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';

/** A reset of second factors by an officer, as its owner is told of it. */
export interface OfficerReset {
  readonly at: Date;
  /** Nobody: whoever operates the server. */
  readonly officer: { readonly name: string; readonly agency: string } | undefined;
}

/** The last one since then (docs/adr/0019). */
export async function selectOfficerReset(
  db: Queryable,
  account: AccountId,
  since: Date,
): Promise<OfficerReset | undefined> {
  const [row] = await db.query(
    `SELECT coalesce(o.decided_at, o.created_at) AS at, officer.name, g.name AS agency
       FROM officer_acts o
       LEFT JOIN accounts officer ON officer.id = o.officer_id
       LEFT JOIN agencies g ON g.code = officer.agency_code
      WHERE o.account_id = $1 AND o.action = 'mfa_reset' AND o.state = 'done' AND o.created_at > $2
      ORDER BY o.created_at DESC LIMIT 1`,
    [account, since],
  );
  if (row === undefined) return undefined;
  const name = row.name as string | null;
  return { at: row.at as Date, officer: name === null ? undefined : { name, agency: row.agency as string } };
}
