import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Presence } from '../../mfa/presence.js';
import type { Database } from '../../storage/database.js';
import type { ActTrace, Caller } from '../acts/act.js';
import { judgeOfficer } from '../judgement.js';
import type { Refusals } from '../refusals.js';

export type PresenceChecked =
  /** The number to read back to the person. */
  | { readonly kind: 'right'; readonly counter: string }
  | { readonly kind: 'presence_refused' }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'throttled'; readonly until: Date };

/** Judges a presence code before the reset that spends it, for an officer who may order that reset (ADR 0022). */
export type CheckPresence = (call: {
  readonly caller: Caller;
  readonly trace: ActTrace;
  /** As the caller named it. */
  readonly accountId: string;
  readonly typed: string;
}) => Promise<PresenceChecked>;

export function createPresenceCheck(parts: {
  db: Database;
  presence: Presence;
  refusals: Refusals;
  clock: Clock;
}): CheckPresence {
  const { db, presence, refusals, clock } = parts;
  const KINDS = { unknown: 'not_found', out_of_scope: 'not_found' } as Readonly<Record<string, 'not_found'>>;
  return ({ caller, trace, accountId, typed }) =>
    db.transaction(async (tx) => {
      const officerId: AccountId = caller.accountId;
      const judged = await judgeOfficer(tx, { officerId, named: accountId, action: 'mfa_reset', now: clock.now() });
      const refuse = (cause: string): Promise<void> =>
        refusals.record(tx, {
          action: 'mfa_reset',
          cause,
          actorId: officerId,
          clientId: caller.clientId,
          accountId,
          agencyCode: judged.target?.agency.code,
          trace,
        });
      if (judged.kind === 'refused') {
        await refuse(judged.cause);
        return { kind: KINDS[judged.cause] ?? 'forbidden' };
      }
      const { id, agency } = judged.target;
      const by = { officerId, agencyCode: agency.code, clientId: caller.clientId, requestId: trace.requestId };
      const checked = await presence.check(tx, { accountId: id, typed, by });
      if (checked.kind === 'right') return { kind: 'right', counter: checked.counterCode };
      await refuse(checked.kind === 'wrong' ? 'presence' : 'throttled');
      return checked.kind === 'wrong' ? { kind: 'presence_refused' } : checked;
    });
}
