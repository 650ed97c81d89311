import { MAX_DEVICES } from '../../devices/device.js';
import { FEW_CODES } from '../../devices/recovery-code-sets.js';
import { Refusal } from '../../kernel/refusal.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { Owner } from '../own-change.js';
import type { DeviceChanges } from './changes.js';
import type { DeviceRegistry, RegisteredDevice } from './registry.js';

export interface DeviceRouteParts {
  readonly registry: DeviceRegistry;
  readonly changes: DeviceChanges;
  readonly write: PageWriter;
}

const idOf = (ctx: PageContext): string => (ctx.params as { id: string }).id;

const ownerOf = (ctx: PageContext, { id, sessionUid }: Person): Owner => ({
  accountId: id,
  sessionUid,
  visitor: visitorOf(ctx),
});

/** A person's authenticators: what there is and was, and from here every way to change it. */
export function deviceRoutes({ registry, changes, write }: DeviceRouteParts): Route[] {
  /** The device that the address names, with all of the person's. Another person's is as unknown as none. */
  async function deviceAt(
    ctx: PageContext,
    person: Person,
  ): Promise<{ device: RegisteredDevice; all: readonly RegisteredDevice[] }> {
    const all = await registry.activeOf(person.id);
    const device = all.find(({ id }) => id === idOf(ctx));
    if (device === undefined) throw new Refusal('not_found');
    return { device, all };
  }

  return [
    {
      method: 'GET',
      path: '/account',
      access: 'person',
      handle(ctx) {
        redirect(ctx, '/account/devices');
      },
    },
    {
      method: 'GET',
      path: '/account/devices',
      access: 'person',
      async handle(ctx, person) {
        const { devices, former, codes } = await registry.of(person.id);
        const done = takeOneOf(ctx, [
          'device_added',
          'passkey_added',
          'device_removed',
          'device_renamed',
          'device_moved',
        ]);
        const mayAdd = devices.length < MAX_DEVICES;
        const fewCodes = codes === undefined || codes.left <= FEW_CODES;
        write(ctx, 'account/devices', { devices, former, codes, fewCodes, mayAdd, done }, { person });
      },
    },
    {
      method: 'GET',
      path: '/account/devices/add',
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const { length } = await registry.activeOf(person.id);
        // That page says why, and what is possible instead.
        if (length >= MAX_DEVICES) redirect(ctx, '/account/devices');
        else write(ctx, 'account/devices/add', {}, { person });
      },
    },
    {
      method: 'GET',
      path: '/account/devices/move',
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        write(ctx, 'account/devices/move', { devices: await registry.activeOf(person.id) }, { person });
      },
    },
    {
      method: 'GET',
      path: '/account/devices/:id/rename',
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const { id, name } = (await deviceAt(ctx, person)).device;
        write(ctx, 'account/devices/rename', { id, name }, { person });
      },
    },
    {
      method: 'POST',
      path: '/account/devices/:id/rename',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { device_name: typed } = pickFields(fields, ['device_name']);
        const answer = await changes.rename(ownerOf(ctx, person), { id: idOf(ctx), name: typed });
        if (answer.kind === 'not_found') throw new Refusal('not_found');
        if (answer.kind === 'name_invalid') {
          const { id, name } = (await deviceAt(ctx, person)).device;
          const error = { code: 'invalid_input', field: 'device_name' } as const;
          write(ctx, 'account/devices/rename', { id, name, deviceName: typed, error }, { person, status: 422 });
          return;
        }
        if (answer.kind === 'done') leaveNotice(ctx, 'device_renamed');
        redirect(ctx, '/account/devices');
      },
    },
    {
      method: 'GET',
      path: '/account/devices/:id/remove',
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const { device, all } = await deviceAt(ctx, person);
        const { id, name } = device;
        const isLast = all.every((other) => other.id === id || other.isClosed);
        write(ctx, 'account/devices/remove', { id, name, isLast }, { person });
      },
    },
    {
      method: 'POST',
      path: '/account/devices/:id/remove',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        const answer = await changes.remove(ownerOf(ctx, person), idOf(ctx));
        if (answer.kind === 'not_found') throw new Refusal('not_found');
        if (answer.kind === 'last') {
          const { id, name } = (await deviceAt(ctx, person)).device;
          const error = { code: 'invalid_input', field: 'device' } as const;
          write(ctx, 'account/devices/remove', { id, name, isLast: true, error }, { person, status: 422 });
          return;
        }
        if (answer.kind === 'done') leaveNotice(ctx, 'device_removed');
        redirect(ctx, '/account/devices');
      },
    },
  ];
}
