import type { Clock } from '../../../kernel/clock.js';
import { pickFields } from '../../../web/form.js';
import { leaveNotice, takeOneOf } from '../../../web/notice.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { Acts, Awaited } from '../../acts/acts.js';
import { callOf, refusalOf } from './acts.js';

const LIST = '/helpdesk/approvals';
const ONE = `${LIST}/:id`;

const idOf = (ctx: PageContext): string => (ctx.params as { id: string }).id;

const standingOf = (officer: string, act: Pick<Awaited, 'mayDecide' | 'officer'>) => {
  if (act.mayDecide) return 'may_decide' as const;
  return act.officer.id === officer ? ('asked_by_you' as const) : ('not_yours' as const);
};

const shownTo = ({ id: officer }: Officer, { particulars, ...act }: Awaited) => ({
  ...act,
  email: particulars.email,
  role: particulars.role,
  roleAgency: particulars.agency,
  standing: standingOf(officer, act),
});

/** What waits for a second officer: nobody agrees to what they asked for themselves. */
export function approvalRoutes({ acts, write, clock }: { acts: Acts; write: PageWriter; clock: Clock }): Route[] {
  async function show(
    ctx: PageContext,
    officer: Officer,
    { error, status = 200 }: { error?: PageError; status?: number } = {},
  ): Promise<void> {
    const act = await acts.findWaiting(officer.id, idOf(ctx));
    const decided = act === undefined ? await acts.findDecided(officer.id, idOf(ctx)) : undefined;
    if (decided !== undefined) write(ctx, 'helpdesk/approval/decided', { act: decided }, { officer });
    else if (act === undefined) write(ctx, 'helpdesk/not-found', {}, { officer, status: 404 });
    else write(ctx, 'helpdesk/approval', { act: shownTo(officer, act), error }, { officer, status });
  }

  const decide = (how: 'approve' | 'reject'): Route => ({
    method: 'POST',
    path: `${ONE}/${how}`,
    access: 'officer',
    fresh: true,
    page: ONE,
    async handle(ctx, fields, officer) {
      pickFields(fields, []);
      const answer = await acts[how]({ ...callOf(ctx, officer), actId: idOf(ctx), covers: () => true });
      if (answer.kind === 'done' || answer.kind === 'rejected' || answer.kind === 'awaiting_approval') {
        leaveNotice(ctx, answer.kind === 'rejected' ? 'act_rejected' : 'act_approved');
        redirect(ctx, LIST);
        return;
      }
      const refused = refusalOf(answer, clock.now());
      // Somebody else may have decided it meanwhile: its page tells what became of it.
      await show(ctx, officer, refused);
    },
  });

  return [
    {
      method: 'GET',
      path: LIST,
      access: 'officer',
      async handle(ctx, officer) {
        const done = takeOneOf(ctx, ['act_approved', 'act_rejected']);
        const waiting = await acts.waiting(officer.id);
        const told = done === 'act_approved' ? 'approved' : done === 'act_rejected' ? 'rejected' : undefined;
        write(ctx, 'helpdesk/approvals', { waiting, done: told }, { officer });
      },
    },
    { method: 'GET', path: ONE, access: 'officer', fresh: true, handle: (ctx, officer) => show(ctx, officer) },
    decide('approve'),
    decide('reject'),
  ];
}
