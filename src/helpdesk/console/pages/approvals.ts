import { pickFields } from '../../../web/form.js';
import { leaveNotice, takeOneOf } from '../../../web/notice.js';
import type { Officer } from '../../../web/officer.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { Awaited } from '../../acts/awaited.js';
import { callOf, refusalOf, slipPage, type ActRouteParts } from './acts.js';
import { deskOfficer } from './desk-officer.js';

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
export function approvalRoutes({
  acts,
  desk,
  slips,
  write,
  clock,
}: Pick<ActRouteParts, 'acts' | 'desk' | 'slips' | 'write' | 'clock'>): Route[] {
  /** The slip that two have agreed on, to the second of them; undefined where there is none to show. */
  async function slipOf(
    ctx: PageContext,
    officer: Officer,
    { accountId, slipId }: { accountId: string; slipId: string },
  ) {
    const shown = await desk.show(deskOfficer(ctx, officer), accountId);
    return shown.kind === 'shown' ? slipPage(shown.person, { slips, slipId, now: clock.now() }) : undefined;
  }

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
      const waited = await acts.findWaiting(officer.id, idOf(ctx));
      const answer = await acts[how]({ ...callOf(ctx, officer), actId: idOf(ctx), covers: () => true });
      const slipId = answer.kind === 'done' ? answer.outcome.slipId : undefined;
      if (slipId !== undefined && waited !== undefined) {
        const page = await slipOf(ctx, officer, { accountId: waited.account.id, slipId });
        if (page !== undefined) {
          write(ctx, 'helpdesk/slip', page, { officer });
          return;
        }
      }
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
