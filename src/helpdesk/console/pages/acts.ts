import { SLIP_SECONDS } from '../../../accounts/activation-slips.js';
import { lastThreeOf } from '../../../accounts/nip.js';
import { secondsAfter, secondsUntil, type Clock } from '../../../kernel/clock.js';
import { pickFields, type PostedFields } from '../../../web/form.js';
import type { ActField } from '../../../web/helpdesk-pages.js';
import { leaveNotice } from '../../../web/notice.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import { visitorOf } from '../../../web/visitor.js';
import type { ActAnswer, Order } from '../../acts/act.js';
import type { Acts } from '../../acts/acts.js';
import { REASON, TICKET } from '../../act-requests.js';
import type { Desk, PersonView } from '../../desk/desk.js';
import { PATHS, type OfferedAction } from '../offers.js';
import type { CheckPresence, PresenceChecked } from '../presence-check.js';
import { deskOfficer } from './desk-officer.js';
import { PERSON, personOf, personPath } from './person.js';

export interface ActRouteParts {
  readonly desk: Desk;
  readonly acts: Acts;
  readonly checkPresence: CheckPresence;
  /** The code of a slip, and where it is typed. */
  readonly slips: { codeOf(slipId: string): string; readonly address: string };
  readonly write: PageWriter;
  readonly clock: Clock;
}

/** The client of the console: what it does is done by it. */
const CONSOLE = 'helpdesk';

export const callOf = (ctx: PageContext, { id }: Pick<Officer, 'id'>) => {
  const { requestId, agent } = visitorOf(ctx);
  return { caller: { accountId: id, clientId: CONSOLE }, trace: { requestId, agent } };
};

/** Shown here and nowhere else: whoever sees the code can make the account's first password. */
export const slipPage = (
  subject: PersonView,
  made: { slips: ActRouteParts['slips']; slipId: string; now: Date; printHref?: string },
) => ({
  subject,
  nipEnding: lastThreeOf(subject.nip),
  code: made.slips.codeOf(made.slipId),
  printHref: made.printHref,
  expiresAt: secondsAfter(made.now, SLIP_SECONDS),
  address: made.slips.address,
});

type Typed = Readonly<Partial<Record<ActField, string>>>;
type NotDone = Exclude<ActAnswer | PresenceChecked, { readonly kind: 'done' | 'awaiting_approval' | 'right' }>;

interface Refused {
  readonly error: PageError;
  readonly status: number;
}

const wrong = (field: ActField): Refused => ({ error: { code: 'invalid_input', field }, status: 422 });

/** What is wrong with the grounds, as they were typed. */
function groundsRefused({ reason = '', ticket = '' }: Typed, needsTicket: boolean): Refused | undefined {
  if (!REASON.safeParse(reason).success) return wrong('reason');
  if ((needsTicket || ticket.trim() !== '') && !TICKET.safeParse(ticket).success) return wrong('ticket');
  return undefined;
}

const groundsOf = ({ reason = '', ticket = '' }: Typed) => ({
  reason: reason.trim(),
  ticket: ticket.trim() === '' ? undefined : ticket.trim(),
});

/** Of the causes why an act does not fit: those that are the new address's. */
const OF_ADDRESS: Readonly<Record<string, PageError>> = {
  email_invalid: { code: 'invalid_input', field: 'new_email' },
  email_same: { code: 'invalid_input', field: 'new_email', reason: 'same' },
};

/** A refusal as its page shows it; undefined where there is no such person for this officer. */
export function refusalOf(answer: NotDone, now: Date): Refused | undefined {
  switch (answer.kind) {
    case 'not_found':
      return undefined;
    case 'forbidden':
      return { error: { code: 'forbidden' }, status: 403 };
    case 'throttled': {
      const retryAfterSeconds = Math.max(1, secondsUntil(now, answer.until));
      return { error: { code: 'throttled', retryAfterSeconds }, status: 429 };
    }
    case 'presence_refused':
      return { error: { code: 'code_invalid', field: 'presence_code' }, status: 422 };
    case 'unfit':
      return {
        error: OF_ADDRESS[answer.cause] ?? { code: 'invalid_input', unfit: answer.cause },
        status: 422,
      };
    case 'awaited_already':
      return { error: { code: 'invalid_input', unfit: 'awaited_already' }, status: 422 };
    case 'key_reused':
      throw new Error('a form has no Idempotency-Key');
  }
}

/** An order of this kind, before anything is typed: whether a second officer must agree depends on nothing that is. */
function foreseen(action: OfferedAction): Order {
  const grounds = { reason: '', ticket: '' };
  if (action === 'mfa_reset') return { action, ...grounds, verification: { method: 'photo_id' } };
  return action === 'contact_change' ? { action, ...grounds, email: '' } : { action, ...grounds };
}

/** The acts that take nothing but grounds, or one address. */
const PLAIN = ['sessions_end', 'unlock', 'freeze', 'unfreeze', 'disable', 'enable', 'contact_change'] as const;
type PlainAction = (typeof PLAIN)[number];

const orderOf = (action: PlainAction, typed: Typed): Order =>
  action === 'contact_change'
    ? { action, ...groundsOf(typed), email: (typed.new_email ?? '').trim() }
    : { action, ...groundsOf(typed) };

const RESET = `${PERSON}/${PATHS.mfa_reset}`;

/** What officers do for one person: each act is a page that asks, and its form (docs/DESIGN, Confirm page). */
export function actRoutes({ desk, acts, checkPresence, slips, write, clock }: ActRouteParts): Route[] {
  const notFound = (ctx: PageContext, officer: Officer): void => {
    write(ctx, 'helpdesk/not-found', {}, { officer, status: 404 });
  };
  const saying = (ctx: PageContext, { error, status }: Refused): Refused => {
    if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
    return { error, status };
  };

  /** The person whom the page is about; undefined, and the answer is given, when there is none for this officer. */
  async function subjectOf(ctx: PageContext, officer: Officer): Promise<PersonView | undefined> {
    const shown = await desk.show(deskOfficer(ctx, officer), personOf(ctx));
    if (shown.kind === 'shown') return shown.person;
    if (shown.kind === 'not_found') notFound(ctx, officer);
    else {
      const refused = refusalOf(shown, clock.now());
      if (refused !== undefined) write(ctx, 'error', saying(ctx, refused), { officer, status: refused.status });
    }
    return undefined;
  }

  async function ask(
    ctx: PageContext,
    officer: Officer,
    { action, path, typed, refused }: { action: OfferedAction; path: string; typed: Typed; refused?: Refused },
  ): Promise<void> {
    const subject = await subjectOf(ctx, officer);
    if (subject === undefined) return;
    const needsSecond = await acts.needsSecond(officer.id, { accountId: subject.id, order: foreseen(action) });
    const { error, status = 200 } = refused === undefined ? {} : saying(ctx, refused);
    write(ctx, 'helpdesk/act', { action, step: path, subject, needsSecond, typed, error }, { officer, status });
  }

  /** After an act: its person's page, which says what comes next; or what was refused. */
  async function finish(
    ctx: PageContext,
    { officer, action, answer }: { officer: Officer; action: OfferedAction; answer: ActAnswer },
    show: (refused: Refused) => Promise<void>,
  ): Promise<void> {
    if (answer.kind === 'done') {
      if (action === 'activation_slip') throw new Error('a slip has a page of its own');
      leaveNotice(ctx, `act_${action}`, { count: answer.outcome.told === false ? 1 : 0 });
      redirect(ctx, personPath(personOf(ctx)));
    } else if (answer.kind === 'awaiting_approval') {
      leaveNotice(ctx, 'act_awaiting', { count: 0 });
      redirect(ctx, personPath(personOf(ctx)));
    } else {
      const refused = refusalOf(answer, clock.now());
      if (refused === undefined) notFound(ctx, officer);
      else await show(refused);
    }
  }

  const plain = (action: PlainAction): Route[] => {
    const path = PATHS[action];
    const at = { path: `${PERSON}/${path}`, access: 'officer', fresh: true } as const;
    const names = ['reason', 'ticket', ...(action === 'contact_change' ? (['new_email'] as const) : [])] as const;
    return [
      {
        method: 'GET',
        ...at,
        handle: (ctx: PageContext, officer: Officer) => ask(ctx, officer, { action, path, typed: {} }),
      },
      {
        method: 'POST',
        ...at,
        async handle(ctx: PageContext, fields: PostedFields, officer: Officer) {
          const typed: Typed = pickFields(fields, names);
          const show = (refused: Refused): Promise<void> => ask(ctx, officer, { action, path, typed, refused });
          const refused = groundsRefused(typed, false);
          if (refused !== undefined) {
            await show(refused);
            return;
          }
          const order = orderOf(action, typed);
          const answer = await acts.perform({ ...callOf(ctx, officer), accountId: personOf(ctx), order });
          await finish(ctx, { officer, action, answer }, show);
        },
      },
    ];
  };

  async function askForPresence(ctx: PageContext, officer: Officer, typed: Typed, refused?: Refused): Promise<void> {
    const subject = await subjectOf(ctx, officer);
    if (subject === undefined) return;
    const { error, status = 200 } = refused === undefined ? {} : saying(ctx, refused);
    // A wrong code is no secret, but there is a new one to type.
    const kept = error === undefined ? typed : { ...typed, presence_code: '' };
    write(ctx, 'helpdesk/mfa-reset/presence', { subject, typed: kept, error }, { officer, status });
  }

  const slip = { action: 'activation_slip', path: PATHS.activation_slip } as const;

  const PRESENCE_FIELDS = ['presence_code', 'reason', 'ticket'] as const;
  const photo = `${PATHS.mfa_reset}/photo-id`;

  return [
    ...PLAIN.flatMap(plain),
    {
      method: 'GET',
      path: `${PERSON}/${slip.path}`,
      access: 'officer',
      fresh: true,
      handle: (ctx, officer) => ask(ctx, officer, { ...slip, typed: {} }),
    },
    {
      method: 'POST',
      path: `${PERSON}/${slip.path}`,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, ['reason', 'ticket']);
        const show = (refused: Refused): Promise<void> => ask(ctx, officer, { ...slip, typed, refused });
        const refused = groundsRefused(typed, false);
        if (refused !== undefined) {
          await show(refused);
          return;
        }
        const order = { action: slip.action, ...groundsOf(typed) };
        const answer = await acts.perform({ ...callOf(ctx, officer), accountId: personOf(ctx), order });
        if (answer.kind !== 'done') {
          await finish(ctx, { officer, action: slip.action, answer }, show);
          return;
        }
        const subject = await subjectOf(ctx, officer);
        if (subject === undefined) return;
        const slipId = answer.outcome.slipId ?? '';
        const page = slipPage(subject, { slips, slipId, now: clock.now(), printHref: `/helpdesk/slip/${slipId}` });
        write(ctx, 'helpdesk/slip', page, { officer });
      },
    },
    {
      method: 'GET',
      path: RESET,
      access: 'officer',
      async handle(ctx, officer) {
        const subject = await subjectOf(ctx, officer);
        if (subject !== undefined) write(ctx, 'helpdesk/mfa-reset', { subject }, { officer });
      },
    },
    {
      method: 'GET',
      path: `${RESET}/presence`,
      access: 'officer',
      fresh: true,
      handle: (ctx, officer) => askForPresence(ctx, officer, {}),
    },
    {
      method: 'POST',
      path: `${RESET}/presence`,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, PRESENCE_FIELDS);
        const show = (refused: Refused): Promise<void> => askForPresence(ctx, officer, typed, refused);
        const refused = groundsRefused(typed, true);
        if (refused !== undefined) {
          await show(refused);
          return;
        }
        const checking = { ...callOf(ctx, officer), accountId: personOf(ctx), typed: typed.presence_code };
        const checked = await checkPresence(checking);
        if (checked.kind !== 'right') {
          const why = refusalOf(checked, clock.now());
          if (why === undefined) notFound(ctx, officer);
          else await show(why);
          return;
        }
        const subject = await subjectOf(ctx, officer);
        // Nothing was done yet: the page that asks, with the number to read out.
        if (subject !== undefined) {
          write(ctx, 'helpdesk/mfa-reset/counter', { subject, counter: checked.counter, typed }, { officer });
        }
      },
    },
    {
      method: 'POST',
      path: `${RESET}/confirm`,
      access: 'officer',
      fresh: true,
      page: `${RESET}/presence`,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, PRESENCE_FIELDS);
        const show = (refused: Refused): Promise<void> => askForPresence(ctx, officer, typed, refused);
        const refused = groundsRefused(typed, true);
        if (refused !== undefined) {
          await show(refused);
          return;
        }
        const { reason, ticket = '' } = groundsOf(typed);
        const verification = { method: 'presence', code: typed.presence_code } as const;
        const order = { action: 'mfa_reset', reason, ticket, verification } as const;
        const answer = await acts.perform({ ...callOf(ctx, officer), accountId: personOf(ctx), order });
        await finish(ctx, { officer, action: 'mfa_reset', answer }, show);
      },
    },
    {
      method: 'GET',
      path: `${PERSON}/${photo}`,
      access: 'officer',
      fresh: true,
      handle: (ctx, officer) => ask(ctx, officer, { action: 'mfa_reset', path: photo, typed: {} }),
    },
    {
      method: 'POST',
      path: `${PERSON}/${photo}`,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, ['reason', 'ticket']);
        const show = (refused: Refused): Promise<void> =>
          ask(ctx, officer, { action: 'mfa_reset', path: photo, typed, refused });
        const refused = groundsRefused(typed, true);
        if (refused !== undefined) {
          await show(refused);
          return;
        }
        const { reason, ticket = '' } = groundsOf(typed);
        const verification = { method: 'photo_id' } as const;
        const order = { action: 'mfa_reset', reason, ticket, verification } as const;
        const answer = await acts.perform({ ...callOf(ctx, officer), accountId: personOf(ctx), order });
        await finish(ctx, { officer, action: 'mfa_reset', answer }, show);
      },
    },
  ];
}
