import { findByName, getById, holdAccount, type Account } from '../../accounts/accounts.js';
import type { ActivationSlips } from '../../accounts/activation-slips.js';
import { canonicalName } from '../../accounts/name.js';
import { judgePassword, type RuleState } from '../../accounts/password-judgement.js';
import type { Audit } from '../../audit/audit.js';
import type { Captchas } from '../../captcha/captchas.js';
import type { Devices } from '../../devices/devices.js';
import type { Clock } from '../../kernel/clock.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Passwords } from '../../security/passwords.js';
import type { Database } from '../../storage/database.js';
import { addressBucket } from '../../throttle/address.js';
import { clearFailures, reserveFailure } from '../../throttle/failures.js';
import { SLIP_FAILURES, SLIP_QUOTA } from '../../throttle/policies.js';
import { giveBackQuotas, spendQuotas } from '../../throttle/quotas.js';
import type { Visitor } from '../../throttle/visitor.js';
import type { PasswordChange } from '../password-change.js';

export type SlipStart =
  | { readonly kind: 'opened'; readonly passage: string }
  | { readonly kind: 'captcha_wrong' }
  /** Of unknown names, accounts without a slip and wrong codes alike. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly until: Date };

export type SlipPassword =
  | { readonly kind: 'done'; readonly account: Account }
  | { readonly kind: 'gone' }
  | { readonly kind: 'confirmation_mismatch' }
  | { readonly kind: 'password_policy'; readonly rules: readonly RuleState[] };

export interface SlipView {
  readonly isDone: boolean;
  /** An address is on file. */
  readonly hasEmail: boolean;
}

/**
 * The first password by a slip on paper (ADR 0023), for who cannot use the mailed code. It signs nobody in; the slip
 * stands for the mailbox at the first enrolment, in this browser, as the mailed code of a reset does.
 */
export interface SlipActivation {
  start(
    typed: { username: string; slip: string; captchaId: string; captcha: string },
    visitor: Visitor,
  ): Promise<SlipStart>;
  view(passage: string, visitor: Visitor): Promise<SlipView | undefined>;
  /** A refused password uses nothing up. */
  submit(passage: string, typed: { password: string; confirmation: string }, visitor: Visitor): Promise<SlipPassword>;
}

export interface SlipActivationParts {
  readonly db: Database;
  readonly captchas: Captchas;
  readonly slips: ActivationSlips;
  readonly devices: Devices;
  readonly passwords: Passwords;
  readonly passwordChange: PasswordChange;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

export function createSlipActivation(parts: SlipActivationParts): SlipActivation {
  const { db, captchas, slips, devices, passwords, passwordChange, audit, keyed, clock } = parts;

  return {
    async start({ username, slip, captchaId, captcha }, visitor) {
      const solved = await captchas.redeem({ id: captchaId, browser: visitor.browserId, answer: captcha });
      if (!solved) return { kind: 'captcha_wrong' };
      const name = canonicalName(username);
      const bucket = addressBucket(visitor.address);
      const named = name.kind === 'malformed' ? username.slice(0, 64) : name.value;
      // By name and address: nobody elsewhere can make the owner wait, and 80 bits are not guessed anyway.
      const counter = { policy: SLIP_FAILURES, key: keyed('slip tries', `${name.kind}|${named}|${bucket}`) };
      const now = clock.now();
      const reserved = await reserveFailure(db, { ...counter, now });
      if (reserved.kind === 'waiting') return { kind: 'throttled', until: reserved.until };
      return db.transaction<SlipStart>(async (tx) => {
        const places = [{ quota: SLIP_QUOTA, key: keyed('slip address', bucket) }];
        const spending = await spendQuotas(tx, { places, now });
        if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
        const account = name.kind === 'malformed' ? undefined : await findByName(tx, name);
        const { browserId, requestId, agent } = visitor;
        const passage = await slips.open(tx, { accountId: account?.id, typed: slip, browserId });
        const type = passage === undefined ? 'slip.refused' : 'slip.accepted';
        await audit.record(tx, { type, detail: {}, accountId: account?.id, requestId, agent });
        if (passage === undefined) return { kind: 'refused' };
        await clearFailures(tx, { ...counter, now });
        await giveBackQuotas(tx, { places, spentAt: now });
        return { kind: 'opened', passage };
      });
    },

    async view(passage, { browserId }) {
      const found = await slips.find(db, { passage, browserId });
      if (found === undefined) return undefined;
      const { email } = await getById(db, found.accountId);
      return { isDone: found.isUsed, hasEmail: email !== undefined };
    },

    async submit(passage, { password, confirmation }, visitor) {
      const holder = { passage, browserId: visitor.browserId };
      const found = await slips.find(db, holder);
      if (found === undefined) return { kind: 'gone' };
      const account = await getById(db, found.accountId);
      if (found.isUsed) return { kind: 'done', account };
      const { met, rules } = judgePassword(password, account);
      if (!met) return { kind: 'password_policy', rules };
      if (password !== confirmation) return { kind: 'confirmation_mismatch' };
      const passwordHash = await passwords.hash(password, addressBucket(visitor.address));
      return db.transaction<SlipPassword>(async (tx) => {
        // The account first, as everybody does who ends its slips.
        await holdAccount(tx, account.id);
        if (!(await slips.spend(tx, holder))) {
          // The first half of a double tap has done it, or the slip has ended.
          const now = await slips.find(tx, holder);
          return now?.isUsed === true ? { kind: 'done', account } : { kind: 'gone' };
        }
        const hasDevice = (await devices.activeOf(tx, account.id)).length > 0;
        // Nobody has changed its credentials since: the slip would be void, and the account is held.
        const changed = await passwordChange.apply(tx, { account, passwordHash, by: 'slip', hasDevice }, visitor);
        if (!changed) throw new Error('a slip outlived the credentials it was for');
        return { kind: 'done', account };
      });
    },
  };
}
