import { accountId, agencyCode, type AccountId, type AgencyCode } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';
import { mayBeSecondOf, underAuthorityOf, withinReachOf } from '../authority-store.js';
import { ACT_ACTIONS, type ActAction } from './act.js';

/** An act that waits for a second officer, as another one finds it. */
export interface WaitingAct {
  readonly id: string;
  readonly action: ActAction;
  readonly account: { readonly id: AccountId; readonly name: string; readonly nipEnding: string };
  readonly agency: { readonly code: AgencyCode; readonly name: string };
  readonly officer: { readonly id: AccountId; readonly name: string; readonly unit: string };
  readonly reason: string;
  readonly ticket: string | undefined;
  readonly verification: 'photo_id' | 'presence' | undefined;
  /** Sealed. */
  readonly particulars: string | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** False for who asked, and for who has no authority over the account: they may only look. */
  readonly mayDecide: boolean;
}

const ACTING = { officer: '$1', now: '$2' };

/** Whether the officer may agree, for each kind of act by the roles that it is open to. */
const MAY_DECIDE = `o.officer_id <> $1 AND ${mayBeSecondOf(ACTING, 'o.officer_id')} AND CASE o.action ${ACT_ACTIONS.map(
  (action) => `WHEN '${action}' THEN ${underAuthorityOf(ACTING, action)}`,
).join(' ')} END`;

const WAITING = `
  SELECT o.id, o.action, o.reason, o.ticket, o.verification, o.particulars, o.created_at, o.expires_at,
         a.id AS account_id, a.name AS account_name, right(a.nip, 3) AS nip_ending, g.code AS agency_code, g.name AS agency_name,
         officer.id AS officer_id, officer.name AS officer_name, unit.name AS officer_unit, ${MAY_DECIDE} AS may_decide
    FROM officer_acts o
    JOIN accounts a ON a.id = o.account_id
    JOIN agencies g ON g.code = a.agency_code
    JOIN accounts officer ON officer.id = o.officer_id
    JOIN agencies unit ON unit.code = officer.agency_code
   WHERE o.state = 'awaiting' AND o.expires_at > $2 AND ${withinReachOf(ACTING, 'look')}`;

const fromRow = (row: Row): WaitingAct => ({
  id: row.id as string,
  action: row.action as ActAction,
  account: {
    id: accountId(row.account_id as string),
    name: row.account_name as string,
    nipEnding: row.nip_ending as string,
  },
  agency: { code: agencyCode(row.agency_code as string), name: row.agency_name as string },
  officer: {
    id: accountId(row.officer_id as string),
    name: row.officer_name as string,
    unit: row.officer_unit as string,
  },
  reason: row.reason as string,
  ticket: (row.ticket as string | null) ?? undefined,
  verification: (row.verification as 'photo_id' | 'presence' | null) ?? undefined,
  particulars: (row.particulars as string | null) ?? undefined,
  createdAt: row.created_at as Date,
  expiresAt: row.expires_at as Date,
  mayDecide: row.may_decide === true,
});

/** What waits within an officer's scope at this moment, the oldest first. */
export async function selectWaiting(
  db: Queryable,
  { officer, now, limit }: { officer: AccountId; now: Date; limit: number },
): Promise<readonly WaitingAct[]> {
  return (await db.query(`${WAITING} ORDER BY o.created_at, o.id LIMIT $3`, [officer, now, limit])).map(fromRow);
}

/** How many of those are this officer's to decide. */
export async function countToDecide(
  db: Queryable,
  { officer, now }: { officer: AccountId; now: Date },
): Promise<number> {
  const [row] = await db.query(`SELECT count(*)::int AS count FROM (${WAITING}) waiting WHERE may_decide`, [
    officer,
    now,
  ]);
  return row?.count as number;
}

/** One of those; undefined when it is none, decided, too old or out of scope. */
export async function selectOneWaiting(
  db: Queryable,
  { officer, now, id }: { officer: AccountId; now: Date; id: string },
): Promise<WaitingAct | undefined> {
  const [row] = await db.query(`${WAITING} AND o.id = $3`, [officer, now, id]);
  return row === undefined ? undefined : fromRow(row);
}
