import type { AuditEvent, TrailFilters } from '../../audit/events.js';
import type { AccountId } from '../../kernel/ids.js';
import { accountIdOf } from '../judgement.js';
import type { TrailScope } from './search-store.js';
import { trailRange, type AskedRange, type RangeProblem, type TrailRange } from './trail-range.js';

/** What is looked for; every part narrows it. Ids as they were named: known or not, a UUID or not. */
export interface TrailQuestion extends AskedRange {
  readonly scope: TrailScope;
  /** Whom it happened to. */
  readonly accountId?: string | undefined;
  /** Who did it. */
  readonly actorId?: string | undefined;
  /** Only these kinds; none given: all. */
  readonly types?: readonly string[] | undefined;
  /** Where the question came from, for its own row in the trail. */
  readonly asked?: Pick<AuditEvent, 'clientId' | 'requestId' | 'agent'> | undefined;
}

/** A question whose ids and dates are in order. */
export interface CheckedQuestion extends TrailRange {
  readonly scope: TrailScope;
  readonly accountId: AccountId | undefined;
  readonly actorId: AccountId | undefined;
  readonly types: readonly string[] | undefined;
}

export type TrailRefusal =
  /** No role that reads the trail; helpdesk that named no person. */
  | { readonly kind: 'forbidden' }
  /** There is no such account, or it is none of the officer's: nobody can tell which. */
  | { readonly kind: 'not_found' }
  | { readonly kind: 'throttled'; readonly until: Date }
  | { readonly kind: 'invalid'; readonly problem: RangeProblem | 'cursor' };

/** The question in order, or what is wrong with it. A name that is no id is an account that nobody has. */
export function checkQuestion(question: TrailQuestion, now: Date): CheckedQuestion | TrailRefusal {
  const { scope, accountId: named, actorId: namedActor, types } = question;
  const range = trailRange(question, now);
  if (typeof range === 'string') return { kind: 'invalid', problem: range };
  const accountId = named === undefined ? undefined : accountIdOf(named);
  const actorId = namedActor === undefined ? undefined : accountIdOf(namedActor);
  if (named !== undefined && accountId === undefined) return { kind: 'not_found' };
  if (namedActor !== undefined && actorId === undefined) return { kind: 'not_found' };
  return { scope, accountId, actorId, types: types?.length === 0 ? undefined : types, ...range };
}

/** What the trail says of a question: ids only. */
export const filtersOf = ({ from, to, actorId, types }: CheckedQuestion): TrailFilters => ({
  from: from.toISOString(),
  to: to.toISOString(),
  ...(actorId === undefined ? {} : { by: actorId }),
  ...(types === undefined ? {} : { types }),
});

/** Who looked, and at whom, for the event of it. */
export const aboutLook = (
  { scope, asked }: Pick<TrailQuestion, 'scope' | 'asked'>,
  accountId: AccountId | undefined,
): Omit<Partial<AuditEvent>, 'type' | 'detail'> => ({
  ...asked,
  accountId,
  actorId: scope.kind === 'officer' ? scope.accountId : undefined,
});
