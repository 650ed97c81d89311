import { secondsAfter, type Clock } from '../kernel/clock.js';
import type { AccountId, AttemptId, DeviceId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { Device, DeviceEnd, DriftSighting } from './device.js';
import * as store from './device-store.js';
import { endSet } from './recovery-code-store.js';

/** How long a secret that was shown waits for its first code. */
export const PENDING_SECONDS = 30 * 60;

/** The registry of second factors. */
export interface Devices {
  /** The active ones, oldest first. */
  activeOf(db: Queryable, account: AccountId): Promise<Device[]>;
  /** What this sign-in is enrolling, if it was shown less than 30 minutes ago. */
  findPending(db: Queryable, attempt: AttemptId): Promise<Device | undefined>;
  addPending(
    tx: Queryable,
    device: { id: DeviceId; accountId: AccountId; attempt: AttemptId; sealedSecret: string },
  ): Promise<void>;
  /** Spends a time step of an active device. False: it, or a later one, was spent before, or it is burned. */
  spendStep(tx: Queryable, device: DeviceId, step: number): Promise<boolean>;
  /** Makes a pending device active, its confirming step spent. False: it is no longer pending. */
  confirm(tx: Queryable, confirmed: { device: DeviceId; name: string; step: number }): Promise<boolean>;
  recordDrift(tx: Queryable, device: DeviceId, sighting: DriftSighting): Promise<void>;
  /** Ends every factor of an account, recovery codes too: an old code must not outlive its device. */
  endAll(tx: Queryable, account: AccountId, reason: DeviceEnd): Promise<DeviceId[]>;
  /** Ends all authenticators but one that the person has in hand, or of those the one named; recovery codes stay. */
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
    findPending: (db, attempt) => store.findPending(db, attempt, notBefore()),
    addPending: (tx, device) => store.insertPending(tx, { ...device, now: clock.now() }),
    spendStep: (tx, device, step) => store.spendStep(tx, { device, step, now: clock.now() }),
    confirm: (tx, confirmed) => store.activate(tx, { ...confirmed, now: clock.now(), notBefore: notBefore() }),
    recordDrift: store.recordDrift,
    async endAll(tx, accountId, reason) {
      const ended = await store.endActive(tx, { accountId, reason, now: clock.now() });
      await endSet(tx, accountId, clock.now());
      return ended;
    },
    endOthers: (tx, accountId, { kept, lost, reason }) =>
      store.endActive(tx, { accountId, reason, now: clock.now(), except: kept, ...(lost && { only: lost }) }),
  };
}
