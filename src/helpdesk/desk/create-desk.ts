import { z } from 'zod';
import type { Audit } from '../../audit/audit.js';
import type { Queryable } from '../../storage/database.js';
import type { Cursors } from '../api/cursor.js';
import { MAY } from '../authority.js';
import { selectUsableRoles } from '../authority-store.js';
import { accountIdOf } from '../judgement.js';
import type { Refusals } from '../refusals.js';
import type { Desk, DeskOfficer, NamedAgency, Reach, Search, SearchAnswer, ShowAnswer } from './desk.js';
import { selectActsOn } from './acts-on-store.js';
import { selectOpenCases } from './open-cases-store.js';
import { createPersonViews, type PersonParts } from './person.js';
import { exists, selectSeen, type SeenPerson } from './person-store.js';
import { nameQueryOf } from './plain-name.js';
import { spendLook } from './quotas.js';
import { selectAgencyInReach, selectByName, selectByNip, type Looking } from './search-store.js';

/** People on one page of a search (A46). */
export const PAGE_SIZE = 50;

const ACTS_SHOWN = 5;
/** More of them than an officer gets through in a morning. */
const CASES_SHOWN = 50;

export interface DeskParts extends PersonParts {
  readonly refusals: Refusals;
  readonly cursors: Cursors;
  readonly audit: Audit;
}

type Action = 'accounts.search' | 'accounts.show' | 'accounts.diagnose';

/** As people group it; also the old form of nine digits. */
const SEPARATORS = /[\p{Zs}\p{Pd}.]/gu;
const NIP = /^([0-9]{18}|[0-9]{9})$/;
const MAX_TYPED = 256;

const PLACE = z.object({ word: z.string(), nameKey: z.string(), id: z.uuid() });

function nipOf(typed: string): string | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const digits = typed.normalize('NFKC').replace(SEPARATORS, '');
  return NIP.test(digits) ? digits : undefined;
}

/** {@link Desk} over the stores. */
export function createDesk(parts: DeskParts): Desk {
  const { db, refusals, cursors, audit, keyed, clock } = parts;
  const views = createPersonViews(parts);
  const lookingOf = ({ accountId: officer }: DeskOfficer): Looking => ({ officer, now: clock.now() });

  const refuse = (
    tx: Queryable,
    { accountId: actorId, clientId, trace }: DeskOfficer,
    refused: { action: Action; cause: string; accountId?: string },
  ): Promise<void> => refusals.record(tx, { ...refused, actorId, clientId, trace });

  async function reachAt(tx: Queryable, { officer, now }: Looking): Promise<Reach | undefined> {
    const roles = (await selectUsableRoles(tx, officer, now)).filter(({ role }) => MAY.look.includes(role));
    if (roles.length === 0) return undefined;
    const agencies = new Map(roles.flatMap(({ agency }) => (agency === undefined ? [] : [[agency.code, agency]])));
    return { agencies: [...agencies.values()], everywhere: roles.some(({ agency }) => agency === undefined) };
  }

  /** Where a name is looked for: the agency that was named, or the officer's only one. */
  async function agencyFor(
    tx: Queryable,
    { looking, reach, named }: { looking: Looking; reach: Reach; named: string | undefined },
  ): Promise<NamedAgency | SearchAnswer> {
    if (named !== undefined) return (await selectAgencyInReach(tx, looking, named)) ?? { kind: 'not_found' };
    const [own, ...others] = reach.agencies;
    return own === undefined || others.length > 0 ? { kind: 'invalid', field: 'agency' } : own;
  }

  async function byName(
    tx: Queryable,
    looking: Looking,
    { query, agency: named, cursor, reach }: Extract<Search, { query: string }> & { reach: Reach },
  ): Promise<SearchAnswer> {
    const asked = query.length > MAX_TYPED ? undefined : nameQueryOf(query);
    if (asked === undefined) return { kind: 'invalid', field: 'query' };
    const agency = await agencyFor(tx, { looking, reach, named });
    if ('kind' in agency) return agency;
    const request = ['accounts.search', looking.officer, agency.code, asked.word, asked.others];
    const after = cursor === undefined ? undefined : cursors.read(request, cursor, PLACE);
    if (cursor !== undefined && after === undefined) return { kind: 'invalid', field: 'cursor' };
    // One more than is shown: it tells whether there is another page.
    const found = await selectByName(tx, looking, { ...asked, agency: agency.code, after, limit: PAGE_SIZE + 1 });
    const shown = found.slice(0, PAGE_SIZE);
    const last = found.length > PAGE_SIZE ? shown.at(-1) : undefined;
    return {
      kind: 'found',
      people: shown.map(({ person }) => person),
      agency,
      next: last && cursors.write(request, last.place),
    };
  }

  async function search(tx: Queryable, officer: DeskOfficer, asked: Search): Promise<SearchAnswer> {
    const looking = lookingOf(officer);
    const nip = 'nip' in asked ? nipOf(asked.nip) : undefined;
    if ('nip' in asked && nip === undefined) return { kind: 'invalid', field: 'nip' };
    const reach = await reachAt(tx, looking);
    if (reach === undefined) return { kind: 'forbidden' };
    const spending = await spendLook(tx, { ...looking, what: 'search', keyed });
    if (spending.kind === 'exhausted') return { kind: 'throttled', until: spending.until };
    if (!('nip' in asked)) return byName(tx, looking, { ...asked, reach });
    const person = nip === undefined ? undefined : await selectByNip(tx, looking, nip);
    return { kind: 'found', people: person === undefined ? [] : [person], agency: undefined, next: undefined };
  }

  /** One look at one person: within the quota, within reach and on record before anything more of them is read. */
  function look(
    officer: DeskOfficer,
    { id: named, action }: { id: string; action: Action },
  ): Promise<{ readonly kind: 'seen'; readonly seen: SeenPerson } | Exclude<ShowAnswer, { kind: 'shown' }>> {
    return db.transaction(async (tx) => {
      const looking = lookingOf(officer);
      const refused = (cause: string): Promise<void> => refuse(tx, officer, { action, cause, accountId: named });
      const spending = await spendLook(tx, { ...looking, what: 'view', keyed });
      if (spending.kind === 'exhausted') {
        await refused('throttled');
        return { kind: 'throttled', until: spending.until };
      }
      const id = accountIdOf(named);
      const seen = id === undefined ? undefined : await selectSeen(tx, looking, id);
      if (seen === undefined) {
        await refused(id !== undefined && (await exists(tx, id)) ? 'out_of_scope' : 'unknown');
        return { kind: 'not_found' };
      }
      await audit.record(tx, {
        type: 'desk.viewed',
        detail: { action },
        accountId: seen.id,
        actorId: officer.accountId,
        agencyCode: seen.agency.code,
        clientId: officer.clientId,
        ...officer.trace,
      });
      return { kind: 'seen', seen };
    });
  }

  return {
    search: (officer, asked) =>
      db.transaction(async (tx) => {
        const answer = await search(tx, officer, asked);
        switch (answer.kind) {
          case 'forbidden':
          case 'throttled':
            await refuse(tx, officer, { action: 'accounts.search', cause: answer.kind });
            break;
          case 'not_found':
            await refuse(tx, officer, { action: 'accounts.search', cause: 'out_of_scope' });
            break;
          case 'found':
            await audit.record(tx, {
              type: 'desk.searched',
              detail: { by: 'nip' in asked ? 'nip' : 'name', found: answer.people.length },
              actorId: officer.accountId,
              agencyCode: answer.agency?.code,
              clientId: officer.clientId,
              ...officer.trace,
            });
            break;
          case 'invalid':
        }
        return answer;
      }),

    async show(officer, id) {
      const looked = await look(officer, { id, action: 'accounts.show' });
      return looked.kind === 'seen' ? { kind: 'shown', person: await views.view(looked.seen) } : looked;
    },

    async diagnose(officer, id) {
      const looked = await look(officer, { id, action: 'accounts.diagnose' });
      return looked.kind === 'seen' ? { kind: 'diagnosed', diagnosis: await views.diagnose(looked.seen) } : looked;
    },

    async open(officer, id) {
      const looked = await look(officer, { id, action: 'accounts.show' });
      if (looked.kind !== 'seen') return looked;
      const { seen } = looked;
      const acts = await selectActsOn(db, lookingOf(officer), { accountId: seen.id, limit: ACTS_SHOWN });
      return { kind: 'opened', person: await views.view(seen), diagnosis: await views.diagnose(seen), acts };
    },

    async openCases(officer) {
      const cases = await selectOpenCases(db, lookingOf(officer), CASES_SHOWN);
      if (cases.length > 0) {
        await audit.record(db, {
          type: 'desk.listed',
          detail: { list: 'open_cases', count: cases.length },
          actorId: officer.accountId,
          clientId: officer.clientId,
          ...officer.trace,
        });
      }
      return cases;
    },
    reachOf: (officer) => reachAt(db, lookingOf(officer)),
  };
}
