import { canonicalName } from '../../accounts/name.js';
import { NOBODY, type AccountId } from '../../kernel/ids.js';
import type { Queryable } from '../../storage/database.js';
import type { CheckedQuestion, TrailQuestion, TrailRefusal } from './question.js';
import { admitReader, recordRefusal, TRAIL_QUOTAS, type TrailParts } from './reader.js';
import { selectBearer, selectStanding, selectTrail } from './search-store.js';

export interface WantedPerson extends Omit<TrailQuestion, 'accountId' | 'actorId'> {
  /** As somebody typed it. */
  readonly nip: string;
  /** Whether the trail is asked for what happened to this person, or for what they did. */
  readonly as: 'account' | 'actor';
}

export interface TrailPeople {
  /**
   * The account with this NIP, of today or of before, for a question that names it by its id: a NIP stands in no address.
   * Somebody whose trail the reader cannot see is as nobody. Costs a place of the quota, like a search.
   */
  find(
    wanted: WantedPerson,
  ): Promise<{ readonly kind: 'found'; readonly id: AccountId } | { readonly kind: 'malformed' } | TrailRefusal>;
}

export function createTrailPeople(parts: TrailParts): TrailPeople {
  const { db, audit, clock } = parts;

  /** Of an account the admission has asked this already. */
  async function isKnownActor(tx: Queryable, question: CheckedQuestion): Promise<boolean> {
    const { scope, actorId: subject } = question;
    if (scope.kind === 'all') return true;
    const now = clock.now();
    const { everything, reaches } = await selectStanding(tx, { officer: scope.accountId, subject, now });
    if (everything || reaches) return true;
    return (await selectTrail(tx, { ...question, now, before: undefined, limit: 1 })).length > 0;
  }

  return {
    find: ({ nip, as, ...question }) =>
      db.transaction(async (tx) => {
        const name = canonicalName(nip);
        if (name.kind !== 'nip') return { kind: 'malformed' };
        const id = await selectBearer(tx, name.value);
        const asked = { ...question, [as === 'account' ? 'accountId' : 'actorId']: id ?? NOBODY };
        const admitted = await admitReader(tx, parts, { asked, quota: TRAIL_QUOTAS.searches });
        if (admitted.kind !== 'admitted') return admitted;
        if (id !== undefined && (as === 'account' || (await isKnownActor(tx, admitted.question)))) {
          return { kind: 'found', id };
        }
        const refusal: TrailRefusal = { kind: 'not_found' };
        await recordRefusal(tx, audit, { asked, refusal, accountId: undefined });
        return refusal;
      }),
  };
}
