import { accountId, type AccountId } from '../../kernel/ids.js';
import type { Queryable, Row } from '../../storage/database.js';

/** With a recovery code or another device, at once; or with neither, after a waiting time. */
export type Way = 'factor' | 'wait';

/** `proved`: captcha and password were right, the last proof is missing. */
export type SelfResetState = 'proved' | 'waiting' | 'done' | 'failed';

/** Which factors ended: all, or all but the one that proved; or there was none to end. */
export type Outcome = 'all' | 'some' | 'nothing';

/** A service and where it begins. */
export interface Back {
  readonly service: string;
  readonly href: string;
}

export interface SelfResetFlow {
  readonly id: Buffer;
  readonly way: Way;
  readonly state: SelfResetState;
  readonly accountId: AccountId;
  readonly credEpoch: number;
  readonly outcome: Outcome | undefined;
  readonly attemptUid: string | undefined;
  readonly back: Back | undefined;
  readonly mail: { readonly addressKey: Buffer; readonly at: Date } | undefined;
}

const COLUMNS = 'id, way, state, account_id, cred_epoch, outcome, attempt_uid, back, address_key, mailed_at';

function fromRow(row: Row): SelfResetFlow {
  const at = row.mailed_at as Date | null;
  return {
    id: row.id as Buffer,
    way: row.way as Way,
    state: row.state as SelfResetState,
    accountId: accountId(row.account_id as string),
    credEpoch: row.cred_epoch as number,
    outcome: (row.outcome as Outcome | null) ?? undefined,
    attemptUid: (row.attempt_uid as string | null) ?? undefined,
    back: (row.back as Back | null) ?? undefined,
    mail: at === null ? undefined : { addressKey: row.address_key as Buffer, at },
  };
}

export interface FlowHolder {
  readonly id: Buffer;
  readonly browser: Buffer;
  readonly now: Date;
}

export interface NewFlow extends FlowHolder {
  readonly way: Way;
  readonly accountId: AccountId;
  readonly credEpoch: number;
  readonly attemptUid: string | undefined;
  readonly back: Back | undefined;
  readonly expiresAt: Date;
}

export async function insertFlow(tx: Queryable, flow: NewFlow): Promise<void> {
  await tx.query(
    `INSERT INTO self_resets (id, browser, way, state, account_id, cred_epoch, attempt_uid, back, created_at, expires_at)
     VALUES ($1, $2, $3, 'proved', $4, $5, $6, $7, $8, $9)`,
    [
      flow.id,
      flow.browser,
      flow.way,
      flow.accountId,
      flow.credEpoch,
      flow.attemptUid,
      flow.back === undefined ? null : JSON.stringify(flow.back),
      flow.now,
      flow.expiresAt,
    ],
  );
}

/** As its own browser sees it. */
export async function findFlow(db: Queryable, { id, browser, now }: FlowHolder): Promise<SelfResetFlow | undefined> {
  const [row] = await db.query(
    `SELECT ${COLUMNS} FROM self_resets WHERE id = $1 AND browser = $2 AND expires_at > $3 AND state <> 'failed'`,
    [id, browser, now],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** Holds a flow that waits for its last proof; undefined when it is anywhere else, or another post has moved it. */
export async function lockProved(
  tx: Queryable,
  { id, browser, now, way }: FlowHolder & { way: Way },
): Promise<SelfResetFlow | undefined> {
  const [row] = await tx.query(
    `SELECT ${COLUMNS} FROM self_resets
      WHERE id = $1 AND browser = $2 AND expires_at > $3 AND state = 'proved' AND way = $4 FOR UPDATE`,
    [id, browser, now, way],
  );
  return row === undefined ? undefined : fromRow(row);
}

/** The last step happens once: from `proved`. */
export async function moveOn(
  tx: Queryable,
  id: Buffer,
  to: { state: 'waiting' | 'failed' } | { state: 'done'; outcome: Outcome },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE self_resets SET state = $2, outcome = $3 WHERE id = $1 AND state = 'proved' RETURNING id`,
    [id, to.state, 'outcome' in to ? to.outcome : null],
  );
  return rows.length === 1;
}

export async function recordMail(tx: Queryable, id: Buffer, mail: { addressKey: Buffer; at: Date }): Promise<void> {
  await tx.query('UPDATE self_resets SET address_key = $2, mailed_at = $3 WHERE id = $1', [
    id,
    mail.addressKey,
    mail.at,
  ]);
}
