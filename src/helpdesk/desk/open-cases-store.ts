import type { OpenCase } from '../../accounts/open-cases.js';
import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { withinReachOf } from '../authority-store.js';
import type { Looking } from './search-store.js';

/** Somebody whom an officer still has to look at. */
export interface PersonsCase extends OpenCase {
  readonly account: { readonly id: AccountId; readonly name: string };
}

const CASES = `
  SELECT c.cause, c.since, a.id, a.name
    FROM helpdesk_cases c
    JOIN accounts a ON a.id = c.account_id
    JOIN agencies g ON g.code = a.agency_code
   WHERE c.closed_at IS NULL AND a.id <> $1 AND ${withinReachOf({ officer: '$1', now: '$2' }, 'look')}
   ORDER BY c.since, c.id LIMIT $3`;

/** What waits for an officer within reach at this moment, the oldest first; nothing of their own. */
export async function selectOpenCases(
  db: Queryable,
  { officer, now }: Looking,
  limit: number,
): Promise<readonly PersonsCase[]> {
  const rows = await db.query(CASES, [officer, now, limit]);
  return rows.map((row) => ({
    cause: row.cause as PersonsCase['cause'],
    since: row.since as Date,
    account: { id: accountId(row.id as string), name: row.name as string },
  }));
}
