import { pickFields } from '../../web/form.js';
import { leaveNotice } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { AddPasskey } from './add-passkey.js';

export interface PasskeyRouteParts {
  readonly addPasskey: AddPasskey;
  readonly write: PageWriter;
}

const PAGE = '/account/devices/add/passkey';

/** Adding a passkey. The page's script fetches the challenge and posts what the authenticator made. */
export function passkeyRoutes({ addPasskey, write }: PasskeyRouteParts): Route[] {
  async function show(
    ctx: PageContext,
    person: Person,
    refused?: { deviceName: string; error?: PageError },
  ): Promise<void> {
    const mayAdd = await addPasskey.mayAdd(person.id);
    const { deviceName, error } = refused ?? {};
    const data = { mayAdd, deviceName, error };
    write(ctx, 'account/devices/add-passkey', data, { person, status: refused === undefined ? 200 : 422 });
  }

  return [
    { method: 'GET', path: PAGE, access: 'person', fresh: true, handle: (ctx, person) => show(ctx, person) },
    {
      method: 'POST',
      path: `${PAGE}/challenge`,
      access: 'person',
      fresh: true,
      page: PAGE,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        ctx.body = await addPasskey.begin({ accountId: person.id, sessionUid: person.sessionUid });
      },
    },
    {
      method: 'POST',
      path: PAGE,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        const { credential, device_name: deviceName } = pickFields(fields, ['credential', 'device_name']);
        const owner = { accountId: person.id, sessionUid: person.sessionUid, visitor: visitorOf(ctx) };
        const answer = await addPasskey.finish(owner, { credential, deviceName });
        switch (answer.kind) {
          case 'added':
            leaveNotice(ctx, 'passkey_added');
            redirect(ctx, '/account/devices');
            return;
          case 'signed_out':
            redirect(ctx, '/account/devices');
            return;
          case 'full':
            await show(ctx, person, { deviceName });
            return;
          case 'name_taken':
            await show(ctx, person, {
              deviceName,
              error: { code: 'invalid_input', field: 'device_name', reason: 'taken' },
            });
            return;
          case 'name_invalid':
            await show(ctx, person, { deviceName, error: { code: 'invalid_input', field: 'device_name' } });
            return;
          case 'passkey_invalid':
            await show(ctx, person, { deviceName, error: { code: 'passkey_invalid' } });
        }
      },
    },
  ];
}
