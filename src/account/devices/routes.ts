import { MAX_DEVICES } from '../../devices/device.js';
import { FEW_CODES } from '../../devices/recovery-code-sets.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
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

const LIST = '/account/devices';

const idOf = (ctx: PageContext): string => (ctx.params as { id: string }).id;

const ownerOf = (ctx: PageContext, { id, sessionUid }: Person): Owner => ({
  accountId: id,
  sessionUid,
  visitor: visitorOf(ctx),
});

/** A person's authenticators: what there is and was, and from here every way to change it. */
export function deviceRoutes({ registry, changes, write }: DeviceRouteParts): Route[] {
  /**
   * The device that the address names, with all of the person's. Another person's is as unknown as none, and so is one
   * that was removed: who goes back to its page is led to those there are.
   */
  async function deviceAt(
    ctx: PageContext,
    person: Person,
  ): Promise<{ device: RegisteredDevice; all: readonly RegisteredDevice[] } | undefined> {
    const all = await registry.activeOf(person.id);
    const device = all.find(({ id }) => id === idOf(ctx));
    if (device === undefined) redirect(ctx, LIST);
    return device && { device, all };
  }

  async function showRename(
    ctx: PageContext,
    person: Person,
    refused?: { readonly deviceName: string; readonly error: PageError },
  ): Promise<void> {
    const at = await deviceAt(ctx, person);
    if (at === undefined) return;
    const { id, name } = at.device;
    const status = refused === undefined ? 200 : 422;
    write(ctx, 'account/devices/rename', { id, name, ...refused }, { person, status });
  }

  async function showRemove(ctx: PageContext, person: Person, refused?: { readonly error: PageError }): Promise<void> {
    const at = await deviceAt(ctx, person);
    if (at === undefined) return;
    const { id, name, kind } = at.device;
    const isLast = refused !== undefined || at.all.every((other) => other.id === id || other.isClosed);
    const status = refused === undefined ? 200 : 422;
    write(ctx, 'account/devices/remove', { id, name, kind, isLast, ...refused }, { person, status });
  }

  return [
    {
      method: 'GET',
      path: '/account',
      access: 'person',
      handle(ctx) {
        redirect(ctx, LIST);
      },
    },
    {
      method: 'GET',
      path: LIST,
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
        write(ctx, 'account/devices/add', { mayAdd: length < MAX_DEVICES }, { person });
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
      handle: (ctx, person) => showRename(ctx, person),
    },
    {
      method: 'POST',
      path: '/account/devices/:id/rename',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { device_name: typed } = pickFields(fields, ['device_name']);
        const answer = await changes.rename(ownerOf(ctx, person), { id: idOf(ctx), name: typed });
        if (answer.kind === 'name_invalid' || answer.kind === 'name_taken') {
          const reason = answer.kind === 'name_taken' ? 'taken' : undefined;
          const error = { code: 'invalid_input', field: 'device_name', reason } as const;
          await showRename(ctx, person, { deviceName: typed, error });
          return;
        }
        if (answer.kind === 'done') leaveNotice(ctx, 'device_renamed');
        redirect(ctx, LIST);
      },
    },
    {
      method: 'GET',
      path: '/account/devices/:id/remove',
      access: 'person',
      fresh: true,
      handle: (ctx, person) => showRemove(ctx, person),
    },
    {
      method: 'POST',
      path: '/account/devices/:id/remove',
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        const answer = await changes.remove(ownerOf(ctx, person), idOf(ctx));
        if (answer.kind === 'last') {
          await showRemove(ctx, person, { error: { code: 'invalid_input', field: 'device' } });
          return;
        }
        if (answer.kind === 'done') leaveNotice(ctx, 'device_removed');
        redirect(ctx, LIST);
      },
    },
  ];
}
