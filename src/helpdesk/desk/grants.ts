import { z } from 'zod';
import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../../storage/database.js';
import type { Cursors } from '../api/cursor.js';
import { MAY } from '../authority.js';
import { selectUsableRoles } from '../authority-store.js';
import { idOf } from '../judgement.js';
import type { Refusals } from '../refusals.js';
import type { DeskOfficer } from './desk.js';
import { selectGrantInReach, selectGrantsInReach, type ListedGrant } from './grants-store.js';

const PAGE_SIZE = 50;
const PLACE = z.object({ agency: z.string(), id: z.uuid() });

export type GrantsAnswer =
  | { readonly kind: 'listed'; readonly grants: readonly ListedGrant[]; readonly next: string | undefined }
  | { readonly kind: 'invalid'; readonly field: 'cursor' }
  /** Answers for no officers. */
  | { readonly kind: 'forbidden' };

/** Who holds which role, for administrators within their agencies and for operators everywhere. */
export interface Grants {
  list(
    officer: DeskOfficer,
    asked: { agency?: string | undefined; cursor?: string | undefined },
  ): Promise<GrantsAnswer>;
  /** One of those; undefined when it is none, has ended, or is none of theirs. */
  find(officer: DeskOfficer, grantId: string): Promise<ListedGrant | undefined>;
}

export function createGrants(parts: { db: Database; refusals: Refusals; cursors: Cursors; clock: Clock }): Grants {
  const { db, refusals, cursors, clock } = parts;
  return {
    async find({ accountId: officer }, grantId) {
      const id = idOf(grantId);
      return id === undefined ? undefined : selectGrantInReach(db, { officer, now: clock.now() }, id);
    },

    list: (officer, { agency, cursor }) =>
      db.transaction(async (tx) => {
        const { accountId: actorId, clientId, trace } = officer;
        const looking = { officer: actorId, now: clock.now() };
        const roles = await selectUsableRoles(tx, actorId, looking.now);
        if (!roles.some(({ role }) => MAY.watch.includes(role))) {
          await refusals.record(tx, { action: 'roles.list', cause: 'role', actorId, clientId, trace });
          return { kind: 'forbidden' };
        }
        const request = ['roles.list', actorId, agency ?? ''];
        const after = cursor === undefined ? undefined : cursors.read(request, cursor, PLACE);
        if (cursor !== undefined && after === undefined) return { kind: 'invalid', field: 'cursor' };
        const found = await selectGrantsInReach(tx, looking, { agency, after, limit: PAGE_SIZE + 1 });
        const grants = found.slice(0, PAGE_SIZE);
        const last = found.length > PAGE_SIZE ? grants.at(-1) : undefined;
        return {
          kind: 'listed',
          grants,
          next: last && cursors.write(request, { agency: last.agency?.code ?? '', id: last.id }),
        };
      }),
  };
}
