import { getById } from '../../accounts/accounts.js';
import type { Audit } from '../../audit/audit.js';
import { canProve, MAX_DEVICES } from '../../devices/device.js';
import { cleanDeviceName, isNameTaken } from '../../devices/device-name.js';
import type { Devices } from '../../devices/devices.js';
import type { AccountId } from '../../kernel/ids.js';
import type { CreationOptions, Passkeys } from '../../mfa/passkeys.js';
import type { Database } from '../../storage/database.js';
import type { Owner, OwnChange } from '../own-change.js';

export type AddPasskeyAnswer =
  | { readonly kind: 'added' }
  | { readonly kind: 'name_invalid' }
  /** Another of their active authenticators is called so. */
  | { readonly kind: 'name_taken' }
  | { readonly kind: 'passkey_invalid' }
  /** Five are registered already. */
  | { readonly kind: 'full' }
  | { readonly kind: 'signed_out' };

/** Adding a passkey to an account that has a second factor, after a fresh one. */
export interface AddPasskey {
  mayAdd(accountId: AccountId): Promise<boolean>;
  /** Makes the challenge; what the browser's script needs. */
  begin(owner: Pick<Owner, 'accountId' | 'sessionUid'>): Promise<CreationOptions>;
  /** Binds it, ends the account's other sessions, and tells the person. */
  finish(owner: Owner, made: { credential: string; deviceName: string }): Promise<AddPasskeyAnswer>;
}

/** The challenge is good for this account in this session. */
const ceremonyOf = ({ accountId, sessionUid }: Pick<Owner, 'accountId' | 'sessionUid'>): string =>
  `register|${accountId}|${sessionUid}`;

export function createAddPasskey(parts: {
  db: Database;
  devices: Devices;
  passkeys: Passkeys;
  ownChange: OwnChange;
  audit: Audit;
}): AddPasskey {
  const { db, devices, passkeys, ownChange, audit } = parts;
  return {
    async mayAdd(accountId) {
      return (await devices.activeOf(db, accountId)).length < MAX_DEVICES;
    },

    async begin(owner) {
      return passkeys.beginRegistration(db, {
        account: await getById(db, owner.accountId),
        ceremony: ceremonyOf(owner),
      });
    },

    async finish(owner, { credential, deviceName }) {
      const name = cleanDeviceName(deviceName);
      if (name === undefined) return { kind: 'name_invalid' };
      const answer = await ownChange.run<AddPasskeyAnswer>(owner, async (tx, account) => {
        const { requestId, agent } = owner.visitor;
        const about = { accountId: account.id, requestId, agent };
        // Counted with the account held: of two that add a fifth at once, of either kind, the second sees the first.
        const bound = await devices.activeOf(tx, account.id);
        const hasFactor = bound.some(canProve);
        // Unless it is this very passkey's: the other half of a double tap has bound it.
        if (isNameTaken(name, bound) && !(await passkeys.isBound(tx, account.id, credential))) {
          return { kind: 'name_taken' };
        }
        const registration = await passkeys.register(tx, {
          account,
          ceremony: ceremonyOf(owner),
          credential,
          name,
          // Whose factors were all taken away meanwhile begins with the mailbox.
          mayBind: hasFactor && bound.length < MAX_DEVICES,
        });
        switch (registration.kind) {
          case 'known':
            return { kind: 'added' };
          case 'barred':
            await audit.record(tx, {
              type: 'device.refused',
              detail: { cause: hasFactor ? 'too_many' : 'none_left' },
              ...about,
            });
            return hasFactor ? { kind: 'full' } : { kind: 'passkey_invalid' };
          case 'refused':
            await audit.record(tx, { type: 'device.refused', detail: { cause: registration.cause }, ...about });
            return { kind: 'passkey_invalid' };
          case 'registered':
            await ownChange.complete(tx, {
              owner,
              account,
              events: [{ type: 'device.enrolled', detail: { device: registration.device }, ...about }],
              mail: 'passkey-added',
              data: { deviceName: name },
            });
            return { kind: 'added' };
        }
      });
      return answer ?? { kind: 'signed_out' };
    },
  };
}
