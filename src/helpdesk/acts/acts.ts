import { randomUUID } from 'node:crypto';
import { findById, type Account } from '../../accounts/accounts.js';
import type { ActingOfficer } from '../../accounts/freezing.js';
import type { Audit } from '../../audit/audit.js';
import { secondsAfter, type Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { KeyedDigest } from '../../security/digests.js';
import type { SealedBox } from '../../security/sealed-box.js';
import type { Database, Queryable } from '../../storage/database.js';
import { spendQuotas } from '../../throttle/quotas.js';
import type { HeldRole } from '../authority.js';
import { createIdempotency, type RepeatableCall } from '../idempotency.js';
import { accountIdOf, idOf, judgeOfficer, type ActiveOfficer, type RefusalCause } from '../judgement.js';
import type { Refusals, Refused } from '../refusals.js';
import {
  approveAct,
  demandsSecond,
  endAct,
  findWaitingAct,
  isFitSecond,
  selectWaitingAct,
  writeAct,
} from './act-store.js';
import type { ActAction, ActAnswer, ActTrace, Caller, Order, Outcome, Refusal } from './act.js';
import type { Alarms } from './alarms.js';
import { createAwaitedActs, type AwaitedActs } from './awaited.js';
import { createEffects, type Effect, type EffectParts } from './effects.js';
import { orderOf, sealParticulars } from './particulars.js';
import { ACT_QUOTAS, placesOf, REFUSED_QUOTA } from './quotas.js';
import { RightsEnded } from './role-effects.js';
import { selectHeldGrant } from './role-act-store.js';

/** How long an act waits for a second officer. */
const WAIT_SECONDS = 24 * 3600;

/** The code on the page of the person, who is there (docs/adr/0022); implemented by the presence codes. */
export interface PresenceCheck {
  /** Once, in the transaction of the act, before it raises the epoch. A wrong one is counted and written down. */
  spend(
    tx: Queryable,
    typed: {
      readonly accountId: AccountId;
      readonly typed: string;
      readonly by: {
        readonly officerId: AccountId;
        readonly agencyCode: string;
        readonly clientId: string;
        readonly requestId: string;
      };
    },
  ): Promise<{ readonly kind: 'right' | 'wrong' } | { readonly kind: 'throttled'; readonly until: Date }>;
}

interface Call {
  readonly caller: Caller;
  readonly trace: ActTrace;
  /** Where the caller may send it again, having lost the answer. */
  readonly repeatable?: RepeatableCall;
}

interface Approval extends Call {
  readonly actId: string;
  /** What may be agreed to in this way: another act is not there. */
  readonly covers: (action: ActAction) => boolean;
}

/**
 * What officers do. Each act is one row, written by the statement that asks whether the officer may at that very moment
 * everything else follows from it in the same transaction. Every refusal leaves its audit row.
 */
export interface Acts extends AwaitedActs {
  /** `accountId` as the caller named it: known or not, a UUID or not. */
  perform(call: Call & { readonly accountId: string; readonly order: Order }): Promise<ActAnswer>;
  /** Takes a role away, by its grant. */
  dismiss(call: Call & { readonly grantId: string; readonly reason: string }): Promise<ActAnswer>;
  /** A second officer agrees: the act is done now, if both may at this very moment. */
  approve(call: Approval): Promise<ActAnswer>;
  /** A second officer turns it down, or who asked for it takes it back. */
  reject(call: Call & { readonly actId: string }): Promise<{ readonly kind: 'rejected' } | Refusal>;
  /** Whether a second officer will have to agree, for a form that says so; `accountId` within the officer's scope. */
  needsSecond(officer: AccountId, foreseen: { accountId: string; order: Order }): Promise<boolean>;
}

export interface ActParts extends EffectParts {
  readonly db: Database;
  readonly audit: Audit;
  readonly alarms: Alarms;
  readonly presence: PresenceCheck;
  readonly refusals: Refusals;
  readonly box: SealedBox;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
}

/** A form in the console: its answer is on the page. */
const NOT_REPEATED: RepeatableCall = { caller: '', key: undefined, request: '' };

const REFUSALS: Readonly<Record<RefusalCause, Refusal>> = {
  unknown: { kind: 'not_found' },
  out_of_scope: { kind: 'not_found' },
  role: { kind: 'forbidden' },
  self: { kind: 'forbidden' },
  above: { kind: 'forbidden' },
};

export function createActs(parts: ActParts): Acts {
  const { db, audit, alarms, presence, refusals, box, keyed, clock } = parts;
  const idempotency = createIdempotency({ keyed, clock });
  const effects: { readonly [Action in ActAction]: Effect<Action> } = createEffects(parts);

  /** The effect of an order's own action, which the types of a union cannot say. */
  const effectOf = ({ action }: Order) => effects[action] as Effect<ActAction>;

  const recordRefused = (tx: Queryable, refused: Refused, target?: Account): Promise<void> =>
    refusals.record(tx, { ...refused, agencyCode: target?.agency.code });

  const refusalOf = (
    { caller, trace }: Call,
    { action, accountId, cause }: { action: ActAction; accountId: string; cause: string },
  ): Refused => ({ action, cause, actorId: caller.accountId, clientId: caller.clientId, accountId, trace });

  const actingAs = (
    { caller, trace }: Call,
    target: Account,
    { officer, through }: { officer: ActiveOfficer; through: HeldRole },
  ): ActingOfficer => ({
    actorId: officer.account.id,
    agencyCode: target.agency.code,
    clientId: caller.clientId,
    ...trace,
    told: through.agency && { officer: officer.account.name, agency: through.agency.name },
  });

  /** Who asks for one account after the other that is none of theirs learns nothing any more after a while (A21). */
  async function refusedAgain(tx: Queryable, officerId: AccountId, refusal: Refusal): Promise<Refusal> {
    const places = [{ quota: REFUSED_QUOTA, key: keyed('desk refused', officerId) }];
    const spending = await spendQuotas(tx, { places, now: clock.now() });
    return spending.kind === 'spent' ? refusal : { kind: 'throttled', until: spending.until };
  }

  /** Does what was granted, and writes it down. */
  async function carryOut(
    tx: Queryable,
    granted: { actId: string; account: Account; order: Order; by: ActingOfficer; second?: AccountId },
  ): Promise<Outcome> {
    const { actId, account, order, by, second } = granted;
    const outcome = await effectOf(order).apply(tx, { actId, account, order, by });
    const detail = { action: order.action, act: actId, ...(second === undefined ? {} : { second }) };
    await audit.record(tx, { type: 'desk.done', detail, accountId: account.id, ...by });
    return outcome;
  }

  async function perform(
    tx: Queryable,
    call: Call & { readonly accountId: string; readonly order: Order },
  ): Promise<ActAnswer> {
    const { caller, order, trace } = call;
    const { action } = order;
    const now = clock.now();
    const refuse = async (refusal: Refusal, cause: string, target?: Account): Promise<Refusal> => {
      await recordRefused(tx, refusalOf(call, { action, accountId: call.accountId, cause }), target);
      return refusal.kind === 'not_found' ? refusedAgain(tx, caller.accountId, refusal) : refusal;
    };

    const judged = await judgeOfficer(tx, { officerId: caller.accountId, named: call.accountId, action, now });
    if (judged.kind === 'refused') return refuse(REFUSALS[judged.cause], judged.cause, judged.target);
    const { target, officer } = judged;
    const effect = effectOf(order);
    if ((await effect.barred?.(tx, officer, order)) === true) return refuse({ kind: 'forbidden' }, 'role', target);
    const seen = { officerId: officer.account.id, agencyCode: target.agency.code, action, trace };
    const spending = await spendQuotas(tx, { places: placesOf(keyed, officer.account.id, action), now });
    if (spending.kind === 'exhausted') {
      await alarms.quotaUsedUp(tx, seen);
      return refuse({ kind: 'throttled', until: spending.until }, 'throttled', target);
    }
    const unfit = await effect.unfit(tx, target, order);
    if (unfit !== undefined) return refuse({ kind: 'unfit', cause: unfit }, unfit, target);
    const waits = await findWaitingAct(tx, { accountId: target.id, action, now });
    if (waits !== undefined) return refuse({ kind: 'awaited_already', actId: waits }, 'awaited_already', target);

    const verification = order.action === 'mfa_reset' ? order.verification : undefined;
    if (verification?.method === 'presence') {
      const asking = { officerId: officer.account.id, agencyCode: target.agency.code, clientId: caller.clientId };
      const spent = await presence.spend(tx, {
        accountId: target.id,
        typed: verification.code,
        by: { ...asking, requestId: trace.requestId },
      });
      if (spent.kind === 'throttled') return refuse({ kind: 'throttled', until: spent.until }, 'throttled', target);
      if (spent.kind === 'wrong') return refuse({ kind: 'presence_refused' }, 'presence', target);
    }

    const actId = randomUUID();
    const state = await writeAct(tx, {
      id: actId,
      action,
      accountId: target.id,
      officerId: officer.account.id,
      clientId: caller.clientId,
      reason: order.reason,
      ticket: order.ticket,
      verification: verification?.method,
      particulars: sealParticulars(box, actId, order),
      needsSecond: await effect.needsSecond(tx, target, order),
      now,
      expiresAt: secondsAfter(now, WAIT_SECONDS),
    });
    // The officer's own rights are not held: they ended since they were read.
    if (state === undefined) return refuse({ kind: 'not_found' }, 'out_of_scope', target);
    await alarms.afterAct(tx, { ...seen, actId });
    const by = actingAs(call, target, judged);
    if (state === 'done') {
      return { kind: 'done', actId, outcome: await carryOut(tx, { actId, account: target, order, by }) };
    }
    await audit.record(tx, { type: 'desk.asked', detail: { action, act: actId }, accountId: target.id, ...by });
    return { kind: 'awaiting_approval', actId };
  }

  async function approve(tx: Queryable, call: Approval): Promise<ActAnswer> {
    const { caller } = call;
    const now = clock.now();
    const id = idOf(call.actId);
    const act = id === undefined ? undefined : await selectWaitingAct(tx, id, now);
    const action = act?.action ?? 'mfa_reset';
    const named = act?.accountId ?? '';
    const refuse = async (refusal: Refusal, cause: string, target?: Account): Promise<Refusal> => {
      await recordRefused(tx, refusalOf(call, { action, accountId: named, cause: `approve:${cause}` }), target);
      return refusal;
    };
    if (act === undefined) return refuse({ kind: 'not_found' }, 'unknown');

    if (!call.covers(action)) return refuse({ kind: 'not_found' }, 'other_call');
    const judging = { officerId: caller.accountId, named, action, now, first: act.officerId };
    const judged = await judgeOfficer(tx, judging);
    if (judged.kind === 'refused') return refuse(REFUSALS[judged.cause], judged.cause, judged.target);
    const { target, officer } = judged;
    if (officer.account.id === act.officerId) return refuse({ kind: 'forbidden' }, 'same_officer', target);
    const pair = { officerId: officer.account.id, firstId: act.officerId, now };
    if (!(await isFitSecond(tx, pair))) return refuse({ kind: 'forbidden' }, 'unfit_second', target);
    const places = Object.values(ACT_QUOTAS).map((quota) => ({
      quota,
      key: keyed('desk officer', officer.account.id),
    }));
    const spending = await spendQuotas(tx, { places, now });
    if (spending.kind === 'exhausted') return refuse({ kind: 'throttled', until: spending.until }, 'throttled', target);
    const order = orderOf(box, act);
    const effect = effectOf(order);
    if ((await effect.barred?.(tx, officer, order)) === true) return refuse({ kind: 'forbidden' }, 'role', target);

    /** It is of no use any more, whoever agrees. */
    const end = async (refusal: Refusal, cause: string): Promise<Refusal> => {
      await endAct(tx, { id: act.id, as: 'void', by: undefined, now });
      return refuse(refusal, cause, target);
    };
    const asker = await judgeOfficer(tx, { officerId: act.officerId, named, action, now });
    if (asker.kind === 'refused') return end({ kind: 'not_found' }, `asker_${asker.cause}`);
    const unfit = await effect.unfit(tx, target, order);
    if (unfit !== undefined) return end({ kind: 'unfit', cause: unfit }, unfit);

    const decision = { id: act.id, action, officerId: officer.account.id, now };
    if (!(await approveAct(tx, decision))) return refuse({ kind: 'not_found' }, 'out_of_scope', target);
    const by = actingAs(call, target, asker);
    const outcome = await carryOut(tx, { actId: act.id, account: target, order, by, second: officer.account.id });
    return { kind: 'done', actId: act.id, outcome };
  }

  async function reject(
    tx: Queryable,
    call: Call & { readonly actId: string },
  ): Promise<{ readonly kind: 'rejected' } | Refusal> {
    const { caller, trace } = call;
    const now = clock.now();
    const id = idOf(call.actId);
    const act = id === undefined ? undefined : await selectWaitingAct(tx, id, now);
    const action = act?.action ?? 'mfa_reset';
    const named = act?.accountId ?? '';
    const judged = await judgeOfficer(tx, { officerId: caller.accountId, named, action, now });
    if (act === undefined || judged.kind === 'refused') {
      const cause = judged.kind === 'refused' ? judged.cause : 'unknown';
      const target = judged.kind === 'refused' ? judged.target : undefined;
      await recordRefused(tx, refusalOf(call, { action, accountId: named, cause: `reject:${cause}` }), target);
      return REFUSALS[cause];
    }
    const isAsker = judged.officer.account.id === act.officerId;
    const second = isAsker ? undefined : judged.officer.account.id;
    if (!(await endAct(tx, { id: act.id, as: 'rejected', by: second, now }))) return { kind: 'not_found' };
    await audit.record(tx, {
      type: 'desk.rejected',
      detail: { action, act: act.id, by: isAsker ? 'asker' : 'second' },
      accountId: act.accountId,
      actorId: caller.accountId,
      agencyCode: judged.target.agency.code,
      clientId: caller.clientId,
      ...trace,
    });
    return { kind: 'rejected' };
  }

  /** Once for an Idempotency-Key, all in one transaction. What had an effect is answered again. */
  async function once(
    call: Call,
    { action, accountId }: { action: ActAction; accountId: string },
    work: (tx: Queryable) => Promise<ActAnswer>,
  ): Promise<ActAnswer> {
    try {
      return await db.transaction(async (tx) => {
        const keeps = ({ kind }: ActAnswer): boolean => kind === 'done' || kind === 'awaiting_approval';
        const repeatable = call.repeatable ?? NOT_REPEATED;
        const answer = await idempotency.once<ActAnswer>(tx, { ...repeatable, keeps }, () => work(tx));
        if (answer.kind === 'key_reused') {
          await recordRefused(tx, refusalOf(call, { action, accountId, cause: 'key_reused' }));
        }
        return answer;
      });
    } catch (error) {
      if (!(error instanceof RightsEnded)) throw error;
      await recordRefused(db, refusalOf(call, { action, accountId, cause: 'out_of_scope' }));
      return { kind: 'forbidden' };
    }
  }

  const performOnce = (call: Call & { readonly accountId: string; readonly order: Order }): Promise<ActAnswer> => {
    const { order, accountId } = call;
    return once(call, { action: order.action, accountId }, (tx) => perform(tx, call));
  };

  return {
    perform: performOnce,

    async dismiss({ grantId, reason, ...call }) {
      const id = idOf(grantId);
      const held = id === undefined ? undefined : await selectHeldGrant(db, id);
      const order = { action: 'role_revoke' as const, reason, grantId: id ?? '' };
      return performOnce({ ...call, accountId: held?.accountId ?? '', order });
    },

    approve: (call) => once(call, { action: 'mfa_reset', accountId: '' }, (tx) => approve(tx, call)),
    reject: (call) => db.transaction((tx) => reject(tx, call)),
    ...createAwaitedActs(parts),
    async needsSecond(officer, { accountId: named, order }) {
      const id = accountIdOf(named);
      const account = id && (await findById(db, id));
      if (account === undefined) return false;
      const asking = { officer, accountId: account.id, action: order.action, now: clock.now() };
      return (await demandsSecond(db, asking)) || effectOf(order).needsSecond(db, account, order);
    },
  };
}
