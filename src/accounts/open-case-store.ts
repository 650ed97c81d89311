import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { CaseCause } from './freezing-store.js';

/** What an officer still has to look at. */
export interface OpenCase {
  readonly cause: CaseCause;
  readonly since: Date;
}

/** The open cases of an account, the oldest first. */
export async function findOpenCases(db: Queryable, account: AccountId): Promise<readonly OpenCase[]> {
  const rows = await db.query(
    'SELECT cause, since FROM helpdesk_cases WHERE account_id = $1 AND closed_at IS NULL ORDER BY since',
    [account],
  );
  return rows.map((row) => ({ cause: row.cause as CaseCause, since: row.since as Date }));
}
