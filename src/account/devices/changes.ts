import type { Audit } from '../../audit/audit.js';
import { cleanDeviceName } from '../../devices/device-name.js';
import type { Devices } from '../../devices/devices.js';
import { deviceId } from '../../kernel/ids.js';
import type { Owner, OwnChange } from '../own-change.js';
import { HISTORY } from './registry.js';

export type RenameAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'name_invalid' }
  /** Another of their active authenticators is called so. */
  | { readonly kind: 'name_taken' }
  /** It is no active authenticator of this person. */
  | { readonly kind: 'not_found' }
  | { readonly kind: 'signed_out' };

export type RemoveAnswer =
  /** Also when it was removed before: a double tap gets the same answer. */
  | { readonly kind: 'done' }
  /** It is the only one that can prove: one always stays. */
  | { readonly kind: 'last' }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'signed_out' };

/** What people do to authenticators that they have. */
export interface DeviceChanges {
  /** Changes nothing but the name; nobody is logged out. */
  rename(owner: Owner, renamed: { readonly id: string; readonly name: string }): Promise<RenameAnswer>;
  /** Ends an authenticator unless no other could prove, and with it every other session. */
  remove(owner: Owner, id: string): Promise<RemoveAnswer>;
}

export function createDeviceChanges(parts: { devices: Devices; ownChange: OwnChange; audit: Audit }): DeviceChanges {
  const { devices, ownChange, audit } = parts;
  return {
    async rename(owner, { id, name: typed }) {
      const name = cleanDeviceName(typed);
      if (name === undefined) return { kind: 'name_invalid' };
      const { accountId } = owner;
      const { requestId, agent } = owner.visitor;
      const answer = await ownChange.run<RenameAnswer>(owner, async (tx) => {
        const device = (await devices.activeOf(tx, accountId)).find((each) => each.id === id);
        if (device === undefined) return { kind: 'not_found' };
        if (device.name === name) return { kind: 'done' };
        // It is there, and the account is held: nothing else can stand in the way.
        if (!(await devices.rename(tx, { accountId, device: device.id, name }))) return { kind: 'name_taken' };
        const detail = { device: device.id };
        await audit.record(tx, { type: 'device.renamed', detail, accountId, requestId, agent });
        return { kind: 'done' };
      });
      return answer ?? { kind: 'signed_out' };
    },

    async remove(owner, id) {
      const { accountId } = owner;
      const { requestId, agent } = owner.visitor;
      const answer = await ownChange.run<RemoveAnswer>(owner, async (tx, account) => {
        const device = (await devices.activeOf(tx, accountId)).find((each) => each.id === id);
        if (device === undefined) {
          const before = (await devices.endedOf(tx, accountId, HISTORY)).find((each) => each.id === deviceId(id));
          return { kind: before?.reason === 'removed' ? 'done' : 'not_found' };
        }
        if (!(await devices.endOne(tx, { accountId, device: device.id, reason: 'removed' }))) return { kind: 'last' };
        const detail = { device: device.id, reason: 'removed' } as const;
        await ownChange.complete(tx, {
          owner,
          account,
          events: [{ type: 'device.ended', detail, accountId, requestId, agent }],
          mail: 'authenticator-removed',
          data: { deviceName: device.name },
        });
        return { kind: 'done' };
      });
      return answer ?? { kind: 'signed_out' };
    },
  };
}
