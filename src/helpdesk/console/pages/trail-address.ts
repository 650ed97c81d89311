import { jakartaDay } from '../../../kernel/jakarta-day.js';
import { queryValue } from '../../../web/form.js';
import type { PageError } from '../../../web/pages.js';
import type { PageContext } from '../../../web/request.js';
import type { TrailQuestion } from '../../trail/question.js';
import { trailKind, typesOf } from '../trail-kinds.js';

export const TRAIL = '/helpdesk/audit';

/** What the trail is narrowed to, as it stands in the address: people by their ids, never by a NIP. */
export type TrailFilters = Readonly<Record<'account' | 'actor' | 'kind' | 'from' | 'to', string>>;

export const filtersIn = (ctx: PageContext): TrailFilters => {
  const valueOf = (name: string): string => queryValue(ctx, name) ?? '';
  return {
    account: valueOf('account'),
    actor: valueOf('actor'),
    kind: valueOf('kind'),
    from: valueOf('from'),
    to: valueOf('to'),
  };
};

/** The address of a page below the trail's; what is empty is left out. */
export function trailAddress(filters: TrailFilters, { below = '', after = '' } = {}): string {
  const named = Object.entries({ ...filters, after }).filter(([, value]) => value !== '');
  const query = new URLSearchParams(named).toString();
  return `${TRAIL}${below}${query === '' ? '' : `?${query}`}`;
}

type Question = Pick<TrailQuestion, 'accountId' | 'actorId' | 'types' | 'from' | 'to'>;

/** What the filters ask for; a day given as the end is meant to its end. */
export function questionOf({ account, actor, kind, from, to }: TrailFilters): Question | PageError {
  const known = trailKind(kind);
  if (kind !== '' && known === undefined) return { code: 'invalid_input', field: 'kind' };
  const begin = jakartaDay(from)?.from;
  if (from !== '' && begin === undefined) return { code: 'invalid_input', field: 'from' };
  const end = jakartaDay(to)?.to;
  if (to !== '' && end === undefined) return { code: 'invalid_input', field: 'to' };
  return {
    accountId: account === '' ? undefined : account,
    actorId: actor === '' ? undefined : actor,
    types: known && typesOf(known),
    from: begin,
    to: end,
  };
}
