import type { Queryable } from '../storage/database.js';

/** A new challenge voids the one before it: each ceremony has one that can be answered. */
export async function putChallenge(
  db: Queryable,
  { ceremony, challenge, expiresAt }: { ceremony: string; challenge: Buffer; expiresAt: Date },
): Promise<void> {
  await db.query(
    `INSERT INTO passkey_challenges (ceremony, challenge, expires_at) VALUES ($1, $2, $3)
     ON CONFLICT (ceremony) DO UPDATE SET challenge = excluded.challenge, expires_at = excluded.expires_at`,
    [ceremony, challenge, expiresAt],
  );
}

/** Takes it, once: whatever the answer turns out to be, it is not looked at again. */
export async function takeChallenge(tx: Queryable, ceremony: string, now: Date): Promise<Buffer | undefined> {
  const [row] = await tx.query(
    'DELETE FROM passkey_challenges WHERE ceremony = $1 AND expires_at > $2 RETURNING challenge',
    [ceremony, now],
  );
  return row?.challenge as Buffer | undefined;
}
