import type { AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import { usableRoles } from '../authority-store.js';

/**
 * Whether somebody is an operator at this moment (R-10, A47). In a transaction that changes something, what it depends
 * on stays true until the transaction ends.
 */
export async function isOperator(
  db: Queryable,
  { officer, now, holding }: { officer: AccountId; now: Date; holding: boolean },
): Promise<boolean> {
  const rows = await db.query(
    `${usableRoles({ officer: '$1', now: '$2' }, ['operator'])} AND held.agency_code IS NULL
     ${holding ? 'FOR SHARE OF held, holder' : ''}`,
    [officer, now],
  );
  return rows.length > 0;
}
