import { getById, type Account } from '../accounts/accounts.js';
import type { Clock } from '../kernel/clock.js';
import type { AccountId } from '../kernel/ids.js';
import type { Log } from '../kernel/log.js';
import type { KeyedDigest } from '../security/digests.js';
import type { Database, Queryable } from '../storage/database.js';
import type { Quota } from '../throttle/policies.js';
import { spendQuotas } from '../throttle/quotas.js';
import { lockAccount } from './authority-store.js';
import { createFactorReset, type FactorResetParts } from './factor-reset.js';
import { createIdempotency, type KeyReused } from './idempotency.js';
import { judgeOfficer, type RefusalCause } from './judgement.js';
import { insertOfficersReset, insertOperatorsReset } from './mfa-reset-store.js';
import type { Refusals } from './refusals.js';

/** so much one officer can do before somebody looks. */
export const RESET_QUOTAS = {
  hour: { scope: 'mfa-reset-hour', limit: 20, windowSeconds: 3600 },
  day: { scope: 'mfa-reset-day', limit: 60, windowSeconds: 24 * 3600 },
} satisfies Record<string, Quota>;

/** What an officer asks for, having checked the person's identity. */
export interface OfficersOrder {
  readonly officer: { readonly accountId: AccountId; readonly clientId: string };
  /** As the caller named it: known or not, a UUID or not. */
  readonly accountId: string;
  readonly reason: string;
  readonly ticket: string;
  readonly method: 'photo_id';
  readonly idempotencyKey: string | undefined;
  readonly requestId: string;
}

export type OfficersAnswer =
  | { readonly kind: 'done' }
  /** There is no such account, or it is none of the officer's: nobody can tell which. */
  | { readonly kind: 'not_found' }
  /** The officer's own account, or one that holds a role: two persons must agree on those. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'throttled'; readonly until: Date }
  | KeyReused;

interface OperatorsOrder {
  readonly accountId: AccountId;
  readonly reason: string;
}

interface OperatorsAnswer {
  readonly kind: 'done';
  readonly endedDevices: number;
  /** False: no address is on file, so nobody was told. */
  readonly mailed: boolean;
}

/**
 * Ends every second factor of an account for somebody who cannot use theirs any more. The person then enrols anew
 * with password and mailed code; nobody here sees or sets a password, secret or code (R-10, SECURITY.md 3.4).
 */
export interface MfaReset {
  /** All in one transaction, authority included. Every refusal leaves its audit row. */
  byOfficer(order: OfficersOrder): Promise<OfficersAnswer>;
  /** For whoever operates the server: any account, also one that holds a role. */
  byOperator(order: OperatorsOrder): Promise<OperatorsAnswer>;
}

export interface MfaResetParts extends FactorResetParts {
  readonly db: Database;
  readonly refusals: Refusals;
  readonly keyed: KeyedDigest;
  readonly clock: Clock;
  readonly log: Log;
}

const ANSWERS: Readonly<Record<RefusalCause, OfficersAnswer>> = {
  unknown: { kind: 'not_found' },
  out_of_scope: { kind: 'not_found' },
  self: { kind: 'forbidden' },
  privileged: { kind: 'forbidden' },
};

export function createMfaReset(parts: MfaResetParts): MfaReset {
  const { db, refusals, keyed, clock, log } = parts;
  const idempotency = createIdempotency({ keyed, clock });
  const factorReset = createFactorReset(parts);

  const recordRefused = (tx: Queryable, order: OfficersOrder, cause: string, target?: Account): Promise<void> =>
    refusals.record(tx, {
      action: 'mfa_reset',
      cause,
      actorId: order.officer.accountId,
      clientId: order.officer.clientId,
      accountId: order.accountId,
      agencyCode: target?.agency.code,
      trace: { requestId: order.requestId },
    });

  async function reset(tx: Queryable, order: OfficersOrder): Promise<OfficersAnswer> {
    const { officer: caller, requestId, reason, ticket, method } = order;
    const judged = await judgeOfficer(tx, { officerId: caller.accountId, named: order.accountId });
    if (judged.kind === 'refused') {
      await recordRefused(tx, order, judged.cause, judged.target);
      return ANSWERS[judged.cause];
    }
    const { target, officer, through } = judged;

    const now = clock.now();
    const key = keyed('mfa reset officer', officer.id);
    const places = Object.values(RESET_QUOTAS).map((quota) => ({ quota, key }));
    const spending = await spendQuotas(tx, { places, now });
    if (spending.kind === 'exhausted') {
      log.warn('an officer has used up the MFA resets allowed', { account: officer.id, request_id: requestId });
      await recordRefused(tx, order, 'throttled', target);
      return { kind: 'throttled', until: spending.until };
    }

    const made = {
      accountId: target.id,
      officerId: officer.id,
      clientId: caller.clientId,
      reason,
      ticket,
      method,
      now,
    };
    const resetId = await insertOfficersReset(tx, made);
    if (resetId === undefined) {
      // The officer's own rights are not held: they ended since they were read.
      await recordRefused(tx, order, 'out_of_scope', target);
      return ANSWERS.out_of_scope;
    }
    await factorReset.apply(tx, {
      account: target,
      resetId,
      method,
      by: { actorId: officer.id, clientId: caller.clientId, name: officer.name, agency: through.agency?.name },
      requestId,
    });
    return { kind: 'done' };
  }

  return {
    byOfficer: (order) =>
      db.transaction(async (tx) => {
        const call = {
          caller: `${order.officer.clientId} ${order.officer.accountId}`,
          key: order.idempotencyKey,
          request: JSON.stringify(['mfa-reset', order.accountId, order.reason, order.ticket, order.method]),
          keeps: ({ kind }: OfficersAnswer) => kind === 'done',
        };
        const answer = await idempotency.once<OfficersAnswer>(tx, call, () => reset(tx, order));
        if (answer.kind === 'key_reused') await recordRefused(tx, order, 'key_reused');
        return answer;
      }),

    byOperator: ({ accountId: id, reason }) =>
      db.transaction(async (tx) => {
        await lockAccount(tx, id);
        const account = await getById(tx, id);
        const resetId = await insertOperatorsReset(tx, { accountId: id, reason, now: clock.now() });
        if (resetId === undefined) throw new Error(`account ${id} is gone`);
        const endedDevices = await factorReset.apply(tx, { account, resetId, method: 'operator' });
        return { kind: 'done', endedDevices, mailed: account.email !== undefined };
      }),
  };
}
