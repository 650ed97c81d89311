import { z } from 'zod';
import { ROLES } from '../../accounts/role.js';
import type { SealedBox } from '../../security/sealed-box.js';
import { sealedColumn } from '../../security/sealed-place.js';
import type { StoredAct } from './act-store.js';
import type { Order } from './act.js';

/** What an order holds beyond its grounds, kept sealed with the act until a second officer has agreed. */
const PARTICULARS = z.object({
  email: z.string().optional(),
  role: z.enum(ROLES).optional(),
  agency: z.string().optional(),
  grantId: z.string().optional(),
});
export type Particulars = z.output<typeof PARTICULARS>;

export const SEALED_PARTICULARS = sealedColumn('officer_acts', 'particulars');
const contextOf = (actId: string): string => SEALED_PARTICULARS.context(actId);

function particularsOf(order: Order): Particulars | undefined {
  if (order.action === 'contact_change') return { email: order.email };
  if (order.action === 'role_grant') return { role: order.role, agency: order.agency };
  if (order.action === 'role_revoke') return { grantId: order.grantId };
  return undefined;
}

export function sealParticulars(box: SealedBox, actId: string, order: Order): string | undefined {
  const particulars = particularsOf(order);
  return particulars && box.seal(JSON.stringify(particulars), contextOf(actId));
}

export const openParticulars = (
  box: SealedBox,
  { id, particulars }: { readonly id: string; readonly particulars: string | undefined },
): Particulars =>
  particulars === undefined ? {} : PARTICULARS.parse(JSON.parse(box.open(particulars, contextOf(id)).toString()));

/** The order that was given when the act was asked for. Its presence code was used up then. */
export function orderOf(box: SealedBox, act: StoredAct): Order {
  const { action, reason, ticket } = act;
  const { email = '', role, agency, grantId = '' } = openParticulars(box, act);
  if (action === 'mfa_reset') {
    const verification =
      act.verification === 'presence' ? { method: 'presence' as const, code: '' } : { method: 'photo_id' as const };
    return { action, reason, ticket: ticket ?? '', verification };
  }
  if (action === 'contact_change') return { action, reason, ticket, email };
  if (action === 'role_revoke') return { action, reason, ticket, grantId };
  if (action !== 'role_grant') return { action, reason, ticket };
  if (role === undefined) throw new Error(`act ${act.id} names no role`);
  return { action, reason, ticket, role, agency };
}
