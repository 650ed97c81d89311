import type { Audit } from '../audit/audit.js';
import type { AccountId, AgencyCode } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import { accountIdOf } from './judgement.js';

/** Something an officer or a service was refused. */
export interface Refused {
  /** What was wanted, e.g. `desk.show`. */
  readonly action: string;
  readonly cause: string;
  readonly actorId: AccountId | undefined;
  /** Absent on our own pages. */
  readonly clientId?: string | undefined;
  /** Whom it was about, as the caller named them: known or not, a UUID or not. */
  readonly accountId?: string | undefined;
  /** Where that account is, when it exists. */
  readonly agencyCode?: AgencyCode | undefined;
  readonly trace: Pick<Trace, 'requestId'> & Partial<Trace>;
}

/** Puts on record what was refused: who tries accounts one after the other must stand out. */
export interface Refusals {
  record(tx: Queryable, refused: Refused): Promise<void>;
}

export const createRefusals = (audit: Audit): Refusals => ({
  record(tx, { action, cause, actorId, clientId, accountId, agencyCode, trace }) {
    const about = {
      // Also an id that nobody has.
      accountId: accountId === undefined ? undefined : accountIdOf(accountId),
      actorId,
      agencyCode,
      clientId,
      ...trace,
    };
    return audit.record(tx, { type: 'desk.refused', detail: { action, cause }, ...about });
  },
});
