import type { TrailPlace } from '../../audit/trail.js';
import { Refusal } from '../../kernel/refusal.js';
import { queryValue } from '../../web/form.js';
import { takeOneOf } from '../../web/notice.js';
import type { PageWriter } from '../../web/page.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import type { Activity } from './activity.js';

export interface ActivityRouteParts {
  readonly activity: Activity;
  readonly write: PageWriter;
}

/** Milliseconds and row id: a place in the person's own trail, of no use for anybody else's. */
const PLACE = /^([0-9]{1,14})-([0-9]{1,18})$/;

function placeIn(ctx: PageContext): TrailPlace | undefined {
  const asked = queryValue(ctx, 'before');
  if (asked === undefined) return undefined;
  const [, at, id] = PLACE.exec(asked) ?? [];
  if (at === undefined || id === undefined) throw new Refusal('invalid_input', { reason: 'no place in the trail' });
  return { at: new Date(Number(at)), id };
}

/** What happened to the account, in plain words. */
export function activityRoutes({ activity, write }: ActivityRouteParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/account/activity',
      access: 'person',
      async handle(ctx, person) {
        const before = placeIn(ctx);
        const { lines, next } = await activity.page(person.id, before);
        const done = takeOneOf(ctx, ['password_changed']);
        const olderHref = next && `/account/activity?before=${next.at.getTime()}-${next.id}`;
        write(ctx, 'account/activity', { lines, olderHref, isFirst: before === undefined, done }, { person });
      },
    },
  ];
}
