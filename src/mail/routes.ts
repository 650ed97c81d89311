import { Refusal } from '../kernel/refusal.js';
import type { PageWriter } from '../web/page.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import type { LocalMail, LocalOutbox } from './local-outbox.js';

/** The local outbox as pages: what a newcomer reads instead of a mailbox. Never in production. */
export function localMailRoutes({ outbox, write }: { outbox: LocalOutbox; write: PageWriter }): Route[] {
  const mailOf = async (ctx: PageContext): Promise<LocalMail> => {
    const mail = await outbox.find((ctx.params as { id: string }).id);
    if (mail === undefined) throw new Refusal('not_found');
    return mail;
  };
  return [
    {
      method: 'GET',
      path: '/dev/mail',
      access: 'development',
      async handle(ctx) {
        write(ctx, 'dev/mail', { mails: await outbox.list() });
      },
    },
    {
      method: 'GET',
      path: '/dev/mail/:id.html',
      access: 'development',
      async handle(ctx) {
        ctx.type = 'text/html; charset=utf-8';
        ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
        ctx.body = (await mailOf(ctx)).html;
      },
    },
    {
      method: 'GET',
      path: '/dev/mail/:id',
      access: 'development',
      async handle(ctx) {
        write(ctx, 'dev/mail/message', { mail: await mailOf(ctx) });
      },
    },
    {
      method: 'GET',
      path: '/dev/components',
      access: 'development',
      handle(ctx) {
        write(ctx, 'dev/components', {});
      },
    },
  ];
}
