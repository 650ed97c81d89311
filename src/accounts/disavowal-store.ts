import { accountId, type AccountId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';

/** One thing that a notice mail told of. */
export interface ToldEvent {
  readonly kind: string;
  readonly at: Date;
}

/** The link of a notice mail, as it is kept. */
export interface DisavowalRow {
  readonly token: Buffer;
  readonly accountId: AccountId;
  readonly events: readonly ToldEvent[];
  /** Sealed: where the mail went. */
  readonly address: string;
  readonly used: boolean;
}

/** False, with nothing kept, while the account is frozen. */
export async function insertDisavowal(
  tx: Queryable,
  row: Omit<DisavowalRow, 'used'> & { expiresAt: Date },
): Promise<boolean> {
  const events = JSON.stringify(row.events.map(({ kind, at }) => ({ kind, at: at.getTime() })));
  const rows = await tx.query(
    `INSERT INTO disavowals (token, account_id, events, address, expires_at)
     SELECT $1, $2, $3, $4, $5
      WHERE NOT EXISTS (SELECT FROM accounts WHERE id = $2 AND frozen_at IS NOT NULL)
     RETURNING token`,
    [row.token, row.accountId, events, row.address, row.expiresAt],
  );
  return rows.length === 1;
}

const COLUMNS = 'token, account_id, events, address, used_at';

function fromRow(row: Row): DisavowalRow {
  const events = row.events as readonly { kind: string; at: number }[];
  return {
    token: row.token as Buffer,
    accountId: accountId(row.account_id as string),
    events: events.map(({ kind, at }) => ({ kind, at: new Date(at) })),
    address: row.address as string,
    used: row.used_at !== null,
  };
}

export async function findDisavowal(db: Queryable, token: Buffer, now: Date): Promise<DisavowalRow | undefined> {
  const [row] = await db.query(`SELECT ${COLUMNS} FROM disavowals WHERE token = $1 AND expires_at > $2`, [token, now]);
  return row === undefined ? undefined : fromRow(row);
}

/** Uses it up: answers it to one caller. */
export async function spendDisavowal(tx: Queryable, token: Buffer, now: Date): Promise<DisavowalRow | undefined> {
  const [row] = await tx.query(
    `UPDATE disavowals SET used_at = $2 WHERE token = $1 AND expires_at > $2 AND used_at IS NULL RETURNING ${COLUMNS}`,
    [token, now],
  );
  return row === undefined ? undefined : fromRow(row);
}

export async function deleteDisavowals(tx: Queryable, account: AccountId): Promise<void> {
  await tx.query('DELETE FROM disavowals WHERE account_id = $1', [account]);
}
