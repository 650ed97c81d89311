import { getById, isUsable, type Account } from '../accounts/accounts.js';
import { rolesOf } from '../accounts/roles.js';
import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { authorityOver, type HeldRole, type Refused } from './authority.js';
import { lockAccount, selectLineage } from './authority-store.js';

export type RefusalCause = Refused | 'unknown';

export type Judgement =
  | { readonly kind: 'allowed'; readonly target: Account; readonly officer: Account; readonly through: HeldRole }
  | { readonly kind: 'refused'; readonly cause: RefusalCause; readonly target: Account | undefined };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An id as a caller names it, which PostgreSQL would answer with an error when it is no UUID. */
export const accountIdOf = (named: string): AccountId | undefined => (UUID.test(named) ? accountId(named) : undefined);

/**
 * Holds an account and answers whether this officer may act on it at this moment. What the account is stays true until
 * the transaction ends; the officer's own rights may end meanwhile, so the statement that acts asks for them again
 * (`underAuthorityOf`).
 */
export async function judgeOfficer(
  tx: Queryable,
  { officerId, named }: { officerId: AccountId; named: string },
): Promise<Judgement> {
  const id = accountIdOf(named);
  if (id === undefined || !(await lockAccount(tx, id))) return { kind: 'refused', cause: 'unknown', target: undefined };
  const target = await getById(tx, id);
  const officer = await getById(tx, officerId);
  const authority = authorityOver(
    { id: officer.id, roles: isUsable(officer) ? await rolesOf(tx, officer.id) : [] },
    {
      id: target.id,
      lineage: await selectLineage(tx, target.agency.code),
      privileged: (await rolesOf(tx, target.id)).length > 0,
    },
  );
  if (authority.kind === 'refused') return { ...authority, target };
  return { kind: 'allowed', target, officer, through: authority.through };
}
