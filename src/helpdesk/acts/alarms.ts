import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import type { AccountId, AgencyCode } from '../../kernel/ids.js';
import type { Log } from '../../kernel/log.js';
import type { Database, Queryable } from '../../storage/database.js';
import { idOf } from '../judgement.js';
import type { ActAction, ActTrace, Caller } from './act.js';
import { markSeen, raiseAlarms, selectAlarms, type Alarm, type AlarmKind } from './alarm-store.js';

export type { Alarm } from './alarm-store.js';

/** Nobody's queue is longer than an administrator can read. */
const MAX_SHOWN = 50;

/** Between the first desk that opens in WIT and the last that closes in WIB, Monday to Friday. */
const OPENS_WIB = 5;
const CLOSES_WIB = 19;
const WIB_OFFSET_HOURS = 7;

/** Acts that give somebody a way into an account. */
const OPENING: ReadonlySet<ActAction> = new Set(['mfa_reset', 'contact_change', 'activation_slip', 'unfreeze']);

function isOffHours(now: Date): boolean {
  const local = new Date(now.getTime() + WIB_OFFSET_HOURS * 3600 * 1000);
  const [day, hour] = [local.getUTCDay(), local.getUTCHours()];
  return day === 0 || day === 6 || hour < OPENS_WIB || hour >= CLOSES_WIB;
}

interface Seen {
  readonly officerId: AccountId;
  /** Of the account. */
  readonly agencyCode: AgencyCode;
  readonly action: ActAction;
  readonly trace: ActTrace;
}

/** What should make an agency's administrator look at an officer: bursts, nights, patterns, used-up quotas (A20). */
export interface Alarms {
  /** After an act, in its transaction. */
  afterAct(tx: Queryable, seen: Seen & { readonly actId: string }): Promise<void>;
  quotaUsedUp(tx: Queryable, seen: Seen): Promise<void>;
  /** What nobody has looked at yet, in the agencies that this administrator answers for; nothing of their own. */
  unseen(officer: AccountId): Promise<readonly Alarm[]>;
  /** True for the one who puts it away; false also when it is none of theirs. */
  putAway(caller: Caller, alarm: string, trace: ActTrace): Promise<boolean>;
}

export function createAlarms(parts: {
  db: Database;
  audit: Audit;
  clock: Clock;
  log: Log;
  onAlarm: (kind: AlarmKind) => void;
}): Alarms {
  const { db, audit, clock, log, onAlarm } = parts;

  async function raise(
    tx: Queryable,
    { officerId, agencyCode, trace }: Seen,
    found: { actId: string | undefined; offHours: boolean; quota: boolean },
  ): Promise<void> {
    const kinds = await raiseAlarms(tx, { officerId, agencyCode, now: clock.now(), ...found });
    for (const kind of kinds) {
      await audit.record(tx, { type: 'alarm.raised', detail: { kind }, actorId: officerId, agencyCode, ...trace });
      log.warn('an officer raised an alarm', { kind, account: officerId, agency: agencyCode });
      onAlarm(kind);
    }
  }

  return {
    afterAct: (tx, { actId, ...seen }) =>
      raise(tx, seen, { actId, offHours: OPENING.has(seen.action) && isOffHours(clock.now()), quota: false }),
    quotaUsedUp: (tx, seen) => raise(tx, seen, { actId: undefined, offHours: false, quota: true }),
    unseen: (officer) => selectAlarms(db, { officer, now: clock.now(), limit: MAX_SHOWN }),
    putAway: (caller, alarm, trace) =>
      db.transaction(async (tx) => {
        const id = idOf(alarm);
        const seen = id && (await markSeen(tx, { officer: caller.accountId, now: clock.now(), id }));
        if (id === undefined || seen === undefined || seen === '') return false;
        const { agencyCode } = seen;
        const about = { actorId: caller.accountId, agencyCode, clientId: caller.clientId };
        await audit.record(tx, { type: 'alarm.seen', detail: { alarm: id }, ...about, ...trace });
        return true;
      }),
  };
}
