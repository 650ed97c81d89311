import { voidCredentials, type Account } from '../../accounts/accounts.js';
import type { ActivationSlips } from '../../accounts/activation-slips.js';
import type { AccountMail } from '../../accounts/account-mail.js';
import type { Closing } from '../../accounts/closing.js';
import type { EndSessions } from '../../accounts/end-sessions.js';
import type { ActingOfficer, EndUnderWay, Freezing } from '../../accounts/freezing.js';
import { passwordFailuresOf } from '../../accounts/password-waits.js';
import type { Audit } from '../../audit/audit.js';
import type { Devices } from '../../devices/devices.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Guesses } from '../../mfa/guesses.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { Queryable } from '../../storage/database.js';
import { liftWait } from '../../throttle/failures.js';
import type { FactorReset } from '../factor-reset.js';
import { wasActedOn } from './act-store.js';
import type { ActiveOfficer } from '../judgement.js';
import type { ActAction, OrderOf, Outcome, Unfit } from './act.js';
import { createRoleEffects } from './role-effects.js';

/** What an act does, once it is allowed. */
export interface Effect<Action extends ActAction> {
  /** Why it does not fit the account as it is, which the transaction holds; undefined where it does. */
  unfit(tx: Queryable, account: Account, order: OrderOf<Action>): Promise<Unfit | undefined> | Unfit | undefined;
  /** What the officer's role is not for, beyond the action itself. */
  barred?(tx: Queryable, officer: ActiveOfficer, order: OrderOf<Action>): Promise<boolean>;
  /** Whether a second officer must agree, beyond what the account and its agency demand. */
  needsSecond(tx: Queryable, account: Account, order: OrderOf<Action>): Promise<boolean> | boolean;
  /** Does it, and tells the person, in the transaction of the act. */
  apply(tx: Queryable, act: Granted<Action>): Promise<Outcome>;
}

export interface Granted<Action extends ActAction> {
  readonly actId: string;
  readonly account: Account;
  readonly order: OrderOf<Action>;
  readonly by: ActingOfficer;
}

/** A new address for a person who cannot log in; implemented by the contact changes (docs/adr/0014). */
export interface ContactOrders {
  judge(account: Account, email: string): 'invalid' | 'same' | 'fits';
  orderByOfficer(
    tx: Queryable,
    order: { readonly accountId: AccountId; readonly email: string; readonly reason: string },
    by: ActingOfficer,
  ): Promise<{ readonly opensAt: Date; readonly told: boolean }>;
}

export interface EffectParts {
  readonly factorReset: FactorReset;
  readonly endSessions: EndSessions;
  readonly freezing: Freezing;
  readonly closing: Closing;
  readonly contactOrders: ContactOrders;
  readonly slips: Pick<ActivationSlips, 'issue'>;
  /** What must not outlive an appointment: codes, slips, new addresses, resets that wait. */
  readonly underWay: readonly EndUnderWay[];
  readonly guesses: Guesses;
  readonly devices: Devices;
  readonly accountMail: AccountMail;
  readonly audit: Audit;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

/** Factors and mailbox of one account within this time are how a thief would take it over, in either order. */
const TOGETHER_SECONDS = 30 * 24 * 3600;

const always = (): undefined => undefined;
const never = (): boolean => false;

/** What each act does to an account. */
export function createEffects(parts: EffectParts) {
  const { factorReset, endSessions, freezing, closing, contactOrders, slips, guesses, devices, underWay } = parts;
  const { accountMail, audit, keyed, clock } = parts;

  const tell = (
    tx: Queryable,
    { account, by }: Pick<Granted<ActAction>, 'account' | 'by'>,
    action: 'unlock' | 'sessions_end' | 'disable' | 'enable',
  ): Promise<void> =>
    accountMail.queue(tx, { account, mail: 'officer-acted', data: { at: clock.now(), action, by: by.told } });

  const lately = (): Date => secondsAfter(clock.now(), -TOGETHER_SECONDS);

  async function wasResetLately(tx: Queryable, { id }: Account): Promise<boolean> {
    const reset = await devices.lastResetOf(tx, id);
    return reset !== undefined && reset > lately();
  }
  const gotAddressLately = (tx: Queryable, { id }: Account): Promise<boolean> =>
    wasActedOn(tx, { accountId: id, actions: ['contact_change'], since: lately() });
  const hasNoFactor = async (tx: Queryable, { id }: Account): Promise<boolean> =>
    (await devices.activeOf(tx, id)).length === 0;

  const mfaReset: Effect<'mfa_reset'> = {
    unfit: always,
    // A document can be forged, and its look is known to one person only; the mailbox may be the officer's own.
    needsSecond: async (tx, account, { verification }) =>
      verification.method === 'photo_id' || (await gotAddressLately(tx, account)),
    async apply(tx, { actId, account, order, by }) {
      await voidCredentials(tx, account.id, clock.now());
      await factorReset.apply(tx, { account, resetId: actId, method: order.verification.method, by });
      return { told: account.email !== undefined };
    },
  };

  const unlock: Effect<'unlock'> = {
    unfit: always,
    needsSecond: never,
    async apply(tx, { account, by }) {
      await guesses.liftWait(tx, account.id);
      await liftWait(tx, { ...passwordFailuresOf(keyed, account.id), now: clock.now() });
      await tell(tx, { account, by }, 'unlock');
      return { told: account.email !== undefined };
    },
  };

  const sessionsEnd: Effect<'sessions_end'> = {
    unfit: always,
    needsSecond: never,
    async apply(tx, { account, by }) {
      await voidCredentials(tx, account.id, clock.now());
      await endSessions.ofAccounts(tx, [account.id]);
      await tell(tx, { account, by }, 'sessions_end');
      return { told: account.email !== undefined };
    },
  };

  const freeze: Effect<'freeze'> = {
    unfit: (_tx, { frozen }) => (frozen ? 'frozen' : undefined),
    needsSecond: never,
    async apply(tx, { account, order, by }) {
      await freezing.byOfficer(tx, { accountId: account.id, reason: order.reason }, by);
      return { told: account.email !== undefined };
    },
  };

  const unfreeze: Effect<'unfreeze'> = {
    unfit: (_tx, { frozen }) => (frozen ? undefined : 'not_frozen'),
    // Somebody said that it was not them: whoever did it must not be the one to decide.
    needsSecond: () => true,
    async apply(tx, { account, order, by }) {
      const lifted = await freezing.liftByOfficer(tx, { accountId: account.id, reason: order.reason }, by);
      return {
        told: account.email !== undefined,
        passwordDisabled: lifted.kind === 'lifted' && lifted.passwordDisabled,
      };
    },
  };

  const disable: Effect<'disable'> = {
    unfit: (_tx, { disabled }) => (disabled ? 'disabled' : undefined),
    needsSecond: never,
    async apply(tx, { account, by }) {
      await closing.close(tx, account.id);
      await tell(tx, { account, by }, 'disable');
      return { told: account.email !== undefined };
    },
  };

  const enable: Effect<'enable'> = {
    unfit: (_tx, { disabled }) => (disabled ? undefined : 'not_disabled'),
    needsSecond: never,
    async apply(tx, { account, by }) {
      const status = (await closing.reopen(tx, account.id)) ?? 'inactive';
      if (status === 'active') await tell(tx, { account, by }, 'enable');
      return { told: account.email !== undefined && status === 'active', status };
    },
  };

  const contactChange: Effect<'contact_change'> = {
    unfit(_tx, account, { email }) {
      if (account.status !== 'active') return 'inactive';
      const judged = contactOrders.judge(account, email);
      return judged === 'fits' ? undefined : `email_${judged}`;
    },
    // Nobody hears of it in time who could stop it, or the mailbox is all that is asked for, or the factors are new too.
    needsSecond: async (tx, account) =>
      account.frozen ||
      (account.activatedAt !== undefined && (account.email === undefined || (await hasNoFactor(tx, account)))) ||
      (await wasResetLately(tx, account)),
    async apply(tx, { account, order, by }) {
      const { email, reason } = order;
      const { opensAt, told } = await contactOrders.orderByOfficer(tx, { accountId: account.id, email, reason }, by);
      return { opensAt: opensAt.toISOString(), told };
    },
  };

  const activationSlip: Effect<'activation_slip'> = {
    unfit(_tx, { activatedAt, passwordHash, status, frozen }) {
      if (activatedAt !== undefined || passwordHash !== undefined) return 'activated';
      if (status !== 'active') return 'inactive';
      return frozen ? 'frozen' : undefined;
    },
    needsSecond: never,
    async apply(tx, { account, by }) {
      const { actorId: officerId, clientId, requestId, agent } = by;
      const trace = agent === undefined ? { requestId } : { requestId, agent };
      const issuer = { officerId, agencyCode: account.agency.code, clientId, trace };
      const issued = await slips.issue(tx, { accountId: account.id, by: issuer });
      if (issued === undefined) throw new Error('no slip for an account that may have one');
      return { slipId: issued.slipId };
    },
  };

  return {
    mfa_reset: mfaReset,
    unlock,
    sessions_end: sessionsEnd,
    freeze,
    unfreeze,
    disable,
    enable,
    contact_change: contactChange,
    activation_slip: activationSlip,
    ...createRoleEffects({ devices, underWay, accountMail, audit, clock }),
  };
}
