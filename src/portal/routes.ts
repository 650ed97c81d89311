import { pickFields, queryValue } from '../web/form.js';
import { takeCount, takeNotice } from '../web/notice.js';
import type { PageWriter } from '../web/page.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import type { PageLogins } from './pages/page-logins.js';
import { grouped, type Services } from './services.js';

export interface PortalRouteParts {
  readonly portal: PageLogins;
  readonly console: PageLogins;
  readonly services: Services;
  /** True at an origin that has the console and nothing else. */
  readonly isConsoleOnly: (ctx: PageContext) => boolean;
  readonly write: PageWriter;
}

/** The front door, the launcher and how people get from one to the other. */
export function portalRoutes(parts: PortalRouteParts): Route[] {
  const { portal, console, services, isConsoleOnly, write } = parts;
  return [
    {
      method: 'GET',
      path: '/',
      access: 'anyone',
      async handle(ctx) {
        const found = await portal.find(ctx);
        if (found === undefined) {
          const sessionOver = portal.wasSignedIn(ctx);
          // Said once.
          if (sessionOver) portal.forget(ctx);
          write(ctx, 'front', { sessionOver });
          return;
        }
        const { account, waitingResetDueAt } = found;
        ctx.state.accountId = account.id;
        const query = queryValue(ctx, 'q');
        const offered = await services.ofPerson(account);
        const groups = grouped(offered.services, query);
        const codesLeft = takeCount(ctx, 'recovery_code_used');
        const isDeviceLost = takeNotice(ctx, 'device_lost');
        write(
          ctx,
          'launcher',
          {
            groups,
            query,
            helpdeskHref: offered.helpdeskHref,
            developerHref: offered.developerHref,
            codesLeft,
            isDeviceLost,
          },
          { person: { name: account.name, waitingResetDueAt } },
        );
      },
    },
    {
      method: 'GET',
      path: '/login',
      access: 'anyone',
      handle(ctx) {
        portal.people.askToSignIn(ctx, { wanted: 'login', back: '/' });
      },
    },
    {
      method: 'GET',
      path: '/session/callback',
      access: 'anyone',
      async handle(ctx) {
        const answer = { state: queryValue(ctx, 'state') ?? '', code: queryValue(ctx, 'code') };
        const end = await portal.complete(ctx, answer);
        if (end !== undefined) {
          redirect(ctx, end.signedIn ? end.back : '/');
          return;
        }
        const opened = await console.complete(ctx, answer);
        if (opened?.signedIn === true) redirect(ctx, opened.back);
        // Not back to the console by itself: a browser that keeps no cookies would go in circles.
        else if (opened !== undefined || isConsoleOnly(ctx)) {
          const gone = { cause: 'waited', kept: 'nothing', restartHref: '/helpdesk' } as const;
          write(ctx, 'expired', gone, { status: 410 });
        } else redirect(ctx, '/');
      },
    },
    {
      method: 'POST',
      path: '/logout',
      // Who is not logged in has nothing to end, and is led to the same page.
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        await portal.end(ctx);
        await console.end(ctx);
        redirect(ctx, '/signed-out');
      },
    },
    {
      method: 'GET',
      path: '/signed-out',
      access: 'anyone',
      async handle(ctx) {
        // All sessions were ended in this browser: its own have no more to say.
        for (const pages of [portal, console]) {
          if (pages.wasSignedIn(ctx) && (await pages.find(ctx)) === undefined) pages.forget(ctx);
        }
        const loginHref = isConsoleOnly(ctx) ? '/helpdesk' : undefined;
        write(ctx, 'sign-out/done', { everywhere: takeNotice(ctx, 'all_sessions_ended'), loginHref });
      },
    },
    {
      method: 'GET',
      path: '/bantuan',
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'help', {});
      },
    },
  ];
}
