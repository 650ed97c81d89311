import type { Clock } from '../kernel/clock.js';
import type { AccountId, DeviceId } from '../kernel/ids.js';
import type { Queryable } from '../storage/database.js';
import type { NewPasskey, Passkey } from './passkey.js';
import { findActivePasskeys, findPasskey, insertPasskey, spendCounter } from './passkey-store.js';

/** The passkeys among the devices. They are listed, renamed, removed and ended as devices are. */
export interface PasskeyRegistry {
  /** The active ones, oldest first. */
  activeOf(db: Queryable, account: AccountId): Promise<Passkey[]>;
  /** The active one with this credential id. */
  find(db: Queryable, credentialId: Buffer): Promise<Passkey | undefined>;
  /** Binds it, active at once. False: this credential is or was bound already. */
  add(tx: Queryable, passkey: NewPasskey): Promise<boolean>;
  /** Notes a use. False: the counter has not risen, so the authenticator was copied; or the device has just ended. */
  use(tx: Queryable, used: { device: DeviceId; counter: number; backedUp: boolean }): Promise<boolean>;
}

export function createPasskeyRegistry(clock: Clock): PasskeyRegistry {
  return {
    activeOf: findActivePasskeys,
    find: findPasskey,
    add: (tx, passkey) => insertPasskey(tx, { ...passkey, now: clock.now() }),
    use: (tx, used) => spendCounter(tx, { ...used, now: clock.now() }),
  };
}
