import { MAX_DEVICES } from '../../devices/device.js';
import { takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import { redirect } from '../../web/redirect.js';
import type { Route } from '../../web/route-table.js';
import type { DeviceRegistry } from './registry.js';

export interface DeviceRouteParts {
  readonly registry: DeviceRegistry;
  readonly write: PageWriter;
}

/** A person's authenticators: what there is, and from here every way to change it. */
export function deviceRoutes({ registry, write }: DeviceRouteParts): Route[] {
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
        const { devices, codes } = await registry.of(person.id);
        const done = takeOneOf(ctx, [
          'device_added',
          'passkey_added',
          'device_removed',
          'device_renamed',
          'device_moved',
        ]);
        write(ctx, 'account/devices', { devices, codes, mayAdd: devices.length < MAX_DEVICES, done }, { person });
      },
    },
  ];
}
