import { Refusal } from '../../kernel/refusal.js';
import { pickFields } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import type { PageError } from '../../web/pages.js';
import { redirect } from '../../web/redirect.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { PresenceSignIn } from '../presence.js';
import type { Here, Walk } from './walk.js';

export interface PresenceRouteParts {
  readonly walk: Walk;
  readonly presence: PresenceSignIn;
  readonly write: PageWriter;
}

const PATH = '/sign-in/:uid/presence';

/** For who sits before an officer: a code that says so. Waits for wrong one-time codes do not keep anybody from it. */
export function presenceRoutes({ walk, presence, write }: PresenceRouteParts): Route[] {
  async function show({ ctx, attempt, page }: Here, error?: PageError): Promise<void> {
    const view = await presence.view(attempt);
    write(ctx, 'sign-in/presence', { ...page, view, error }, { status: error === undefined ? 200 : 429 });
  }

  return [
    {
      method: 'GET',
      path: PATH,
      access: 'anyone',
      async handle(ctx) {
        const uid = walk.held(ctx);
        // What the code was used for has ended the sign-in, as a rule.
        const view = await presence.findUsed(uid);
        if (view !== undefined) {
          write(ctx, 'sign-in/presence', { uid, service: '', view });
          return;
        }
        const here = await walk.open(ctx);
        if (await walk.leaveFinished(here)) return;
        if (presence.isOffered(here.attempt)) await show(here);
        else await walk.proceed(ctx, here.attempt);
      },
    },
    {
      method: 'POST',
      path: PATH,
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const here = await walk.open(ctx);
        if (await walk.leaveFinished(here)) return;
        if (!presence.isOffered(here.attempt)) {
          await walk.proceed(ctx, here.attempt);
          return;
        }
        const issued = await presence.issue(here.attempt, visitorOf(ctx));
        if (issued.kind === 'gone') throw new Refusal('flow_expired');
        if (issued.kind === 'issued') redirect(ctx, `/sign-in/${here.uid}/presence`);
        else {
          const retryAfterSeconds = walk.retryAfter(ctx, issued.until);
          await show(here, { code: 'throttled', limit: 'requests', retryAfterSeconds });
        }
      },
    },
    {
      method: 'POST',
      path: `${PATH}/withdraw`,
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const here = await walk.open(ctx);
        if (await walk.leaveFinished(here)) return;
        await presence.withdraw(here.attempt, visitorOf(ctx));
        await walk.proceed(ctx, here.attempt);
      },
    },
  ];
}
