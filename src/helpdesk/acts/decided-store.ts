import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { withinReachOf } from '../authority-store.js';
import type { ActAction } from './act.js';

/** What became of an act that waited for a second officer. */
export interface DecidedAct {
  readonly id: string;
  readonly action: ActAction;
  readonly account: { readonly id: AccountId; readonly name: string };
  readonly state: 'done' | 'rejected' | 'withdrawn' | 'void';
  /** The second officer, where there was one. */
  readonly decidedBy: string | undefined;
  readonly decidedAt: Date;
}

const DECIDED = `
  SELECT o.id, o.action, a.id AS account_id, a.name, second.name AS decided_by,
         coalesce(o.decided_at, o.expires_at) AS decided_at,
         CASE WHEN o.state = 'awaiting' THEN 'void'
              WHEN o.state = 'rejected' AND o.decided_by IS NULL THEN 'withdrawn'
              ELSE o.state END AS state
    FROM officer_acts o
    JOIN accounts a ON a.id = o.account_id
    JOIN agencies g ON g.code = a.agency_code
    LEFT JOIN accounts second ON second.id = o.decided_by
   WHERE o.id = $3 AND (o.decided_at IS NOT NULL OR o.state = 'awaiting' AND o.expires_at <= $2)
     AND ${withinReachOf({ officer: '$1', now: '$2' }, 'look')}`;

/** Undefined while it waits, for an act that nobody had to agree to, and out of the officer's reach at this moment. */
export async function selectDecided(
  db: Queryable,
  { officer, now, id }: { officer: AccountId; now: Date; id: string },
): Promise<DecidedAct | undefined> {
  const [row] = await db.query(DECIDED, [officer, now, id]);
  if (row === undefined) return undefined;
  return {
    id: row.id as string,
    action: row.action as ActAction,
    account: { id: accountId(row.account_id as string), name: row.name as string },
    state: row.state as DecidedAct['state'],
    decidedBy: (row.decided_by as string | null) ?? undefined,
    decidedAt: row.decided_at as Date,
  };
}
