import { holdAccount, type Account } from '../accounts/accounts.js';
import type { PasswordCheck } from '../accounts/password-check.js';
import { judgePassword, type RuleState } from '../accounts/password-judgement.js';
import type { Devices } from '../devices/devices.js';
import type { CodeRefusal, EitherCode } from '../mfa/either-code.js';
import type { Passwords } from '../security/passwords.js';
import type { Database } from '../storage/database.js';
import { addressBucket } from '../throttle/address.js';
import type { Visitor } from '../throttle/visitor.js';
import type { PasswordChange } from './password-change.js';

export type WeakAnswer =
  | { readonly kind: 'done'; readonly account: Account }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly until: Date; readonly limit: 'passwords' | 'codes' }
  | { readonly kind: 'password_policy'; readonly rules: readonly RuleState[] }
  | { readonly kind: 'confirmation_mismatch' }
  | { readonly kind: 'otp_required' }
  | Exclude<CodeRefusal, { kind: 'throttled' }>;

/** *Reset Password Lemah*: the old password is known but no longer good. The limits and answers of the login page. */
export interface WeakPasswordReset {
  submit(
    typed: { username: string; password: string; otp: string; newPassword: string; confirmation: string },
    visitor: Visitor,
  ): Promise<WeakAnswer>;
}

export function createWeakPasswordReset(parts: {
  db: Database;
  passwordCheck: PasswordCheck;
  devices: Devices;
  eitherCode: EitherCode;
  passwords: Passwords;
  passwordChange: PasswordChange;
}): WeakPasswordReset {
  const { db, passwordCheck, devices, eitherCode, passwords, passwordChange } = parts;
  return {
    async submit({ username, password, otp, newPassword, confirmation }, visitor) {
      const verdict = await passwordCheck.check({ username, password }, visitor);
      if (verdict.kind === 'throttled') return { ...verdict, limit: 'passwords' };
      if (verdict.kind === 'refused') return verdict;
      const { account, accept } = verdict;
      await db.transaction(accept);

      const { met, rules } = judgePassword(newPassword, account, password);
      if (!met) return { kind: 'password_policy', rules };
      if (newPassword !== confirmation) return { kind: 'confirmation_mismatch' };
      const hasCode = otp.trim() !== '';
      if (!hasCode && (await devices.activeOf(db, account.id)).length > 0) return { kind: 'otp_required' };
      const read = await eitherCode.read(db, account.id, otp, addressBucket(visitor.address));
      const passwordHash = await passwords.hash(newPassword, addressBucket(visitor.address));

      return db.transaction<WeakAnswer>(async (tx) => {
        // Looked at once more, the account held: an authenticator may have been bound while the password was hashed.
        await holdAccount(tx, account.id);
        const hasDevice = (await devices.activeOf(tx, account.id)).length > 0;
        if (hasDevice) {
          if (!hasCode) return { kind: 'otp_required' };
          const refused = await eitherCode.take(tx, { account, read, mayDisable: true }, visitor);
          if (refused?.kind === 'throttled') return { ...refused, limit: 'codes' };
          if (refused !== undefined) return refused;
        }
        // Of two that post one old password at once, the second finds that it is not the password any more.
        const changed = await passwordChange.apply(tx, { account, passwordHash, by: 'weak', hasDevice }, visitor);
        return changed ? { kind: 'done', account } : { kind: 'refused' };
      });
    },
  };
}
