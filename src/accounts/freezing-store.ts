import type { AccountId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import type { ToldEvent } from './disavowal-store.js';

export type CaseCause = 'disavowed' | 'frozen_by_operator' | 'mfa_reset_waiting';

export interface NewCase {
  readonly accountId: AccountId;
  readonly cause: CaseCause;
  readonly events: readonly ToldEvent[];
  readonly reason: string | undefined;
  readonly now: Date;
}

/** True for the one who froze it: whatever was begun before is void by the new epoch. */
export async function freezeAccount(tx: Queryable, id: AccountId, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE accounts SET frozen_at = $2, cred_epoch = cred_epoch + 1, updated_at = $2
      WHERE id = $1 AND frozen_at IS NULL RETURNING id`,
    [id, now],
  );
  return rows.length === 1;
}

/** True for the one who lifted it. */
export async function thawAccount(tx: Queryable, id: AccountId, now: Date): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE accounts SET frozen_at = NULL, updated_at = $2 WHERE id = $1 AND frozen_at IS NOT NULL RETURNING id',
    [id, now],
  );
  return rows.length === 1;
}

/** The new case, or the one of this cause that is open already. */
export async function openCase(tx: Queryable, { accountId, cause, events, reason, now }: NewCase): Promise<string> {
  const told = JSON.stringify(events.map(({ kind, at }) => ({ kind, at })));
  const [row] = await tx.query(
    `INSERT INTO helpdesk_cases AS open (account_id, cause, events, reason, since) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id, cause) WHERE closed_at IS NULL DO UPDATE SET events = open.events || excluded.events
     RETURNING id`,
    [accountId, cause, told, reason, now],
  );
  if (row === undefined) throw new Error('a case was neither opened nor found');
  return row.id as string;
}

/** A case as an officer finds it. */
export interface Case {
  readonly id: string;
  readonly cause: CaseCause;
  readonly since: Date;
  /** When that happened which the person was told of and disowned. */
  readonly eventsAt: readonly Date[];
}

const CASE = 'id, cause, since, events';

const fromRow = (row: Row): Case => ({
  id: row.id as string,
  cause: row.cause as CaseCause,
  since: row.since as Date,
  eventsAt: (row.events as readonly { at: string }[]).map(({ at }) => new Date(at)),
});

export async function findOpenCases(db: Queryable, accountId: AccountId): Promise<Case[]> {
  const rows = await db.query(`SELECT ${CASE} FROM helpdesk_cases WHERE account_id = $1 AND closed_at IS NULL`, [
    accountId,
  ]);
  return rows.map(fromRow);
}

/** The cases that this closed. */
export async function closeCases(
  tx: Queryable,
  { accountId, reason, now }: { accountId: AccountId; reason: string; now: Date },
): Promise<Case[]> {
  const rows = await tx.query(
    `UPDATE helpdesk_cases SET closed_at = $2, closed_reason = $3 WHERE account_id = $1 AND closed_at IS NULL
     RETURNING ${CASE}`,
    [accountId, now, reason],
  );
  return rows.map(fromRow);
}

/** Closes the cases of one cause. */
export async function closeCasesOf(
  tx: Queryable,
  closed: { accountIds: readonly AccountId[]; cause: CaseCause; reason: string; now: Date },
): Promise<void> {
  await tx.query(
    `UPDATE helpdesk_cases SET closed_at = $3, closed_reason = $4
      WHERE account_id = ANY ($1::uuid[]) AND cause = $2 AND closed_at IS NULL`,
    [closed.accountIds, closed.cause, closed.now, closed.reason],
  );
}
