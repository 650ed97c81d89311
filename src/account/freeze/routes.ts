import type { Freezing } from '../../accounts/freezing.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import { redirect } from '../../web/redirect.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';

const PATH = '/account/freeze';
const DONE = `${PATH}/done`;

/** Freezing one's own account from the account pages: for who sees there what they have not done. */
export function freezeRoutes({ freezing, write }: { freezing: Freezing; write: PageWriter }): Route[] {
  return [
    {
      method: 'GET',
      path: PATH,
      access: 'person',
      fresh: true,
      handle(ctx, person) {
        write(ctx, 'account/freeze', {}, { person });
      },
    },
    {
      method: 'POST',
      path: PATH,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        const { id: accountId, sessionUid } = person;
        const { kind } = await freezing.byOwner({ accountId, sessionUid }, visitorOf(ctx));
        redirect(ctx, kind === 'frozen' ? DONE : PATH);
      },
    },
    {
      method: 'GET',
      path: DONE,
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'disavow/done', {});
      },
    },
  ];
}
