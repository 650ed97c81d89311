import type { Queryable } from '../storage/database.js';

export interface KeyedCall {
  readonly key: Buffer;
  readonly request: Buffer;
}

/**
 * Takes a key in one statement: of many, one gets it. The others wait until the winner's transaction has ended, and
 * then either find its answer or, when it was given up, one of them gets the key.
 */
export async function takeKey(
  tx: Queryable,
  { key, request, now, expiresAt }: KeyedCall & { readonly now: Date; readonly expiresAt: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO idempotency_keys (key, request, expires_at) VALUES ($1, $2, $4)
     ON CONFLICT (key) DO UPDATE
        SET request = excluded.request, answer = NULL, expires_at = excluded.expires_at
      WHERE idempotency_keys.expires_at <= $3
     RETURNING key`,
    [key, request, now, expiresAt],
  );
  return rows.length === 1;
}

/** What the key has brought about before. */
export async function selectAnswer(tx: Queryable, key: Buffer): Promise<{ request: Buffer; answer: unknown }> {
  const [row] = await tx.query('SELECT request, answer FROM idempotency_keys WHERE key = $1', [key]);
  if (row === undefined) throw new Error('an idempotency key vanished while it was held');
  return { request: row.request as Buffer, answer: row.answer };
}

export async function keepAnswer(tx: Queryable, key: Buffer, answer: unknown): Promise<void> {
  await tx.query('UPDATE idempotency_keys SET answer = $2 WHERE key = $1', [key, JSON.stringify(answer)]);
}

export async function giveUpKey(tx: Queryable, key: Buffer): Promise<void> {
  await tx.query('DELETE FROM idempotency_keys WHERE key = $1', [key]);
}
