import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';

/**
 * How far a new address is. `asked` by the person: a code is on its way. `waiting`: an operator entered it, and the old
 * address may stop it. `invited`: the wait is over, the new address was mailed its link.
 */
export type LiveState = 'asked' | 'waiting' | 'invited';

export interface ContactChange {
  readonly id: string;
  readonly accountId: AccountId;
  readonly state: LiveState;
  /** Sealed. */
  readonly address: string;
  readonly opensAt: Date;
  readonly expiresAt: Date;
  readonly mail: { readonly sourceKey: Buffer; readonly at: Date } | undefined;
}

const COLUMNS = 'id, account_id, state, address, opens_at, expires_at, source_key, mailed_at';
const LIVE = 'ended_at IS NULL';

function fromRow(row: Row): ContactChange {
  const at = row.mailed_at as Date | null;
  return {
    id: row.id as string,
    accountId: accountId(row.account_id as string),
    state: row.state as LiveState,
    address: row.address as string,
    opensAt: row.opens_at as Date,
    expiresAt: row.expires_at as Date,
    mail: at === null ? undefined : { sourceKey: row.source_key as Buffer, at },
  };
}

const first = (rows: readonly Row[]): ContactChange | undefined => rows[0] && fromRow(rows[0]);

export interface NewChange {
  readonly id: string;
  readonly accountId: AccountId;
  readonly state: 'asked' | 'waiting';
  readonly address: string;
  readonly reason: string | undefined;
  readonly now: Date;
  readonly opensAt: Date;
  readonly expiresAt: Date;
}

/** The caller holds the account: one change lives at a time. */
export async function insertChange(tx: Queryable, change: NewChange): Promise<void> {
  await tx.query(
    `INSERT INTO contact_changes (id, account_id, state, address, reason, requested_at, opens_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      change.id,
      change.accountId,
      change.state,
      change.address,
      change.reason,
      change.now,
      change.opensAt,
      change.expiresAt,
    ],
  );
}

export async function findOfAccount(db: Queryable, account: AccountId, now: Date): Promise<ContactChange | undefined> {
  return first(
    await db.query(`SELECT ${COLUMNS} FROM contact_changes WHERE account_id = $1 AND ${LIVE} AND expires_at > $2`, [
      account,
      now,
    ]),
  );
}

export async function findByToken(db: Queryable, token: Buffer, now: Date): Promise<ContactChange | undefined> {
  return first(
    await db.query(
      `SELECT ${COLUMNS} FROM contact_changes
        WHERE token = $1 AND state = 'invited' AND expires_at > $2`,
      [token, now],
    ),
  );
}

/** True when the change that this link belongs to was completed. */
export async function isDone(db: Queryable, token: Buffer): Promise<boolean> {
  const rows = await db.query(`SELECT id FROM contact_changes WHERE token = $1 AND state = 'done'`, [token]);
  return rows.length === 1;
}

/** From `waiting` to `invited`, once, when the wait is over. */
export async function invite(
  tx: Queryable,
  { id, token, now }: { id: string; token: Buffer; now: Date },
): Promise<ContactChange | undefined> {
  return first(
    await tx.query(
      `UPDATE contact_changes SET state = 'invited', token = $2
        WHERE id = $1 AND state = 'waiting' AND opens_at <= $3 AND expires_at > $3
       RETURNING ${COLUMNS}`,
      [id, token, now],
    ),
  );
}

export async function recordMail(tx: Queryable, id: string, mail: { sourceKey: Buffer; at: Date }): Promise<void> {
  await tx.query('UPDATE contact_changes SET source_key = $2, mailed_at = $3 WHERE id = $1', [
    id,
    mail.sourceKey,
    mail.at,
  ]);
}

/** To `done`, once: from where its code is asked for. */
export async function finish(tx: Queryable, id: string, now: Date): Promise<ContactChange | undefined> {
  return first(
    await tx.query(
      `UPDATE contact_changes SET state = 'done', ended_at = $2
        WHERE id = $1 AND state IN ('asked', 'invited') AND expires_at > $2
       RETURNING ${COLUMNS}`,
      [id, now],
    ),
  );
}

/** Ends one that lives, once: stopped by somebody, or failed by wrong codes. */
export async function end(
  tx: Queryable,
  change: { id: string; as: 'stopped' | 'failed'; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE contact_changes SET state = $2, ended_at = $3 WHERE id = $1 AND ${LIVE} RETURNING id`,
    [change.id, change.as, change.now],
  );
  return rows.length === 1;
}

/** Stops whatever lives of the account; answers its id. Also one that is too old, which would stand in the way. */
export async function stopOfAccount(tx: Queryable, account: AccountId, now: Date): Promise<string | undefined> {
  const [row] = await tx.query(
    `UPDATE contact_changes SET state = 'stopped', ended_at = $2 WHERE account_id = $1 AND ${LIVE} RETURNING id`,
    [account, now],
  );
  return row?.id as string | undefined;
}
