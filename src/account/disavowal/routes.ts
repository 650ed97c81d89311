import type { Account } from '../../accounts/accounts.js';
import type { Disavowal } from '../../accounts/disavowals.js';
import type { Freezing } from '../../accounts/freezing.js';
import { lastThreeOf } from '../../accounts/nip.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';

export interface DisavowalRouteParts {
  readonly freezing: Freezing;
  /** What the link of a notice mail leads to, and whose account it is. */
  readonly find: (token: string) => Promise<{ disavowal: Disavowal; account: Account } | undefined>;
  readonly write: PageWriter;
}

/**
 * "Bukan saya": works without a login, for whoever holds the link. Opening it changes nothing, since programs open the
 * links in mails; the button freezes.
 */
export function disavowalRoutes({ freezing, find, write }: DisavowalRouteParts): Route[] {
  const tokenOf = (ctx: PageContext): string => (ctx.params as { token: string }).token;
  const gone = (ctx: PageContext): void => {
    write(ctx, 'link-gone', { what: 'disavow' }, { status: 410 });
  };
  return [
    {
      method: 'GET',
      path: '/bukan-saya/:token',
      access: 'anyone',
      async handle(ctx) {
        const found = await find(tokenOf(ctx));
        if (found === undefined) gone(ctx);
        else if (found.disavowal.used) write(ctx, 'disavow/done', {});
        else {
          const { disavowal, account } = found;
          const nipEnding = lastThreeOf(account.nip);
          write(ctx, 'disavow/confirm', { token: tokenOf(ctx), events: disavowal.events, nipEnding });
        }
      },
    },
    {
      method: 'POST',
      path: '/bukan-saya/:token',
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const token = tokenOf(ctx);
        const { kind } = await freezing.disavow(token, visitorOf(ctx));
        if (kind === 'gone') gone(ctx);
        else redirect(ctx, `/bukan-saya/${token}`);
      },
    },
  ];
}
