import type { DeviceKind } from '../../devices/device.js';
import type { Devices } from '../../devices/devices.js';
import type { CodesLeft, RecoveryCodeSets } from '../../devices/recovery-code-sets.js';
import type { AccountId, DeviceId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';

/** One authenticator as its owner sees it: no secrets. */
export interface RegisteredDevice {
  readonly id: DeviceId;
  readonly name: string;
  readonly kind: DeviceKind;
  readonly addedAt: Date;
  readonly lastUsedAt: Date | undefined;
}

export interface Registry {
  /** Oldest first. */
  readonly devices: readonly RegisteredDevice[];
  /** Undefined: there is no set of recovery codes. */
  readonly codes: CodesLeft | undefined;
}

/** What a person has to prove themselves with. */
export interface DeviceRegistry {
  of(accountId: AccountId): Promise<Registry>;
}

export function createDeviceRegistry(parts: {
  db: Database;
  devices: Devices;
  recoveryCodeSets: RecoveryCodeSets;
}): DeviceRegistry {
  const { db, devices, recoveryCodeSets } = parts;
  return {
    async of(accountId) {
      const active = await devices.activeOf(db, accountId);
      return {
        devices: active.map(({ id, name, kind, activatedAt, lastUsedAt }) => ({
          id,
          name,
          kind,
          addedAt: activatedAt ?? new Date(Number.NaN),
          lastUsedAt,
        })),
        codes: await recoveryCodeSets.left(db, accountId),
      };
    },
  };
}
