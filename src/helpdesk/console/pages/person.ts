import { displayNip } from '../../../accounts/nip.js';
import { secondsUntil, type Clock } from '../../../kernel/clock.js';
import { Refusal } from '../../../kernel/refusal.js';
import { takeCount } from '../../../web/notice.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { Acts } from '../../acts/acts.js';
import type { Desk } from '../../desk/desk.js';
import { folded } from '../folded.js';
import { OFFERED_ACTIONS, offersFor } from '../offers.js';
import { deskOfficer } from './desk-officer.js';

/** What was just done for the person, once. */
function takeDone(ctx: PageContext) {
  for (const action of [...OFFERED_ACTIONS, 'awaiting'] as const) {
    if (action === 'activation_slip') continue;
    const untold = takeCount(ctx, `act_${action}`);
    if (untold !== undefined) return { action, isUntold: untold > 0 };
  }
  return undefined;
}

export const PERSON = '/helpdesk/pegawai/:id';
export const personPath = (id: string): string => PERSON.replace(':id', id);

export const personOf = (ctx: PageContext): string => (ctx.params as { id: string }).id;

/** One person: why they cannot get in, what they tried, and what an officer may do about it. */
export function personRoutes(parts: {
  desk: Desk;
  acts: Pick<Acts, 'waiting'>;
  write: PageWriter;
  clock: Clock;
}): Route[] {
  const { desk, acts, write, clock } = parts;
  return [
    {
      method: 'GET',
      path: PERSON,
      access: 'officer',
      async handle(ctx, officer) {
        const opened = await desk.open(deskOfficer(ctx, officer), personOf(ctx));
        switch (opened.kind) {
          case 'not_found':
            write(ctx, 'helpdesk/not-found', {}, { officer, status: 404 });
            return;
          case 'throttled':
            throw new Refusal('throttled', { retryAfterSeconds: Math.max(1, secondsUntil(clock.now(), opened.until)) });
          case 'opened': {
            const person = { ...opened.person, nip: displayNip(opened.person.nip) };
            const { acts: done } = opened;
            const diagnosis = { ...opened.diagnosis, attempts: folded(opened.diagnosis.attempts) };
            const isSelf = person.id === officer.id;
            const standing = isSelf ? 'self' : person.roles.length > 0 ? 'officer' : 'nobody_special';
            const waiting = (await acts.waiting(officer.id)).filter(({ account }) => account.id === person.id);
            const offers = isSelf ? [] : offersFor(officer.roles, opened.person);
            const page = {
              subject: person,
              diagnosis,
              acts: done,
              offers,
              waiting,
              standing,
              done: takeDone(ctx),
            } as const;
            write(ctx, 'helpdesk/person', page, { officer });
          }
        }
      },
    },
  ];
}
