import { getById, holdAccount } from '../../accounts/accounts.js';
import type { AccountMail } from '../../accounts/account-mail.js';
import type { EndSessions } from '../../accounts/end-sessions.js';
import type { Audit } from '../../audit/audit.js';
import { MAX_DEVICES } from '../../devices/device.js';
import { cleanDeviceName } from '../../devices/device-name.js';
import type { Devices } from '../../devices/devices.js';
import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { CreationOptions, Passkeys } from '../../mfa/passkeys.js';
import type { Database } from '../../storage/database.js';

/** Who adds it, in which session: the challenge is good for both together. */
interface Holder {
  readonly id: AccountId;
  readonly sessionUid: string;
}

export type AddPasskeyAnswer =
  | { readonly kind: 'added' }
  | { readonly kind: 'name_invalid' }
  | { readonly kind: 'passkey_invalid' }
  /** Five are registered already. */
  | { readonly kind: 'full' };

/** Adding a passkey to an account that has a second factor, after a fresh one. */
export interface AddPasskey {
  mayAdd(accountId: AccountId): Promise<boolean>;
  /** Makes the challenge; what the browser's script needs. */
  begin(holder: Holder): Promise<CreationOptions>;
  /** Binds it, ends the account's other sessions, and tells the person. */
  finish(
    holder: Holder,
    made: { credential: string; deviceName: string; requestId: string },
  ): Promise<AddPasskeyAnswer>;
}

const ceremonyOf = ({ id, sessionUid }: Holder): string => `register|${id}|${sessionUid}`;

export function createAddPasskey(parts: {
  db: Database;
  devices: Devices;
  passkeys: Passkeys;
  endSessions: EndSessions;
  accountMail: AccountMail;
  audit: Audit;
  clock: Clock;
}): AddPasskey {
  const { db, devices, passkeys, endSessions, accountMail, audit, clock } = parts;
  return {
    async mayAdd(accountId) {
      return (await devices.activeOf(db, accountId)).length < MAX_DEVICES;
    },

    async begin(holder) {
      return passkeys.beginRegistration(db, {
        account: await getById(db, holder.id),
        ceremony: ceremonyOf(holder),
      });
    },

    async finish(holder, { credential, deviceName, requestId }) {
      const name = cleanDeviceName(deviceName);
      if (name === undefined) return { kind: 'name_invalid' };
      return db.transaction<AddPasskeyAnswer>(async (tx) => {
        // Of two that add a fifth at once, the second sees the first.
        await holdAccount(tx, holder.id);
        const account = await getById(tx, holder.id);
        const about = { accountId: account.id, requestId };
        const held = (await devices.activeOf(tx, account.id)).length;
        const registration = await passkeys.register(tx, {
          account,
          ceremony: ceremonyOf(holder),
          credential,
          name,
          // Whose factors were all taken away meanwhile begins with the mailbox.
          mayBind: held > 0 && held < MAX_DEVICES,
        });
        switch (registration.kind) {
          case 'known':
            return { kind: 'added' };
          case 'barred':
            await audit.record(tx, {
              type: 'device.refused',
              detail: { cause: held === 0 ? 'none_left' : 'too_many' },
              ...about,
            });
            return held === 0 ? { kind: 'passkey_invalid' } : { kind: 'full' };
          case 'refused':
            await audit.record(tx, { type: 'device.refused', detail: { cause: registration.cause }, ...about });
            return { kind: 'passkey_invalid' };
          case 'registered': {
            const { device } = registration;
            await endSessions.ofAccounts(tx, [account.id], { exceptSession: holder.sessionUid });
            await audit.record(tx, { type: 'device.enrolled', detail: { device }, ...about });
            await accountMail.queue(tx, {
              account,
              mail: 'passkey-added',
              data: { deviceName: name, at: clock.now() },
            });
            return { kind: 'added' };
          }
        }
      });
    },
  };
}
