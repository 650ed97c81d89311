import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';

/** How far a reset is. `mailed` says that an address was typed, whether it matched or not. */
export type ResetState = 'named' | 'mailed' | 'done' | 'failed';

export interface ResetFlow {
  readonly id: Buffer;
  readonly state: ResetState;
  /** Undefined for a name that has no usable account: the flow walks the same way. */
  readonly accountId: AccountId | undefined;
  readonly nameKey: Buffer;
  readonly attemptUid: string | undefined;
  readonly mail: SentMail | undefined;
}

export interface SentMail {
  readonly mailKey: Buffer;
  readonly addressKey: Buffer;
  readonly at: Date;
}

const COLUMNS = 'id, state, account_id, name_key, attempt_uid, mail_key, address_key, mailed_at';

function fromRow(row: Row): ResetFlow {
  const account = row.account_id as string | null;
  const at = row.mailed_at as Date | null;
  return {
    id: row.id as Buffer,
    state: row.state as ResetState,
    accountId: account === null ? undefined : accountId(account),
    nameKey: row.name_key as Buffer,
    attemptUid: (row.attempt_uid as string | null) ?? undefined,
    mail: at === null ? undefined : { mailKey: row.mail_key as Buffer, addressKey: row.address_key as Buffer, at },
  };
}

export interface NewFlow {
  readonly id: Buffer;
  readonly browser: Buffer;
  readonly accountId: AccountId | undefined;
  readonly nameKey: Buffer;
  readonly attemptUid: string | undefined;
  readonly now: Date;
  readonly expiresAt: Date;
}

export async function insertFlow(tx: Queryable, flow: NewFlow): Promise<void> {
  await tx.query(
    `INSERT INTO password_resets (id, browser, state, account_id, name_key, attempt_uid, created_at, expires_at)
     VALUES ($1, $2, 'named', $3, $4, $5, $6, $7)`,
    [flow.id, flow.browser, flow.accountId, flow.nameKey, flow.attemptUid, flow.now, flow.expiresAt],
  );
}

/** A flow as its own browser sees it. */
export interface FlowHolder {
  readonly id: Buffer;
  readonly browser: Buffer;
  readonly now: Date;
}

export async function findFlow(db: Queryable, { id, browser, now }: FlowHolder): Promise<ResetFlow | undefined> {
  const [row] = await db.query(
    `SELECT ${COLUMNS} FROM password_resets WHERE id = $1 AND browser = $2 AND expires_at > $3 AND state <> 'failed'`,
    [id, browser, now],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Takes one of the flow's tries at the address; false when they are used up: then no mail goes out any more. */
export async function takeEmailTry(tx: Queryable, id: Buffer, maxTries: number): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE password_resets SET email_tries = email_tries + 1, state = 'mailed'
      WHERE id = $1 AND state IN ('named', 'mailed')
      RETURNING email_tries`,
    [id],
  );
  return rows[0] !== undefined && (rows[0].email_tries as number) <= maxTries;
}

/** For a request that was refused after all: nothing was mailed, nothing was tried. */
export async function giveBackEmailTry(tx: Queryable, id: Buffer): Promise<void> {
  await tx.query('UPDATE password_resets SET email_tries = email_tries - 1 WHERE id = $1', [id]);
}

export async function recordMail(tx: Queryable, id: Buffer, mail: SentMail): Promise<void> {
  await tx.query('UPDATE password_resets SET mail_key = $2, address_key = $3, mailed_at = $4 WHERE id = $1', [
    id,
    mail.mailKey,
    mail.addressKey,
    mail.at,
  ]);
}

/** Holds a flow that waits for its code; undefined when it is anywhere else, or another post has moved it. */
export async function lockMailed(tx: Queryable, id: Buffer, now: Date): Promise<ResetFlow | undefined> {
  const [row] = await tx.query(
    `SELECT ${COLUMNS} FROM password_resets WHERE id = $1 AND state = 'mailed' AND expires_at > $2 FOR UPDATE`,
    [id, now],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** The step that changes the password happens once: from `mailed` to `done`. */
export async function finishFlow(tx: Queryable, id: Buffer, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE password_resets SET state = 'done', done_at = $2 WHERE id = $1 AND state = 'mailed' RETURNING id`,
    [id, now],
  );
  return rows.length === 1;
}

export async function failFlow(tx: Queryable, id: Buffer): Promise<void> {
  await tx.query(`UPDATE password_resets SET state = 'failed' WHERE id = $1 AND state <> 'done'`, [id]);
}

/** Every other flow of the account ends with its password (A6). */
export async function failOthers(tx: Queryable, account: AccountId, except: Buffer): Promise<void> {
  await tx.query(
    `UPDATE password_resets SET state = 'failed'
      WHERE account_id = $1 AND id <> $2 AND state IN ('named', 'mailed')`,
    [account, except],
  );
}

/** Every flow of the account ends. */
export async function failAll(tx: Queryable, account: AccountId): Promise<void> {
  await tx.query(`UPDATE password_resets SET state = 'failed' WHERE account_id = $1 AND state IN ('named', 'mailed')`, [
    account,
  ]);
}
