import type { EndSessions } from '../accounts/end-sessions.js';
import type { MailedCodes } from '../codes/mailed-codes.js';
import type { DeviceEnd } from '../devices/device.js';
import type { Devices } from '../devices/devices.js';
import type { EnrolmentTickets } from '../devices/enrolment-tickets.js';
import type { AccountId, AttemptId, DeviceId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Guesses } from './guesses.js';

export interface EndedFactors {
  readonly accountId: AccountId;
  readonly reason: DeviceEnd;
  /** Absent: all end, recovery codes too. Else all but `kept`, or of those the one that is `lost`. */
  readonly but?: { readonly kept: DeviceId; readonly lost: DeviceId | undefined };
  /** A sign-in under way that goes on. */
  readonly exceptAttempt?: AttemptId;
}

/** What a reset of second factors ends, whoever resets them. */
export interface EndFactors {
  /**
   * Ends authenticators and everything that was begun with them: sessions, tokens, half-finished sign-ins, mailed
   * codes, in the caller's transaction. Answers which authenticators ended.
   */
  apply(tx: Queryable, ended: EndedFactors): Promise<readonly DeviceId[]>;
}

export interface EndFactorsParts {
  readonly devices: Devices;
  readonly tickets: EnrolmentTickets;
  readonly codes: MailedCodes;
  readonly guesses: Guesses;
  readonly endSessions: EndSessions;
}

export function createEndFactors({ devices, tickets, codes, guesses, endSessions }: EndFactorsParts): EndFactors {
  return {
    async apply(tx, { accountId, reason, but, exceptAttempt }) {
      const ended =
        but === undefined
          ? await devices.endAll(tx, accountId, reason)
          : await devices.endOthers(tx, accountId, { ...but, reason });
      // Else whoever proved the mailbox before the reset could enrol after it without a new proof (R-03, A18).
      await tickets.voidAll(tx, accountId);
      await codes.voidAll(tx, accountId);
      await endSessions.ofAccounts(tx, [accountId], exceptAttempt === undefined ? {} : { exceptAttempt });
      // Wrong codes were counted against factors that are gone; what the last hour saw still counts.
      await guesses.clear(tx, accountId);
      return ended;
    },
  };
}
