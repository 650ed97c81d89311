import { getById } from '../../accounts/accounts.js';
import type { NewPassword } from '../../accounts/new-password.js';
import type { PasswordCheck } from '../../accounts/password-check.js';
import { judgePassword, type RuleState } from '../../accounts/password-judgement.js';
import { trailOf } from '../../audit/trail.js';
import type { EnrolmentTickets } from '../../devices/enrolment-tickets.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Passwords } from '../../security/passwords.js';
import type { Database } from '../../storage/database.js';
import { addressBucket } from '../../throttle/address.js';
import type { Visitor } from '../../throttle/visitor.js';

/** Long enough for the second half of a double tap on a slow line. */
const DOUBLE_TAP_SECONDS = 30;

export type OwnPasswordAnswer =
  | { readonly kind: 'done' }
  /** The old password is wrong; counted as on the login page. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly until: Date }
  | { readonly kind: 'password_policy'; readonly rules: readonly RuleState[] }
  | { readonly kind: 'confirmation_mismatch' };

/** A new password for somebody who is logged in, has just shown a second factor and knows the old one. */
export interface OwnPassword {
  /**
   * Ends every session, grant and token of the account but the session that the person sits in. Throws `Busy` when
   * the hash queue is full.
   */
  change(
    person: { readonly id: AccountId; readonly sessionUid: string },
    typed: { readonly password: string; readonly newPassword: string; readonly confirmation: string },
    visitor: Visitor,
  ): Promise<OwnPasswordAnswer>;
}

export function createOwnPassword(parts: {
  db: Database;
  passwordCheck: PasswordCheck;
  passwords: Passwords;
  newPassword: NewPassword;
  tickets: EnrolmentTickets;
  clock: Clock;
}): OwnPassword {
  const { db, passwordCheck, passwords, newPassword, tickets, clock } = parts;

  /** Whether the first half of a double tap has done just this: the old password is no longer the password. */
  async function wasJustDone(id: AccountId, password: string, from: string): Promise<boolean> {
    const since = secondsAfter(clock.now(), -DOUBLE_TAP_SECONDS);
    const [changed] = await trailOf(db, { accountId: id, types: ['password.changed'], since, limit: 1 });
    if (changed?.detail.by !== 'person') return false;
    const { passwordHash } = await getById(db, id);
    return (await passwords.verify(passwordHash, password, from)).kind === 'match';
  }

  return {
    async change({ id, sessionUid }, { password, newPassword: wanted, confirmation }, visitor) {
      const from = addressBucket(visitor.address);
      const { nip } = await getById(db, id);
      const verdict = await passwordCheck.check({ username: nip, password }, visitor);
      if (verdict.kind === 'throttled') return verdict;
      if (verdict.kind === 'refused') return (await wasJustDone(id, wanted, from)) ? { kind: 'done' } : verdict;
      const { account, accept } = verdict;
      // An import may give a NIP to somebody else at any moment: nobody changes the password of another account here.
      if (account.id !== id) return { kind: 'refused' };
      await db.transaction(accept);

      const { met, rules } = judgePassword(wanted, account, password);
      if (!met) return { kind: 'password_policy', rules };
      if (wanted !== confirmation) return { kind: 'confirmation_mismatch' };
      const passwordHash = await passwords.hash(wanted, from);

      const isSet = await db.transaction(async (tx) => {
        const order = { account, passwordHash, by: 'person', keep: { exceptSession: sessionUid } } as const;
        if ((await newPassword.set(tx, { ...order, trace: visitor })) === undefined) return false;
        await tickets.voidAll(tx, id);
        return true;
      });
      // Of two that post one old password at once, the second finds that it is not the password any more.
      return isSet || (await wasJustDone(id, wanted, from)) ? { kind: 'done' } : { kind: 'refused' };
    },
  };
}
