import type { AccountId, DeviceId } from '../kernel/ids.js';

/** The public half of a passkey: what its device row is proved with (WebAuthn Level 3, section 4). */
export interface Passkey {
  readonly deviceId: DeviceId;
  readonly accountId: AccountId;
  readonly credentialId: Buffer;
  /** COSE_Key (RFC 9052 section 7). */
  readonly publicKey: Buffer;
  readonly transports: readonly string[];
  /** It may be copied to the person's other devices (`swk`); else it never leaves the one that made it (`hwk`). */
  readonly backupEligible: boolean;
  readonly userHandle: Buffer;
}

export interface NewPasskey extends Passkey {
  /** As the person named it. */
  readonly name: string;
  readonly counter: number;
  readonly backedUp: boolean;
}
