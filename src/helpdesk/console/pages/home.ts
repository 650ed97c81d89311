import { secondsUntil, type Clock } from '../../../kernel/clock.js';
import { pickFields } from '../../../web/form.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { Alarms } from '../../acts/alarms.js';
import type { Desk, SearchAnswer } from '../../desk/desk.js';
import { callOf } from './acts.js';
import { deskOfficer } from './desk-officer.js';
import { personPath } from './person.js';

const PATH = '/helpdesk';
/** A name has letters, a NIP has none, however people group its digits. */
const LETTER = /\p{L}/u;

interface Typed {
  readonly who: string;
  readonly agency: string;
}

const searchOf = ({ who, agency }: Typed) =>
  LETTER.test(who) ? { query: who, ...(agency === '' ? {} : { agency }) } : { nip: who };

const FIELD_WRONG: Readonly<Record<'nip' | 'query' | 'cursor' | 'agency', PageError>> = {
  nip: { code: 'invalid_input', field: 'who', reason: 'nip' },
  query: { code: 'invalid_input', field: 'who', reason: 'letters' },
  cursor: { code: 'invalid_input' },
  agency: { code: 'invalid_input', field: 'agency' },
};

/** More digits than a NIP has: most often one was typed twice. */
const isLongNip = (who: string): boolean => !LETTER.test(who) && who.replace(/\D/g, '').length > 18;
const LONG_NIP = { error: { code: 'invalid_input', field: 'who', reason: 'nip_long' }, status: 422 } as const;

type NotFound = Exclude<SearchAnswer, { readonly kind: 'found' }>;

function refusalOf(answer: NotFound, now: Date): { error: PageError; status: number } {
  switch (answer.kind) {
    case 'invalid':
      return { error: FIELD_WRONG[answer.field], status: 422 };
    case 'not_found':
      return { error: { code: 'not_found', field: 'agency' }, status: 422 };
    case 'forbidden':
      return { error: { code: 'forbidden' }, status: 403 };
    case 'throttled': {
      const retryAfterSeconds = Math.max(1, secondsUntil(now, answer.until));
      return { error: { code: 'throttled', retryAfterSeconds }, status: 429 };
    }
  }
}

interface HomeRouteParts {
  readonly desk: Desk;
  readonly alarms: Alarms;
  readonly write: PageWriter;
  readonly clock: Clock;
}

interface FoundPage {
  readonly people: (SearchAnswer & { readonly kind: 'found' })['people'];
  readonly agency: string;
  readonly hasMore: boolean;
}

/**
 * Where the console begins: one field for a whole NIP or a name. What was looked for is personal and stands in no
 * address: it is posted, and the list comes as the answer (R-42, A46).
 */
export function homeRoutes({ desk, alarms, write, clock }: HomeRouteParts): Route[] {
  const show = async (
    ctx: PageContext,
    officer: Officer,
    { status = 200, ...more }: Partial<Typed> & { error?: PageError; status?: number; found?: FoundPage } = {},
  ): Promise<void> => {
    const reach = await desk.reachOf(deskOfficer(ctx, officer));
    const cases = reach === undefined ? [] : await desk.openCases(deskOfficer(ctx, officer));
    const toDecide = officer.tabs.find(({ name }) => name === 'approvals')?.count ?? 0;
    const raised = await alarms.unseen(officer.id);
    const { retryAfterSeconds } = more.error ?? {};
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
    write(ctx, 'helpdesk/home', { reach, cases, toDecide, alarms: raised, ...more }, { officer, status });
  };

  return [
    {
      method: 'POST',
      path: `${PATH}/alarms/:id/seen`,
      access: 'officer',
      fresh: true,
      page: PATH,
      async handle(ctx, fields, officer) {
        pickFields(fields, []);
        const { caller, trace } = callOf(ctx, officer);
        // Put away by somebody else meanwhile, or none of this officer's: the page tells what is left.
        await alarms.putAway(caller, (ctx.params as { id: string }).id, trace);
        redirect(ctx, PATH);
      },
    },
    { method: 'GET', path: PATH, access: 'officer', handle: (ctx, officer) => show(ctx, officer) },
    {
      method: 'POST',
      path: PATH,
      access: 'officer',
      async handle(ctx, fields, officer) {
        const picked = pickFields(fields, ['who', 'agency']);
        const typed = { who: picked.who.trim(), agency: picked.agency.trim() };
        const search = searchOf(typed);
        const answer = await desk.search(deskOfficer(ctx, officer), search);
        if (answer.kind !== 'found') {
          const refused = isLongNip(typed.who) ? LONG_NIP : refusalOf(answer, clock.now());
          await show(ctx, officer, { ...typed, ...refused });
          return;
        }
        const [person] = answer.people;
        if ('query' in search) {
          const { people, agency, next } = answer;
          const found = { people, agency: agency?.name ?? '', hasMore: next !== undefined };
          await show(ctx, officer, { ...typed, found });
        } else if (person === undefined) {
          await show(ctx, officer, { ...typed, error: { code: 'not_found', field: 'who' }, status: 422 });
        } else redirect(ctx, personPath(person.id));
      },
    },
  ];
}
