import type { AccountId } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';
import type { ActAction } from '../acts/act.js';
import { withinReachOf } from '../authority-store.js';
import type { OfficersReset } from './decide.js';
import type { Looking } from './search-store.js';

/** What officers did to somebody, or asked for. */
export interface ActOn {
  readonly id: string;
  readonly action: ActAction;
  /** None for who runs the server. */
  readonly officer: string | undefined;
  readonly createdAt: Date;
  readonly state: 'awaiting' | 'done' | 'rejected' | 'withdrawn' | 'void';
}

/** How an act stands: one that has waited too long is of no use, whether or not somebody has put it away. */
export const stateAt = (now: string): string => `CASE
    WHEN o.state = 'awaiting' AND o.expires_at <= ${now} THEN 'void'
    WHEN o.state = 'rejected' AND o.decided_by IS NULL THEN 'withdrawn'
    ELSE o.state END`;

const ACTS_ON = `
  SELECT o.id, o.action, o.created_at, officer.name AS officer, ${stateAt('$2')} AS state
    FROM officer_acts o
    JOIN accounts a ON a.id = o.account_id
    JOIN agencies g ON g.code = a.agency_code
    LEFT JOIN accounts officer ON officer.id = o.officer_id
   WHERE a.id = $3 AND ${withinReachOf({ officer: '$1', now: '$2' }, 'look')}
   ORDER BY o.created_at DESC, o.id LIMIT $4`;

const actFrom = (row: Row): ActOn => ({
  id: row.id as string,
  action: row.action as ActAction,
  officer: (row.officer as string | null) ?? undefined,
  createdAt: row.created_at as Date,
  state: row.state as ActOn['state'],
});

/** The latest first; none of somebody who is out of the officer's reach at this moment. */
export async function selectActsOn(
  db: Queryable,
  { officer, now }: Looking,
  { accountId, limit }: { accountId: AccountId; limit: number },
): Promise<readonly ActOn[]> {
  return (await db.query(ACTS_ON, [officer, now, accountId, limit])).map(actFrom);
}

/** The last reset of somebody's second factors that was carried out, for who has seen them already. */
export async function selectLastReset(db: Queryable, accountId: AccountId): Promise<OfficersReset | undefined> {
  const [row] = await db.query(
    `SELECT coalesce(o.decided_at, o.created_at) AS at, officer.name AS officer, o.verification
       FROM officer_acts o LEFT JOIN accounts officer ON officer.id = o.officer_id
      WHERE o.account_id = $1 AND o.action = 'mfa_reset' AND o.state = 'done'
      ORDER BY at DESC LIMIT 1`,
    [accountId],
  );
  return (
    row && {
      at: row.at as Date,
      officer: (row.officer as string | null) ?? undefined,
      verification: row.verification as OfficersReset['verification'],
    }
  );
}
