import type { Audit } from '../audit/audit.js';
import type { Clock } from '../kernel/clock.js';
import type { AgencyCode } from '../kernel/ids.js';
import type { Database } from '../storage/database.js';
import type { ActTrace, Caller } from './acts/act.js';
import type { Refusals } from './refusals.js';
import { selectStrict, setTwoOfficers, setTwoOfficersOf } from './two-officers-store.js';

/** Whether an agency demands a second officer for every act on its people, and on those below it (docs/PRODUCT). */
export interface TwoOfficers {
  /** By an administrator of the agency. False when it is none of theirs, or there is no such agency. */
  set(order: {
    readonly caller: Caller;
    readonly agency: string;
    readonly on: boolean;
    readonly trace: ActTrace;
  }): Promise<boolean>;
  /** By whoever operates the server. False when there is no such agency. */
  setByOperator(order: { readonly agency: AgencyCode; readonly on: boolean }): Promise<boolean>;
  /** The agency that demands it of acts on people of this one: itself or one above it. */
  demandedFor(agency: AgencyCode): Promise<{ readonly code: AgencyCode; readonly name: string } | undefined>;
}

export function createTwoOfficers(parts: {
  db: Database;
  audit: Audit;
  refusals: Refusals;
  clock: Clock;
}): TwoOfficers {
  const { db, audit, refusals, clock } = parts;
  return {
    set: ({ caller, agency, on, trace }) =>
      db.transaction(async (tx) => {
        const order = { officerId: caller.accountId, agency, on, now: clock.now() };
        const code = await setTwoOfficers(tx, order);
        const { accountId: actorId, clientId } = caller;
        if (code === undefined) {
          await refusals.record(tx, { action: 'two_officers', cause: 'out_of_scope', actorId, clientId, trace });
          return false;
        }
        const detail = { two_officers: on };
        await audit.record(tx, { type: 'agency.changed', detail, actorId, clientId, agencyCode: code, ...trace });
        return true;
      }),
    setByOperator: ({ agency, on }) =>
      db.transaction(async (tx) => {
        if (!(await setTwoOfficersOf(tx, { agency, on, now: clock.now() }))) return false;
        await audit.record(tx, { type: 'agency.changed', detail: { two_officers: on }, agencyCode: agency });
        return true;
      }),
    demandedFor: (agency) => selectStrict(db, agency),
  };
}
