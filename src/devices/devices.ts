import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId, DeviceId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { ChangedDevice, Device, DeviceEnd, DriftSighting, EndedDevice, EnrolmentPlace } from './device.js';
import * as store from './device-store.js';
import { endSet } from './recovery-code-store.js';

/** How long a secret that was shown waits for its first code. */
export const PENDING_SECONDS = 30 * 60;

/** How long the same code typed again gets the same answer. */
const SAME_ANSWER_SECONDS = 60;

/** The registry of second factors. */
export interface Devices {
  /** Those bound to it, oldest first; closed ones too, which can prove nothing any more. */
  activeOf(db: Queryable, account: AccountId): Promise<Device[]>;
  /** The latest that were bound once and are no longer, the latest end first. */
  endedOf(db: Queryable, account: AccountId, limit: number): Promise<EndedDevice[]>;
  /** All that were bound or ended since then. */
  changedSince(db: Queryable, account: AccountId, since: Date): Promise<ChangedDevice[]>;
  /** When factors were last ended by a reset, the person's own or an officer's, or closed by wrong codes. */
  lastResetOf(db: Queryable, account: AccountId): Promise<Date | undefined>;
  /** What is being enrolled there, if it was shown less than 30 minutes ago. */
  findPending(db: Queryable, place: EnrolmentPlace): Promise<Device | undefined>;
  /** Voids what was shown there before. */
  addPending(
    tx: Queryable,
    device: { id: DeviceId; accountId: AccountId; sealedSecret: string; replaces?: DeviceId } & EnrolmentPlace,
  ): Promise<void>;
  /** Voids what other sessions and sign-ins of the account were shown. */
  voidPendingElsewhere(tx: Queryable, account: AccountId, session: string): Promise<void>;
  /** Spends a time step of an active device. False: it, or a later one, was spent before, or burned; or it is closed. */
  spendStep(tx: Queryable, device: DeviceId, step: number): Promise<boolean>;
  /**
   * Makes a pending device active, its confirming step spent. False: it is no longer pending, or another active one of
   * the account has this name, and it does not take that one's place.
   */
  confirm(tx: Queryable, confirmed: { device: DeviceId; name: string; step: number }): Promise<boolean>;
  recordDrift(tx: Queryable, device: DeviceId, sighting: DriftSighting): Promise<void>;
  /** False: it is not an active one of this account, or another one is called so. */
  rename(tx: Queryable, renamed: { accountId: AccountId; device: DeviceId; name: string }): Promise<boolean>;
  /** Ends one; the caller holds the account. False: it is not an active one of this account, or no other could prove. */
  endOne(tx: Queryable, ended: { accountId: AccountId; device: DeviceId; reason: DeviceEnd }): Promise<boolean>;
  /** Keeps what came of a code typed for this device, so that a double tap gets the same answer. */
  keepAnswer(tx: Queryable, device: DeviceId, answered: { digest: Buffer; answer: string }): Promise<void>;
  /** What came of the same code less than a minute ago. */
  answerGiven(db: Queryable, asked: { accountId: AccountId; digest: Buffer }): Promise<string | undefined>;
  /** Closes every app of an account for good and ends its recovery codes; passkeys stay. Answers which are closed now. */
  closeApps(tx: Queryable, account: AccountId): Promise<DeviceId[]>;
  /** Ends every factor of an account, recovery codes too: an old code must not outlive its device. */
  endAll(tx: Queryable, account: AccountId, reason: DeviceEnd): Promise<DeviceId[]>;
  /**
   * Ends all authenticators but one that the person has in hand, or of those the one named and the closed ones; recovery
   * codes stay.
   */
  endOthers(
    tx: Queryable,
    account: AccountId,
    ended: { kept: DeviceId; lost: DeviceId | undefined; reason: DeviceEnd },
  ): Promise<DeviceId[]>;
}

export function createDevices(clock: Clock): Devices {
  const notBefore = (): Date => secondsAfter(clock.now(), -PENDING_SECONDS);
  return {
    activeOf: store.findActive,
    endedOf: store.findEnded,
    changedSince: store.findChanged,
    lastResetOf: store.findLastReset,
    findPending: (db, place) => store.findPending(db, place, notBefore()),
    addPending: (tx, device) => store.insertPending(tx, { ...device, now: clock.now() }),
    voidPendingElsewhere: store.deletePendingElsewhere,
    spendStep: (tx, device, step) => store.spendStep(tx, { device, step, now: clock.now() }),
    confirm: (tx, confirmed) => store.activate(tx, { ...confirmed, now: clock.now(), notBefore: notBefore() }),
    recordDrift: store.recordDrift,
    rename: store.rename,
    endOne: (tx, ended) => store.endOne(tx, { ...ended, now: clock.now() }),
    keepAnswer: (tx, device, answered) => store.recordAnswer(tx, device, { ...answered, now: clock.now() }),
    answerGiven: (db, asked) =>
      store.findAnswer(db, { ...asked, since: secondsAfter(clock.now(), -SAME_ANSWER_SECONDS) }),
    async closeApps(tx, accountId) {
      const closed = await store.closeApps(tx, accountId, clock.now());
      await endSet(tx, accountId, clock.now());
      return closed;
    },
    async endAll(tx, accountId, reason) {
      const ended = await store.endActive(tx, { accountId, reason, now: clock.now() });
      await endSet(tx, accountId, clock.now());
      return ended;
    },
    endOthers: (tx, accountId, { kept, lost, reason }) =>
      store.endActive(tx, { accountId, reason, now: clock.now(), except: kept, ...(lost && { only: lost }) }),
  };
}
