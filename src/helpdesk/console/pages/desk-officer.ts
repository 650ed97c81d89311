import type { Officer } from '../../../web/officer.js';
import type { PageContext } from '../../../web/request.js';
import { visitorOf } from '../../../web/visitor.js';
import type { DeskOfficer } from '../../desk/desk.js';

/** Who looks, from the console. */
export const deskOfficer = (ctx: PageContext, { id }: Officer): DeskOfficer => {
  const { requestId, agent } = visitorOf(ctx);
  return { accountId: id, trace: { requestId, agent } };
};
