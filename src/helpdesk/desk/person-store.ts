import { accountId, agencyCode, type AccountId } from '../../kernel/ids.js';
import type { Employment } from '../../accounts/account.js';
import type { Nip } from '../../accounts/nip.js';
import type { Queryable } from '../../storage/database.js';
import { withinReachOf } from '../authority-store.js';
import type { NamedAgency, PersonStatus } from './desk.js';
import type { Looking } from './search-store.js';
import { statusOf } from './status.js';

/** What one statement tells of a person within an officer's reach. */
export interface SeenPerson {
  readonly id: AccountId;
  readonly nip: Nip;
  readonly accountName: string | undefined;
  readonly name: string;
  readonly email: string | undefined;
  readonly emailProved: boolean;
  readonly agency: NamedAgency;
  readonly employment: Employment;
  readonly status: PersonStatus;
  readonly activatedAt: Date | undefined;
  readonly lastLoginAt: Date | undefined;
  readonly hasPassword: boolean;
  readonly passwordDisabled: boolean;
}

const SEEN = `
  SELECT a.id, a.nip, a.account_name, a.name, a.email, a.email_unproved, a.employment, a.status, a.disabled_at, a.frozen_at,
         a.activated_at, a.last_login_at, a.agency_code, g.name AS agency_name,
         c.password_hash IS NOT NULL AS has_password, c.disabled_at IS NOT NULL AS password_disabled
    FROM accounts a
    JOIN agencies g ON g.code = a.agency_code
    LEFT JOIN credentials c ON c.account_id = a.id
   WHERE a.id = $3 AND ${withinReachOf({ officer: '$1', now: '$2' }, 'look')}`;

/** Undefined when there is no such account, or when it is out of the officer's reach at this moment (R-10, A21). */
export async function selectSeen(
  db: Queryable,
  { officer, now }: Looking,
  id: AccountId,
): Promise<SeenPerson | undefined> {
  const [row] = await db.query(SEEN, [officer, now, id]);
  if (row === undefined) return undefined;
  return {
    id: accountId(row.id as string),
    nip: row.nip as Nip,
    accountName: (row.account_name as string | null) ?? undefined,
    name: row.name as string,
    email: (row.email as string | null) ?? undefined,
    emailProved: row.activated_at !== null && row.email_unproved === false,
    agency: { code: agencyCode(row.agency_code as string), name: row.agency_name as string },
    employment: row.employment as Employment,
    status: statusOf(row),
    activatedAt: (row.activated_at as Date | null) ?? undefined,
    lastLoginAt: (row.last_login_at as Date | null) ?? undefined,
    hasPassword: row.has_password as boolean,
    passwordDisabled: row.password_disabled as boolean,
  };
}

/** Whether anybody has this id: for the audit row of a refusal, never for an answer. */
export const exists = async (db: Queryable, id: AccountId): Promise<boolean> =>
  (await db.query('SELECT FROM accounts WHERE id = $1', [id])).length === 1;
