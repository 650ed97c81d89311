import { canProve, type Device, type DeviceEnd, type DeviceKind } from '../../devices/device.js';
import type { Devices } from '../../devices/devices.js';
import type { CodesLeft, RecoveryCodeSets } from '../../devices/recovery-code-sets.js';
import type { AccountId, DeviceId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';

/** How many authenticators that have ended are shown. */
export const HISTORY = 20;

/** One authenticator as its owner sees it: no secrets. */
export interface RegisteredDevice {
  readonly id: DeviceId;
  readonly name: string;
  readonly kind: DeviceKind;
  readonly addedAt: Date;
  readonly lastUsedAt: Date | undefined;
  /** Too many wrong codes: it proves nothing any more. */
  readonly isClosed: boolean;
}

/** One that was registered once. */
export interface FormerDevice {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly addedAt: Date;
  readonly endedAt: Date;
  readonly reason: DeviceEnd;
}

export interface Registry {
  /** Oldest first. */
  readonly devices: readonly RegisteredDevice[];
  /** The latest 20 that have ended, the latest end first. */
  readonly former: readonly FormerDevice[];
  /** Undefined: there is no set of recovery codes. */
  readonly codes: CodesLeft | undefined;
}

/** What a person has to prove themselves with. */
export interface DeviceRegistry {
  of(accountId: AccountId): Promise<Registry>;
  /** Those bound now alone, oldest first. */
  activeOf(accountId: AccountId): Promise<readonly RegisteredDevice[]>;
}

const shown = (device: Device): RegisteredDevice => ({
  id: device.id,
  name: device.name,
  kind: device.kind,
  addedAt: device.activatedAt ?? new Date(Number.NaN),
  lastUsedAt: device.lastUsedAt,
  isClosed: !canProve(device),
});

export function createDeviceRegistry(parts: {
  db: Database;
  devices: Devices;
  recoveryCodeSets: RecoveryCodeSets;
}): DeviceRegistry {
  const { db, devices, recoveryCodeSets } = parts;
  const activeOf = async (accountId: AccountId): Promise<readonly RegisteredDevice[]> =>
    (await devices.activeOf(db, accountId)).map(shown);
  return {
    activeOf,
    async of(accountId) {
      const ended = await devices.endedOf(db, accountId, HISTORY);
      return {
        devices: await activeOf(accountId),
        former: ended.map(({ activatedAt, ...device }) => ({ ...device, addedAt: activatedAt })),
        codes: await recoveryCodeSets.left(db, accountId),
      };
    },
  };
}
