import { accountId, deviceId, type AccountId, type DeviceId } from '../kernel/ids.js';
import type { Queryable, Row } from '../storage/database.js';
import { nameIsFree } from './device-store.js';
import type { NewPasskey, Passkey } from './passkey.js';

const SELECT = `
  SELECT p.device_id, d.account_id, p.credential_id, p.public_key, p.transports, p.backup_eligible, p.user_handle
    FROM passkeys p JOIN devices d ON d.id = p.device_id AND d.status = 'active'`;

const fromRow = (row: Row): Passkey => ({
  deviceId: deviceId(row.device_id as string),
  accountId: accountId(row.account_id as string),
  credentialId: row.credential_id as Buffer,
  publicKey: row.public_key as Buffer,
  transports: row.transports as string[],
  backupEligible: row.backup_eligible as boolean,
  userHandle: row.user_handle as Buffer,
});

export async function findActivePasskeys(db: Queryable, account: AccountId): Promise<Passkey[]> {
  const rows = await db.query(`${SELECT} WHERE d.account_id = $1 ORDER BY d.activated_at`, [account]);
  return rows.map(fromRow);
}

export async function findPasskey(db: Queryable, credentialId: Buffer): Promise<Passkey | undefined> {
  const [row] = await db.query(`${SELECT} WHERE p.credential_id = $1`, [credentialId]);
  return row === undefined ? undefined : fromRow(row);
}

/** Device and passkey in one statement. False when the credential is known already, alive or ended, or the name taken. */
export async function insertPasskey(tx: Queryable, passkey: NewPasskey & { now: Date }): Promise<boolean> {
  const rows = await tx.query(
    `WITH device AS (
       INSERT INTO devices (id, account_id, kind, status, name, created_at, activated_at)
       SELECT $1::uuid, $2::uuid, 'passkey', 'active', $3, $4, $4
        WHERE NOT EXISTS (SELECT 1 FROM passkeys WHERE credential_id = $5)
          AND ${nameIsFree({ account: '$2', name: '$3', but: '$1' })}
       RETURNING id
     )
     INSERT INTO passkeys (device_id, credential_id, public_key, counter, transports, backup_eligible, backed_up,
                           user_handle)
     SELECT id, $5, $6, $7, $8, $9, $10, $11 FROM device
     RETURNING device_id`,
    [
      passkey.deviceId,
      passkey.accountId,
      passkey.name,
      passkey.now,
      passkey.credentialId,
      passkey.publicKey,
      passkey.counter,
      passkey.transports,
      passkey.backupEligible,
      passkey.backedUp,
      passkey.userHandle,
    ],
  );
  return rows.length === 1;
}

/**
 * Moves the counter forward and notes the use, check and claim in one statement: a counter that has not risen is the
 * mark of a copied authenticator (WebAuthn Level 3, section 6.1.1). One that never counts stays at 0.
 */
export async function spendCounter(
  tx: Queryable,
  used: { device: DeviceId; counter: number; backedUp: boolean; now: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `WITH device AS (
       UPDATE devices d SET last_used_at = $4
         FROM passkeys p
        WHERE d.id = $1 AND d.status = 'active' AND p.device_id = d.id
          AND (p.counter < $2 OR (p.counter = 0 AND $2 = 0))
       RETURNING d.id
     )
     UPDATE passkeys p SET counter = $2, backed_up = $3
       FROM device
      WHERE p.device_id = device.id AND (p.counter < $2 OR (p.counter = 0 AND $2 = 0))
     RETURNING p.device_id`,
    [used.device, used.counter, used.backedUp, used.now],
  );
  return rows.length === 1;
}
