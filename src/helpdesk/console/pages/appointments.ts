import { needsAgency, ROLES, type Role } from '../../../accounts/role.js';
import type { Clock } from '../../../kernel/clock.js';
import { pickFields, queryValue } from '../../../web/form.js';
import { leaveNotice, takeOneOf } from '../../../web/notice.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { ActAnswer } from '../../acts/act.js';
import type { Acts } from '../../acts/acts.js';
import { REASON } from '../../act-requests.js';
import type { Desk } from '../../desk/desk.js';
import type { Grants } from '../../desk/grants.js';
import { callOf, refusalOf } from './acts.js';
import { deskOfficer } from './desk-officer.js';

const LIST = '/helpdesk/officers';
const APPOINT = `${LIST}/appoint`;
const REMOVE = `${LIST}/:grant/remove`;

const FIELDS = ['nip', 'role', 'agency', 'reason'] as const;
type Typed = Readonly<Record<(typeof FIELDS)[number], string>>;

interface Refused {
  readonly error: PageError;
  readonly status: number;
}
const wrong = (field: string, reason?: 'nip'): Refused => ({
  error: { code: 'invalid_input', field, reason },
  status: 422,
});

/** What an act refuses because of the agency that was typed. */
const OF_AGENCY: readonly string[] = ['unknown_agency', 'role_needs_agency', 'role_is_national'];

/** Who is an officer, within the agencies that an administrator answers for; appointing and removing them. */
export function appointmentRoutes(parts: {
  desk: Desk;
  grants: Grants;
  acts: Acts;
  write: PageWriter;
  clock: Clock;
}): Route[] {
  const { desk, grants, acts, write, clock } = parts;

  const forbid = (ctx: PageContext, officer: Officer): void => {
    write(ctx, 'error', { status: 403, error: { code: 'forbidden' } }, { officer, status: 403 });
  };

  /** Which roles somebody may be given here; whether this one may is judged by the act. */
  const rolesFor = ({ roles }: Officer): readonly Role[] =>
    roles.some(({ role }) => role === 'operator') ? ROLES : ROLES.filter((role) => role === 'helpdesk');

  function showAppoint(ctx: PageContext, officer: Officer, typed: Partial<Typed>, refused?: Refused): void {
    const { retryAfterSeconds } = refused?.error ?? {};
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
    const own = officer.roles.find(({ role }) => role === 'agency_admin')?.agency?.code;
    const page = { roles: rolesFor(officer), typed: { agency: own, ...typed }, error: refused?.error };
    write(ctx, 'helpdesk/officers/appoint', page, { officer, status: refused?.status ?? 200 });
  }

  /** An answer that both forms share; otherwise what is shown. */
  function finish(ctx: PageContext, answer: ActAnswer, done: 'act_appointed' | 'act_removed'): Refused | undefined {
    if (answer.kind === 'done' || answer.kind === 'awaiting_approval') {
      leaveNotice(ctx, answer.kind === 'done' ? done : 'act_awaiting', { count: 0 });
      redirect(ctx, LIST);
      return undefined;
    }
    if (answer.kind === 'unfit' && OF_AGENCY.includes(answer.cause)) {
      return { error: { code: 'invalid_input', field: 'agency', unfit: answer.cause }, status: 422 };
    }
    return refusalOf(answer, clock.now()) ?? { error: { code: 'not_found', field: 'nip' }, status: 422 };
  }

  /** The account with this NIP, as the search knows it. */
  async function accountOf(ctx: PageContext, officer: Officer, nip: string): Promise<string | Refused> {
    const found = await desk.search(deskOfficer(ctx, officer), { nip });
    if (found.kind === 'found') {
      return found.people[0]?.id ?? { error: { code: 'not_found', field: 'nip' }, status: 422 };
    }
    if (found.kind === 'invalid') return wrong('nip');
    return refusalOf(found, clock.now()) ?? wrong('nip');
  }

  async function grantOf(ctx: PageContext, officer: Officer) {
    const { grant } = ctx.params as { grant: string };
    const found = await grants.find(deskOfficer(ctx, officer), grant);
    if (found === undefined) write(ctx, 'helpdesk/not-found', {}, { officer, status: 404 });
    return found;
  }

  return [
    {
      method: 'GET',
      path: LIST,
      access: 'officer',
      async handle(ctx, officer) {
        const listed = await grants.list(deskOfficer(ctx, officer), { cursor: queryValue(ctx, 'after') });
        if (listed.kind !== 'listed') {
          if (listed.kind === 'forbidden') forbid(ctx, officer);
          else redirect(ctx, LIST);
          return;
        }
        const { grants: lines, next } = listed;
        const nextHref = next === undefined ? undefined : `${LIST}?after=${encodeURIComponent(next)}`;
        const done = takeOneOf(ctx, ['act_appointed', 'act_removed', 'act_awaiting']);
        const shown = lines.map((grant) => ({ ...grant, isOwn: grant.accountId === officer.id }));
        write(ctx, 'helpdesk/officers', { grants: shown, nextHref, done }, { officer });
      },
    },
    {
      method: 'GET',
      path: APPOINT,
      access: 'officer',
      fresh: true,
      handle(ctx, officer) {
        showAppoint(ctx, officer, {});
      },
    },
    {
      method: 'POST',
      path: APPOINT,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, FIELDS);
        const show = (refused: Refused): void => {
          showAppoint(ctx, officer, typed, refused);
        };
        const role = ROLES.find((known) => known === typed.role);
        if (role === undefined) {
          show(wrong('role'));
          return;
        }
        if (!REASON.safeParse(typed.reason).success) {
          show(wrong('reason'));
          return;
        }
        const accountId = await accountOf(ctx, officer, typed.nip);
        if (typeof accountId !== 'string') {
          show(accountId);
          return;
        }
        const code = typed.agency.trim();
        // A national role has no agency; the field stands there for the others.
        const agency = code === '' || !needsAgency(role) ? undefined : code;
        const order = { action: 'role_grant', role, agency, reason: typed.reason.trim() } as const;
        const refused = finish(ctx, await acts.perform({ ...callOf(ctx, officer), accountId, order }), 'act_appointed');
        if (refused !== undefined) show(refused);
      },
    },
    {
      method: 'GET',
      path: REMOVE,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const grant = await grantOf(ctx, officer);
        if (grant !== undefined) write(ctx, 'helpdesk/officers/remove', { grant, typed: {} }, { officer });
      },
    },
    {
      method: 'POST',
      path: REMOVE,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, ['reason']);
        const { grant: grantId } = ctx.params as { grant: string };
        const refused = REASON.safeParse(typed.reason).success
          ? finish(
              ctx,
              await acts.dismiss({ ...callOf(ctx, officer), grantId, reason: typed.reason.trim() }),
              'act_removed',
            )
          : wrong('reason');
        if (refused === undefined) return;
        const grant = await grantOf(ctx, officer);
        if (grant === undefined) return;
        const { error, status } = refused;
        write(ctx, 'helpdesk/officers/remove', { grant, typed, error }, { officer, status });
      },
    },
  ];
}
