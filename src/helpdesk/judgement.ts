import { getById, type Account } from '../accounts/accounts.js';
import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { authorityOver, type DeskAction, type HeldRole, type Refused } from './authority.js';
import { lockAccount, selectLineage, selectRolesOfSubject, selectUsableRoles } from './authority-store.js';

export type RefusalCause = Refused | 'unknown';

/** An officer at this moment, with the roles that can be used. */
export interface ActiveOfficer {
  readonly account: Account;
  readonly roles: readonly HeldRole[];
}

export type Judgement =
  | {
      readonly kind: 'allowed';
      readonly target: Account;
      readonly officer: ActiveOfficer;
      readonly through: HeldRole;
    }
  | { readonly kind: 'refused'; readonly cause: RefusalCause; readonly target: Account | undefined };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An id as a caller names it, which PostgreSQL would answer with an error when it is no UUID. */
export const idOf = (named: string): string | undefined => (UUID.test(named) ? named.toLowerCase() : undefined);

export function accountIdOf(named: string): AccountId | undefined {
  const id = idOf(named);
  return id === undefined ? undefined : accountId(id);
}

/**
 * Holds an account and answers whether this officer may do this to it at this moment. What the account is stays true
 * until the transaction ends; the officer's own rights may end meanwhile, so the statement that acts asks for them again
 * (`underAuthorityOf`).
 */
export async function judgeOfficer(
  tx: Queryable,
  {
    officerId,
    named,
    action,
    now,
    first,
  }: {
    officerId: AccountId;
    named: string;
    action: DeskAction;
    now: Date;
    /** Who asked, where this one is to agree: held as well. */
    first?: AccountId;
  },
): Promise<Judgement> {
  const id = accountIdOf(named);
  const officers = first === undefined ? [officerId] : [officerId, first];
  if (id === undefined || !(await lockAccount(tx, id, officers)))
    return { kind: 'refused', cause: 'unknown', target: undefined };
  const target = await getById(tx, id);
  const account = await getById(tx, officerId);
  const roles = await selectUsableRoles(tx, account.id, now);
  const lineage = await selectLineage(tx, target.agency.code);
  const subject = { id: target.id, lineage, roles: await selectRolesOfSubject(tx, target.id) };
  const authority = authorityOver({ id: account.id, roles }, subject, action);
  if (authority.kind === 'refused') return { ...authority, target };
  return { kind: 'allowed', target, officer: { account, roles }, through: authority.through };
}
