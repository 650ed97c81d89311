import { Readable } from 'node:stream';
import { secondsUntil, type Clock } from '../../../kernel/clock.js';
import { Refusal } from '../../../kernel/refusal.js';
import { pickFields, queryValue } from '../../../web/form.js';
import type { TrailLine } from '../../../web/helpdesk-pages.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { TrailPeople } from '../../trail/by-nip.js';
import { TRAIL_FORMATS, trailFileName, WRITERS, type TrailFormat } from '../../trail/export-format.js';
import type { TrailExports } from '../../trail/export.js';
import type { TrailQuestion, TrailRefusal } from '../../trail/question.js';
import type { TrailFound, TrailSearches } from '../../trail/search.js';
import { readsTrail } from '../tabs.js';
import { KIND_GROUPS } from '../trail-kinds.js';
import { storyOf, type TellOwner } from '../trail-words.js';
import { callOf } from './acts.js';
import { filtersIn, questionOf, TRAIL, trailAddress, type TrailFilters } from './trail-address.js';

/** With everything that it loads the page stays below 30 kB. */
const LINES = 20;

const NIPS = ['nip', 'actor_nip'] as const;
type TypedNips = Readonly<Record<(typeof NIPS)[number], string>>;
const NO_NIPS: TypedNips = { nip: '', actor_nip: '' };

export interface TrailRouteParts {
  readonly searches: TrailSearches;
  readonly exports: TrailExports;
  readonly people: TrailPeople;
  readonly tellOwner: TellOwner;
  /** The name of an application that is registered now. */
  readonly nameOf: (clientId: string) => string | undefined;
  readonly write: PageWriter;
  readonly clock: Clock;
}

interface Refused {
  readonly error: PageError;
  readonly status: number;
}

/** Which application an event is about; commands, the clients file and an application itself are no actors. */
function applicationOf(
  { type, clientId, actor, detail }: TrailFound['events'][number],
  nameOf: TrailRouteParts['nameOf'],
): TrailLine['application'] {
  if (!type.startsWith('client.')) return undefined;
  const { source } = detail;
  const origin = source === 'file' || source === 'registration' ? source : 'command';
  return {
    clientId,
    name: clientId === undefined ? undefined : nameOf(clientId),
    by: actor === undefined ? origin : undefined,
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The audit trail, as far as the officer reads it: a page, and the same as a file (R-10, docs/adr/0021). */
export function trailRoutes(parts: TrailRouteParts): Route[] {
  const { searches, exports, people, tellOwner, nameOf, write, clock } = parts;

  const askOf = (ctx: PageContext, officer: Officer): Required<Pick<TrailQuestion, 'scope' | 'asked'>> => {
    const { caller, trace } = callOf(ctx, officer);
    return {
      scope: { kind: 'officer', accountId: officer.id },
      asked: { clientId: caller.clientId, ...trace },
    };
  };

  /** Of one person all events are theirs, and name them no more. */
  function linesOf({ events }: TrailFound, { account: only }: TrailFilters): TrailLine[] {
    return events.map((row) => {
      const { at, account, actor, agencyName, detail, mayOpen } = row;
      const isOther = actor !== undefined && actor.id !== account?.id;
      return {
        ...storyOf(row, tellOwner),
        at,
        account: only === '' && account !== undefined ? { ...account, mayOpen } : undefined,
        actor: isOther ? actor : undefined,
        agency: only === '' ? agencyName : undefined,
        application: applicationOf(row, nameOf),
        browser: text(detail.browser),
        system: text(detail.system),
      };
    });
  }

  function listOf(ctx: PageContext, found: TrailFound, filters: TrailFilters) {
    const { range, next } = found;
    return {
      lines: linesOf(found, filters),
      from: range.from,
      // Its last moment: an end at midnight belongs to the day before.
      until: new Date(range.to.getTime() - 1),
      olderHref: next === undefined ? undefined : trailAddress(filters, { after: next }),
      newestHref: queryValue(ctx, 'after') === undefined ? undefined : trailAddress(filters),
      files: TRAIL_FORMATS.map((format) => ({ format, action: trailAddress(filters, { below: `/export/${format}` }) })),
    };
  }

  /** Whom the list is narrowed to, as far as it names them. */
  function chosenFrom(filters: TrailFilters, found: TrailFound | undefined) {
    const [first] = found?.events ?? [];
    const { account, actor } = filters;
    return {
      account:
        account === ''
          ? undefined
          : {
              id: account,
              name: first?.account?.name,
              mayOpen: first?.mayOpen === true,
              withoutHref: trailAddress({ ...filters, account: '' }),
            },
      actor:
        actor === ''
          ? undefined
          : { id: actor, name: first?.actor?.name, withoutHref: trailAddress({ ...filters, actor: '' }) },
    };
  }

  interface Shown {
    readonly filters: TrailFilters;
    readonly typed?: TypedNips;
    readonly found?: TrailFound;
    readonly refused?: Refused;
  }

  function show(ctx: PageContext, officer: Officer, { filters, typed = NO_NIPS, found, refused }: Shown): void {
    const page = {
      readsAll: readsTrail(officer),
      ...chosenFrom(filters, found),
      list: found && listOf(ctx, found, filters),
      kinds: KIND_GROUPS.map(([group, kinds]) => ({ group, kinds })),
      typed: { ...typed, kind: filters.kind, from: filters.from, to: filters.to },
      error: refused?.error,
    };
    write(ctx, 'helpdesk/audit', page, { officer, status: refused?.status ?? 200 });
  }

  /** What is refused, but for a question whose form tells it. */
  function refuse(ctx: PageContext, officer: Officer, refusal: TrailRefusal): Refused | undefined {
    switch (refusal.kind) {
      case 'throttled':
        throw new Refusal('throttled', { retryAfterSeconds: Math.max(1, secondsUntil(clock.now(), refusal.until)) });
      case 'forbidden':
        write(ctx, 'error', { status: 403, error: { code: 'forbidden' } }, { officer, status: 403 });
        return undefined;
      case 'not_found':
        write(ctx, 'helpdesk/not-found', {}, { officer, status: 404 });
        return undefined;
      case 'invalid':
        if (refusal.problem === 'cursor') {
          redirect(ctx, trailAddress(filtersIn(ctx)));
          return undefined;
        }
        return { error: { code: 'invalid_input', field: 'from', reason: refusal.problem }, status: 422 };
    }
  }

  /** The account with a NIP that was typed; the id that was chosen before where none was. */
  async function personBy(
    ctx: PageContext,
    officer: Officer,
    { field, typed, chosen }: { field: (typeof NIPS)[number]; typed: string; chosen: string },
  ): Promise<string | Refused | undefined> {
    if (typed.trim() === '') return chosen;
    const as = field === 'nip' ? 'account' : 'actor';
    const found = await people.find({ ...askOf(ctx, officer), nip: typed, as });
    if (found.kind === 'found') return found.id;
    if (found.kind === 'malformed') return { error: { code: 'invalid_input', field }, status: 422 };
    if (found.kind === 'not_found') return { error: { code: 'not_found', field }, status: 422 };
    return refuse(ctx, officer, found);
  }

  const fileRoute = (format: TrailFormat): Route => ({
    method: 'POST',
    path: `${TRAIL}/export/${format}`,
    access: 'officer',
    fresh: true,
    page: TRAIL,
    async handle(ctx, fields, officer) {
      pickFields(fields, []);
      const filters = filtersIn(ctx);
      const question = questionOf(filters);
      if ('code' in question) {
        show(ctx, officer, { filters, refused: { error: question, status: 422 } });
        return;
      }
      const file = await exports.begin({ ...askOf(ctx, officer), ...question, format });
      if (file.kind === 'begun') {
        ctx.set('Content-Disposition', `attachment; filename="${trailFileName(format, clock.now())}"`);
        ctx.body = Readable.from(file.pieces);
        ctx.type = WRITERS[format].mediaType;
        return;
      }
      const refused = refuse(ctx, officer, file);
      if (refused !== undefined) show(ctx, officer, { filters, refused });
    },
  });

  return [
    {
      method: 'GET',
      path: TRAIL,
      access: 'officer',
      async handle(ctx, officer) {
        const filters = filtersIn(ctx);
        const question = questionOf(filters);
        if ('code' in question) {
          show(ctx, officer, { filters, refused: { error: question, status: 422 } });
          return;
        }
        // Helpdesk names a person first.
        if (!readsTrail(officer) && filters.account === '') {
          show(ctx, officer, { filters });
          return;
        }
        const cursor = queryValue(ctx, 'after');
        const found = await searches.search({ ...askOf(ctx, officer), ...question, cursor, limit: LINES });
        const refused = found.kind === 'found' ? undefined : refuse(ctx, officer, found);
        if (found.kind === 'found') show(ctx, officer, { filters, found });
        else if (refused !== undefined) show(ctx, officer, { filters, refused });
      },
    },
    {
      method: 'POST',
      path: TRAIL,
      access: 'officer',
      async handle(ctx, fields, officer) {
        const {
          nip,
          actor_nip: actorNip,
          ...filters
        } = pickFields(fields, [...NIPS, 'account', 'actor', 'kind', 'from', 'to']);
        const typed = { nip, actor_nip: actorNip };
        const account = await personBy(ctx, officer, { field: 'nip', typed: nip, chosen: filters.account });
        if (account === undefined) return;
        const actor =
          typeof account === 'string'
            ? await personBy(ctx, officer, { field: 'actor_nip', typed: actorNip, chosen: filters.actor })
            : account;
        if (actor === undefined) return;
        if (typeof account === 'string' && typeof actor === 'string') {
          redirect(ctx, trailAddress({ ...filters, account, actor }));
        } else if (typeof actor !== 'string') show(ctx, officer, { filters, typed, refused: actor });
      },
    },
    ...TRAIL_FORMATS.map(fileRoute),
  ];
}
