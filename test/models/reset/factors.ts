import type { Devices } from '#src/devices/devices.js';
import type { AccountId } from '#src/kernel/ids.js';
import type { RecoveryCodes } from '#src/mfa/recovery-codes.js';
import type { Database } from '#src/storage/database.js';

/** What people have beside the password, in turn: a reset asks all of them for a code. */
const KINDS = ['app', 'passkey', 'closed app'] as const;

/** Gives somebody who has an app recovery codes, and makes of the app what it is this time. */
export async function furnish(
  parts: { db: Database; devices: Devices; recoveryCodes: RecoveryCodes },
  account: AccountId,
  turn: number,
): Promise<{ hasApp: boolean; recoveryCodes: readonly string[] }> {
  const { db, devices, recoveryCodes } = parts;
  const kind = KINDS[turn % KINDS.length];
  const prepared = await recoveryCodes.prepare();
  await db.transaction(async (tx) => {
    await recoveryCodes.issue(tx, account, prepared);
    if (kind === 'passkey') {
      await tx.query(`UPDATE devices SET kind = 'passkey', secret = NULL WHERE account_id = $1`, [account]);
    }
    if (kind === 'closed app') await devices.closeApps(tx, account);
  });
  return { hasApp: kind === 'app', recoveryCodes: kind === 'closed app' ? [] : prepared.codes };
}
