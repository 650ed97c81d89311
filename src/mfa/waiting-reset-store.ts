import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';

export type StoppedBy = 'link' | 'person' | 'login';

/** A reset that waits, with what it was begun with. */
export interface WaitingRow {
  readonly id: string;
  readonly accountId: AccountId;
  readonly dueAt: Date;
  readonly credEpoch: number;
  readonly emailKey: Buffer;
}

export interface LinkedRow extends WaitingRow {
  readonly state: 'waiting' | 'done' | 'stopped' | 'void';
  readonly lapsesAt: Date;
}

const COLUMNS = 'id, account_id, state, due_at, lapses_at, cred_epoch, email_key';

const fromRow = (row: Row): LinkedRow => ({
  id: row.id as string,
  accountId: accountId(row.account_id as string),
  state: row.state as LinkedRow['state'],
  dueAt: row.due_at as Date,
  lapsesAt: row.lapses_at as Date,
  credEpoch: row.cred_epoch as number,
  emailKey: row.email_key as Buffer,
});

/** Ends what can never take effect any more: another password or address since, or nobody came back. True if so. */
export async function voidStale(
  tx: Queryable,
  now: { accountId: AccountId; credEpoch: number; emailKey: Buffer; at: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE waiting_resets SET state = 'void', ended_at = $4
      WHERE account_id = $1 AND state = 'waiting' AND (cred_epoch <> $2 OR email_key <> $3 OR lapses_at <= $4)
      RETURNING id`,
    [now.accountId, now.credEpoch, now.emailKey, now.at],
  );
  return rows.length > 0;
}

/** Whatever waits for an account ends without effect. True if something did. */
export async function voidOf(tx: Queryable, account: AccountId, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE waiting_resets SET state = 'void', ended_at = $2 WHERE account_id = $1 AND state = 'waiting' RETURNING id`,
    [account, at],
  );
  return rows.length > 0;
}

/** Ends, of all accounts, what nobody came back for or what was begun with other credentials. Answers whose it was. */
export async function voidForgotten(tx: Queryable, at: Date): Promise<AccountId[]> {
  const rows = await tx.query(
    `UPDATE waiting_resets w SET state = 'void', ended_at = $1
       FROM accounts a
      WHERE a.id = w.account_id AND w.state = 'waiting' AND (w.lapses_at <= $1 OR w.cred_epoch <> a.cred_epoch)
      RETURNING w.account_id`,
    [at],
  );
  return rows.map((row) => accountId(row.account_id as string));
}

export interface NewWaiting {
  readonly accountId: AccountId;
  readonly credEpoch: number;
  readonly emailKey: Buffer;
  readonly stopToken: Buffer;
  readonly now: Date;
  readonly dueAt: Date;
  readonly lapsesAt: Date;
}

/** The id; undefined when one waits already: a second request restarts nothing. */
export async function insertWaiting(tx: Queryable, it: NewWaiting): Promise<string | undefined> {
  const [row] = await tx.query(
    `INSERT INTO waiting_resets (account_id, state, cred_epoch, email_key, stop_token, began_at, due_at, lapses_at)
     VALUES ($1, 'waiting', $2, $3, $4, $5, $6, $7)
     ON CONFLICT (account_id) WHERE state = 'waiting' DO NOTHING
     RETURNING id`,
    [it.accountId, it.credEpoch, it.emailKey, it.stopToken, it.now, it.dueAt, it.lapsesAt],
  );
  return row === undefined ? undefined : (row.id as string);
}

export async function findWaiting(db: Queryable, account: AccountId, now: Date): Promise<WaitingRow | undefined> {
  const [row] = await db.query(
    `SELECT ${COLUMNS} FROM waiting_resets WHERE account_id = $1 AND state = 'waiting' AND lapses_at > $2`,
    [account, now],
  );
  return row === undefined ? undefined : fromRow(row);
}

export async function findByToken(db: Queryable, stopToken: Buffer): Promise<LinkedRow | undefined> {
  const [row] = await db.query(`SELECT ${COLUMNS} FROM waiting_resets WHERE stop_token = $1`, [stopToken]);
  return row === undefined ? undefined : fromRow(row);
}

/**
 * It takes effect: once, and only as it was begun, of an account that may be used. The caller holds the account, so
 * that its part of the condition stays true; who stops it at this moment is either first or too late.
 */
export async function finishWaiting(
  tx: Queryable,
  it: { accountId: AccountId; credEpoch: number; emailKey: Buffer; now: Date },
): Promise<string | undefined> {
  const [row] = await tx.query(
    `UPDATE waiting_resets w SET state = 'done', ended_at = $4
       FROM accounts a
      WHERE w.account_id = $1 AND w.state = 'waiting' AND w.due_at <= $4 AND w.lapses_at > $4
        AND w.cred_epoch = $2 AND w.email_key = $3
        AND a.id = w.account_id AND a.cred_epoch = w.cred_epoch AND a.status = 'active' AND a.frozen_at IS NULL
      RETURNING w.id`,
    [it.accountId, it.credEpoch, it.emailKey, it.now],
  );
  return row === undefined ? undefined : (row.id as string);
}

const STOP = `UPDATE waiting_resets SET state = 'stopped', stopped_by = $2, ended_at = $3
  WHERE state = 'waiting' AND lapses_at > $3 AND`;

export async function stopByToken(tx: Queryable, stopToken: Buffer, now: Date): Promise<WaitingRow | undefined> {
  const [row] = await tx.query(`${STOP} stop_token = $1 RETURNING ${COLUMNS}`, [stopToken, 'link', now]);
  return row === undefined ? undefined : fromRow(row);
}

export async function stopOfAccount(
  tx: Queryable,
  stopped: { accountId: AccountId; by: StoppedBy; now: Date },
): Promise<WaitingRow | undefined> {
  const [row] = await tx.query(`${STOP} account_id = $1 RETURNING ${COLUMNS}`, [
    stopped.accountId,
    stopped.by,
    stopped.now,
  ]);
  return row === undefined ? undefined : fromRow(row);
}

/** True once, while it waits and is not due. */
export async function takeHalfTime(tx: Queryable, id: string, now: Date): Promise<WaitingRow | undefined> {
  const [row] = await tx.query(
    `UPDATE waiting_resets SET half_told_at = $2
      WHERE id = $1 AND state = 'waiting' AND half_told_at IS NULL AND due_at > $2
      RETURNING ${COLUMNS}`,
    [id, now],
  );
  return row === undefined ? undefined : fromRow(row);
}
