import { Refusal } from '../../kernel/refusal.js';
import { agentOf } from '../../web/agent.js';
import { pickFields } from '../../web/form.js';
import { leaveNotice, takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { SessionLine } from '../../web/pages.js';
import type { Person } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { visitorOf } from '../../web/visitor.js';
import type { Ender, OwnSession, Sessions } from './sessions.js';

const LIST = '/account/sessions';
const END = `${LIST}/:uid/end`;
const END_APP = `${LIST}/apps/:id/end`;
const END_OTHERS = `${LIST}/end-others`;
const END_ALL = `${LIST}/end-all`;

function lineOf({ userAgent, ...session }: OwnSession): SessionLine {
  const { browser, system } = agentOf(userAgent);
  const known = browser === '' ? (system === '' ? 'nothing' : 'system') : system === '' ? 'browser' : 'both';
  return { ...session, agent: { known, browser, system } };
}

const enderOf = (ctx: PageContext, { id, sessionUid }: Person): Ender => ({
  accountId: id,
  sessionUid,
  trace: visitorOf(ctx),
});

const idOf = (ctx: PageContext): string => (ctx.params as { id: string }).id;
const uidOf = (ctx: PageContext): string => (ctx.params as { uid: string }).uid;

/** Where a person is signed in, and how that ends. Who ends something proves a second factor anew (R-34, ADR 0016). */
export function sessionRoutes({ sessions, write }: { sessions: Sessions; write: PageWriter }): Route[] {
  return [
    {
      method: 'GET',
      path: LIST,
      access: 'person',
      async handle(ctx, person) {
        const { current, others, more, apps } = await sessions.of(enderOf(ctx, person));
        const done = takeOneOf(ctx, ['session_ended', 'sessions_ended', 'app_ended']);
        const data = {
          current: current === undefined ? undefined : lineOf(current),
          others: others.map(lineOf),
          more,
          apps,
          done,
        };
        write(ctx, 'account/sessions', data, { person });
      },
    },
    {
      method: 'GET',
      path: END,
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const session = await sessions.findOther(enderOf(ctx, person), uidOf(ctx));
        if (session === undefined) throw new Refusal('not_found');
        write(ctx, 'account/sessions/end', { session: lineOf(session) }, { person });
      },
    },
    {
      method: 'POST',
      path: END,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        // Pressed twice, or ended by itself meanwhile: the list tells what is left.
        if (await sessions.endOther(enderOf(ctx, person), uidOf(ctx))) leaveNotice(ctx, 'session_ended');
        redirect(ctx, LIST);
      },
    },
    {
      method: 'GET',
      path: END_APP,
      access: 'person',
      fresh: true,
      async handle(ctx, person) {
        const app = await sessions.findApp(enderOf(ctx, person), idOf(ctx));
        if (app === undefined) throw new Refusal('not_found');
        write(ctx, 'account/sessions/end-app', { app }, { person });
      },
    },
    {
      method: 'POST',
      path: END_APP,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        if (await sessions.endApp(enderOf(ctx, person), idOf(ctx))) leaveNotice(ctx, 'app_ended');
        redirect(ctx, LIST);
      },
    },
    {
      method: 'GET',
      path: END_OTHERS,
      access: 'person',
      fresh: true,
      handle(ctx, person) {
        write(ctx, 'account/sessions/end-others', {}, { person });
      },
    },
    {
      method: 'POST',
      path: END_OTHERS,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        await sessions.endOthers(enderOf(ctx, person));
        leaveNotice(ctx, 'sessions_ended');
        redirect(ctx, LIST);
      },
    },
    {
      method: 'GET',
      path: END_ALL,
      access: 'person',
      fresh: true,
      handle(ctx, person) {
        write(ctx, 'account/sessions/end-all', {}, { person });
      },
    },
    {
      method: 'POST',
      path: END_ALL,
      access: 'person',
      fresh: true,
      async handle(ctx, fields, person) {
        pickFields(fields, []);
        await sessions.endAll(enderOf(ctx, person));
        leaveNotice(ctx, 'all_sessions_ended');
        redirect(ctx, '/signed-out');
      },
    },
  ];
}
