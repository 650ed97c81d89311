import { getById } from '../accounts/accounts.js';
import type { NewPassword } from '../accounts/new-password.js';
import { judgePassword, type RuleState } from '../accounts/password-judgement.js';
import type { Clock } from '../kernel/clock.js';
import type { Passwords } from '../security/passwords.js';
import type { Database } from '../storage/database.js';
import type { Attempt } from './attempt.js';
import * as attempts from './attempt-store.js';
import { addressBucket } from '../throttle/address.js';
import type { Visitor } from '../throttle/visitor.js';

export type ChangeAnswer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'password_policy'; readonly rules: readonly RuleState[] }
  | { readonly kind: 'confirmation_mismatch' }
  | { readonly kind: 'gone' };

/** The step after both factors when the password just typed no longer meets the rules. */
export interface WeakPassword {
  change(attempt: Attempt, typed: { password: string; confirmation: string }, visitor: Visitor): Promise<ChangeAnswer>;
}

export function createWeakPassword(parts: {
  db: Database;
  passwords: Passwords;
  newPassword: NewPassword;
  clock: Clock;
}): WeakPassword {
  const { db, passwords, newPassword, clock } = parts;
  return {
    async change({ uid, accountId, clientId }, { password, confirmation }, visitor) {
      if (accountId === undefined) return { kind: 'gone' };
      const account = await getById(db, accountId);
      const { met, rules } = judgePassword(password, account);
      if (!met) return { kind: 'password_policy', rules };
      if (password !== confirmation) return { kind: 'confirmation_mismatch' };
      const passwordHash = await passwords.hash(password, addressBucket(visitor.address));
      return db.transaction<ChangeAnswer>(async (tx) => {
        const held = await attempts.lock(tx, { uid, browserId: visitor.browserId, now: clock.now() });
        // The other half of a double tap has done it, or the attempt has ended: what is due next tells which.
        if (held?.passwordWeak !== true) return { kind: 'accepted' };
        if (held.accountId !== accountId || held.factorAt === undefined) return { kind: 'gone' };
        const order = { account, passwordHash, by: 'sign_in', keep: { exceptAttempt: uid } } as const;
        const credEpoch = await newPassword.set(tx, { ...order, clientId, trace: visitor });
        if (credEpoch === undefined) return { kind: 'gone' };
        await attempts.recordPasswordChange(tx, uid, credEpoch);
        return { kind: 'accepted' };
      });
    },
  };
}
