import type { Account } from '../accounts/accounts.js';
import type { PasswordCheck } from '../accounts/password-check.js';
import { judgePassword, type RuleState } from '../accounts/password-judgement.js';
import type { Audit } from '../audit/audit.js';
import type { Device } from '../devices/device.js';
import type { Devices } from '../devices/devices.js';
import type { OtpCheck, OtpVerdict } from '../mfa/otp.js';
import type { WrongCodes } from '../mfa/wrong-codes.js';
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
  /** There is no authenticator app to give a code; the login asks for the passkey and for a new password. */
  | { readonly kind: 'passkey_required' }
  | Extract<OtpVerdict, { kind: 'reused' | 'mismatch' | 'drift' }>;

/** *Reset Password Lemah*: the old password is known but no longer good. The limits and answers of the login page. */
export interface WeakPasswordReset {
  submit(
    typed: { username: string; password: string; otp: string; newPassword: string; confirmation: string },
    visitor: Visitor,
  ): Promise<WeakAnswer>;
}

/** What keeps the second factor from being judged here, when something does. */
function missingFactor(active: readonly Device[], otp: string): 'otp_required' | 'passkey_required' | undefined {
  if (active.length === 0) return undefined;
  if (!active.some(({ kind }) => kind === 'totp')) return 'passkey_required';
  return otp.trim() === '' ? 'otp_required' : undefined;
}

export function createWeakPasswordReset(parts: {
  db: Database;
  passwordCheck: PasswordCheck;
  devices: Devices;
  otp: OtpCheck;
  wrongCodes: WrongCodes;
  passwords: Passwords;
  passwordChange: PasswordChange;
  audit: Audit;
}): WeakPasswordReset {
  const { db, passwordCheck, devices, otp, wrongCodes, passwords, passwordChange, audit } = parts;
  return {
    async submit({ username, password, otp: typedOtp, newPassword, confirmation }, visitor) {
      const verdict = await passwordCheck.check({ username, password }, visitor);
      if (verdict.kind === 'throttled') return { ...verdict, limit: 'passwords' };
      if (verdict.kind === 'refused') return verdict;
      const { account, accept } = verdict;
      await db.transaction(accept);

      const { met, rules } = judgePassword(newPassword, account, password);
      if (!met) return { kind: 'password_policy', rules };
      if (newPassword !== confirmation) return { kind: 'confirmation_mismatch' };
      const before = missingFactor(await devices.activeOf(db, account.id), typedOtp);
      if (before !== undefined) return { kind: before };
      const passwordHash = await passwords.hash(newPassword, addressBucket(visitor.address));

      return db.transaction<WeakAnswer>(async (tx) => {
        // Looked at once more: an authenticator may have been bound while the password was hashed.
        const active = await devices.activeOf(tx, account.id);
        const hasDevice = active.length > 0;
        const missing = missingFactor(active, typedOtp);
        if (missing !== undefined) return { kind: missing };
        if (hasDevice) {
          const factor = await otp.check(tx, { accountId: account.id, typed: typedOtp });
          if (factor.kind !== 'accepted') {
            const { requestId, agent } = visitor;
            const about = { accountId: account.id, requestId, agent };
            await audit.record(tx, { type: 'reset.otp_refused', detail: { cause: factor.kind }, ...about });
            if ('failures' in factor) {
              await wrongCodes.follow(tx, { account, failures: factor.failures, trace: visitor });
            }
            return factor.kind === 'throttled' ? { ...factor, limit: 'codes' } : factor;
          }
        }
        // Of two that post one old password at once, the second finds that it is not the password any more.
        const changed = await passwordChange.apply(tx, { account, passwordHash, by: 'weak', hasDevice }, visitor);
        return changed ? { kind: 'done', account } : { kind: 'refused' };
      });
    },
  };
}
