import { randomUUID } from 'node:crypto';
import { getById, voidCredentials } from '../accounts/accounts.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Database } from '../storage/database.js';
import { writeOperatorsAct } from './acts/act-store.js';
import { lockAccount } from './authority-store.js';
import { createFactorReset, type FactorResetParts } from './factor-reset.js';

/**
 * Ends every second factor of an account for somebody who cannot use theirs any more, by whoever operates the server:
 * any account, also one that holds a role. The person then enrols anew with password and mailed code.
 */
export interface OperatorsReset {
  reset(order: { readonly accountId: AccountId; readonly reason: string }): Promise<{
    readonly endedDevices: number;
    /** False: no address is on file, so nobody was told. */
    readonly mailed: boolean;
  }>;
}

export function createOperatorsReset(parts: FactorResetParts & { db: Database; clock: Clock }): OperatorsReset {
  const { db, clock } = parts;
  const factorReset = createFactorReset(parts);
  return {
    reset: ({ accountId, reason }) =>
      db.transaction(async (tx) => {
        await lockAccount(tx, accountId);
        const account = await getById(tx, accountId);
        const now = clock.now();
        const id = randomUUID();
        await voidCredentials(tx, accountId, now);
        await writeOperatorsAct(tx, { id, action: 'mfa_reset', accountId, reason, now });
        const endedDevices = await factorReset.apply(tx, { account, resetId: id, method: 'operator' });
        return { endedDevices, mailed: account.email !== undefined };
      }),
  };
}
