import type { AccountId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import { underAuthorityOf } from './authority-store.js';

/** How the right to do it and the person's identity were established. */
type Verification = 'photo_id' | 'operator';

export interface NewReset {
  readonly accountId: AccountId;
  readonly reason: string;
  readonly now: Date;
}

export interface OfficersReset extends NewReset {
  readonly officerId: AccountId;
  readonly clientId: string;
  readonly ticket: string;
  readonly method: Verification;
}

/** Voids what was begun with the old factors (`cred_epoch`) and notes the reset, where `predicate` holds. */
const reset = (predicate: string): string => `
  WITH changed AS (
    UPDATE accounts a SET cred_epoch = a.cred_epoch + 1, updated_at = $7
      FROM agencies g
     WHERE a.id = $1 AND g.code = a.agency_code AND ${predicate}
    RETURNING a.id, a.agency_code
  )
  INSERT INTO mfa_resets (account_id, actor_id, client_id, reason, ticket, verification_method, agency_code, created_at)
  SELECT id, $2::uuid, $3::text, $4::text, $5::text, $6::text, agency_code, $7 FROM changed
  RETURNING id`;

const BY_OFFICER = reset(underAuthorityOf('$2'));
const BY_OPERATOR = reset('TRUE');

/** The reset's id; undefined when at this very moment the officer has no authority over the account. */
export async function insertOfficersReset(tx: Queryable, it: OfficersReset): Promise<string | undefined> {
  const values = [it.accountId, it.officerId, it.clientId, it.reason, it.ticket, it.method, it.now];
  const [row] = await tx.query(BY_OFFICER, values);
  return row === undefined ? undefined : (row.id as string);
}

/** The reset's id; undefined when there is no such account. */
export async function insertOperatorsReset(tx: Queryable, it: NewReset): Promise<string | undefined> {
  const [row] = await tx.query(BY_OPERATOR, [it.accountId, null, null, it.reason, null, 'operator', it.now]);
  return row === undefined ? undefined : (row.id as string);
}
