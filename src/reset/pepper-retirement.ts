import { retirePasswords } from '../accounts/retired-passwords.js';
import type { Audit } from '../audit/audit.js';
import type { AuditEvent } from '../audit/events.js';
import type { RecoveryCodeSets } from '../devices/recovery-code-sets.js';
import type { Clock } from '../kernel/clock.js';
import { makeDecoy } from '../security/passwords.js';
import type { Database } from '../storage/database.js';

/** People whose rows one transaction changes. */
const BATCH = 500;

export interface Retired {
  readonly passwords: number;
  readonly codeSets: number;
}

export interface PepperRetirement {
  /**
   * Removes what is hashed under a pepper: who comes back sets a new password by RESET, and makes new recovery codes.
   * Each with its audit row in the same transaction, so it may be broken off and begun again. Sessions go on: nobody has
   * stolen anything (docs/adr/0027).
   */
  retire(pepper: string, onProgress?: (done: Retired) => void): Promise<Retired>;
}

export function createPepperRetirement(parts: {
  db: Database;
  recoveryCodeSets: RecoveryCodeSets;
  audit: Audit;
  clock: Clock;
}): PepperRetirement {
  const { db, recoveryCodeSets, audit, clock } = parts;

  const retireBatch = (pepper: string): Promise<Retired> =>
    db.transaction(async (tx) => {
      const unusable = makeDecoy();
      const passwords = await retirePasswords(tx, { pepper, unusable, limit: BATCH, now: clock.now() });
      const sets = await recoveryCodeSets.endUnder(tx, pepper, BATCH);
      const detail = { pepper };
      const events: AuditEvent[] = [
        ...passwords.map((accountId) => ({ type: 'password.retired' as const, detail, accountId })),
        ...sets.map((accountId) => ({ type: 'recovery_codes.retired' as const, detail, accountId })),
      ];
      if (events.length > 0) await audit.record(tx, ...events);
      return { passwords: passwords.length, codeSets: sets.length };
    });

  return {
    async retire(pepper, onProgress) {
      let done: Retired = { passwords: 0, codeSets: 0 };
      for (;;) {
        const { passwords, codeSets } = await retireBatch(pepper);
        if (passwords + codeSets === 0) return done;
        done = { passwords: done.passwords + passwords, codeSets: done.codeSets + codeSets };
        onProgress?.(done);
      }
    },
  };
}
