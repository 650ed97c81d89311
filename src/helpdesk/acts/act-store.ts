import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';
import { mayBeSecondOf, NEEDS_SECOND, underAuthorityOf } from '../authority-store.js';
import type { ActAction } from './act.js';

/** How the right to do it and the person's identity were established. */
export type VerificationMethod = 'photo_id' | 'presence' | 'operator';

export interface NewAct {
  readonly id: string;
  readonly action: ActAction;
  readonly accountId: AccountId;
  readonly officerId: AccountId;
  readonly clientId: string;
  readonly reason: string;
  readonly ticket: string | undefined;
  readonly verification: VerificationMethod | undefined;
  /** Sealed. */
  readonly particulars: string | undefined;
  /** A second officer must agree, whatever the account and its agency are. */
  readonly needsSecond: boolean;
  readonly now: Date;
  readonly expiresAt: Date;
}

/** An officer is removed by one: it takes power away, and only from somebody below. */
const needsSecondFor = (action: ActAction): string => (action === 'role_revoke' ? 'FALSE' : NEEDS_SECOND);

const insertAct = (action: ActAction): string => `
  WITH target AS (
    SELECT a.id, a.agency_code, ($9::boolean OR ${needsSecondFor(action)}) AS waits
      FROM accounts a JOIN agencies g ON g.code = a.agency_code
     WHERE a.id = $2 AND ${underAuthorityOf({ officer: '$3', now: '$10' }, action)}
  )
  INSERT INTO officer_acts (id, action, account_id, agency_code, officer_id, client_id, reason, ticket, verification,
                            particulars, created_at, state, expires_at)
  SELECT $1, '${action}', id, agency_code, $3, $4, $5, $6, $7, $8, $10,
         CASE WHEN waits THEN 'awaiting' ELSE 'done' END, CASE WHEN waits THEN $11::timestamptz END
    FROM target
  RETURNING state`;

/** Whether the row of such an act would wait whatever it does: the same question as the act's own statement asks. */
export async function demandsSecond(
  db: Queryable,
  { officer, accountId: id, action, now }: { officer: AccountId; accountId: AccountId; action: ActAction; now: Date },
): Promise<boolean> {
  const [row] = await db.query(
    `SELECT ${needsSecondFor(action)} AS waits
       FROM accounts a JOIN agencies g ON g.code = a.agency_code
      WHERE a.id = $2 AND ${underAuthorityOf({ officer: '$1', now: '$3' }, action)}`,
    [officer, id, now],
  );
  return row?.waits === true;
}

/**
 * Writes an act where, at this very moment, the officer has the authority for it; undefined, and nothing is written,
 * where they have not. The caller holds the account, and has made sure that no such act waits.
 */
export async function writeAct(tx: Queryable, act: NewAct): Promise<'awaiting' | 'done' | undefined> {
  const [row] = await tx.query(insertAct(act.action), [
    act.id,
    act.accountId,
    act.officerId,
    act.clientId,
    act.reason,
    act.ticket,
    act.verification,
    act.particulars,
    act.needsSecond,
    act.now,
    act.expiresAt,
  ]);
  return row?.state as 'awaiting' | 'done' | undefined;
}

/** An act of whoever operates the server, which asks nobody. */
export async function writeOperatorsAct(
  tx: Queryable,
  act: Pick<NewAct, 'id' | 'action' | 'accountId' | 'reason' | 'now'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO officer_acts (id, action, account_id, agency_code, reason, verification, state, created_at)
     SELECT $1, $2, id, agency_code, $4, 'operator', 'done', $5 FROM accounts WHERE id = $3`,
    [act.id, act.action, act.accountId, act.reason, act.now],
  );
}

/** An act as it was written. */
export interface StoredAct {
  readonly id: string;
  readonly action: ActAction;
  readonly accountId: AccountId;
  readonly officerId: AccountId;
  readonly reason: string;
  readonly ticket: string | undefined;
  readonly verification: VerificationMethod | undefined;
  readonly particulars: string | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

const ACT = `o.id, o.action, o.account_id, o.officer_id, o.reason, o.ticket, o.verification, o.particulars, o.created_at,
  o.expires_at`;

const fromRow = (row: Row): StoredAct => ({
  id: row.id as string,
  action: row.action as ActAction,
  accountId: accountId(row.account_id as string),
  officerId: accountId(row.officer_id as string),
  reason: row.reason as string,
  ticket: (row.ticket as string | null) ?? undefined,
  verification: (row.verification as VerificationMethod | null) ?? undefined,
  particulars: (row.particulars as string | null) ?? undefined,
  createdAt: row.created_at as Date,
  expiresAt: (row.expires_at as Date | null) ?? undefined,
});

/** The act of this kind that waits for the account. One that has waited too long is put away, and is none. */
export async function findWaitingAct(
  tx: Queryable,
  { accountId: id, action, now }: { accountId: AccountId; action: ActAction; now: Date },
): Promise<string | undefined> {
  await tx.query(
    `UPDATE officer_acts SET state = 'void', expires_at = NULL, decided_at = $3
      WHERE account_id = $1 AND action = $2 AND state = 'awaiting' AND expires_at <= $3`,
    [id, action, now],
  );
  const [row] = await tx.query(
    `SELECT id FROM officer_acts WHERE account_id = $1 AND action = $2 AND state = 'awaiting'`,
    [id, action],
  );
  return row?.id as string | undefined;
}

/** One that waits, whoever asks. */
export async function selectWaitingAct(db: Queryable, id: string, now: Date): Promise<StoredAct | undefined> {
  const [row] = await db.query(
    `SELECT ${ACT} FROM officer_acts o WHERE o.id = $1 AND o.state = 'awaiting' AND o.expires_at > $2`,
    [id, now],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Whether somebody may agree to what another asked for, as persons. */
export async function isFitSecond(
  tx: Queryable,
  { officerId, firstId, now }: { officerId: AccountId; firstId: AccountId; now: Date },
): Promise<boolean> {
  const [row] = await tx.query(`SELECT ${mayBeSecondOf({ officer: '$1', now: '$3' }, '$2')} AS fit`, [
    officerId,
    firstId,
    now,
  ]);
  return row?.fit === true;
}

/** Whether officers have done, or asked for, one of these to the account since then. */
export async function wasActedOn(
  tx: Queryable,
  { accountId: id, actions, since }: { accountId: AccountId; actions: readonly ActAction[]; since: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `SELECT FROM officer_acts WHERE account_id = $1 AND action = ANY ($2::text[]) AND created_at > $3
        AND state IN ('done', 'awaiting') LIMIT 1`,
    [id, actions, since],
  );
  return rows.length > 0;
}

const approve = (action: ActAction): string => `
  UPDATE officer_acts o SET state = 'done', decided_by = $2, decided_at = $3, expires_at = NULL
    FROM accounts a JOIN agencies g ON g.code = a.agency_code
   WHERE o.id = $1 AND o.action = '${action}' AND o.state = 'awaiting' AND o.expires_at > $3
     AND a.id = o.account_id AND o.officer_id <> $2
     AND ${underAuthorityOf({ officer: '$2', now: '$3' }, action)}
     AND ${underAuthorityOf({ officer: 'o.officer_id', now: '$3' }, action)}
     AND ${mayBeSecondOf({ officer: '$2', now: '$3' }, 'o.officer_id')}
  RETURNING o.id`;

/** True once, for the second officer who agrees while both have the authority at this very moment. */
export async function approveAct(
  tx: Queryable,
  decision: { id: string; action: ActAction; officerId: AccountId; now: Date },
): Promise<boolean> {
  return (await tx.query(approve(decision.action), [decision.id, decision.officerId, decision.now])).length === 1;
}

/** True once. `by` none: it is of no use any more. */
export async function endAct(
  tx: Queryable,
  ended: { id: string; as: 'rejected' | 'void'; by: AccountId | undefined; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE officer_acts SET state = $2, decided_by = $3, decided_at = $4, expires_at = NULL
      WHERE id = $1 AND state = 'awaiting' RETURNING id`,
    [ended.id, ended.as, ended.by, ended.now],
  );
  return rows.length === 1;
}
