import { MAX_HOURS, MAX_NOTE, MAX_USES, type Invitation } from '../../../clients/client-invitations.js';
import { secondsUntil, type Clock } from '../../../kernel/clock.js';
import { pickFields } from '../../../web/form.js';
import { leaveNotice } from '../../../web/notice.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import type { PageError } from '../../../web/pages.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { Desk } from '../../desk/desk.js';
import type { ClientDesk } from '../../relying-parties/client-desk.js';
import type { ClientPeopleDesk } from '../../relying-parties/people-desk.js';
import { answerNo, askedBy, CLIENT, clientIdOf, clientOf, clientPath } from './client-asked.js';
import { deskOfficer } from './desk-officer.js';

const ADD = `${CLIENT}/developers/add`;
const REMOVE = `${CLIENT}/developers/:account/remove`;
const INVITATIONS = '/helpdesk/client-invitations';

const FIELDS = ['uses', 'hours', 'note'] as const;
const USUAL = { uses: '1', hours: '24', note: '' };

type Typed = Readonly<Record<(typeof FIELDS)[number], string>>;

/** The order, or the field that is wrong. */
function orderOf({
  uses,
  hours,
  note,
}: Typed): { uses: number; hours: number; note: string } | (typeof FIELDS)[number] {
  const [count, long] = [Number(uses), Number(hours)];
  if (!Number.isInteger(count) || count < 1 || count > MAX_USES) return 'uses';
  if (!Number.isInteger(long) || long < 1 || long > MAX_HOURS) return 'hours';
  if (note.length > MAX_NOTE || /\p{Cc}/u.test(note)) return 'note';
  return { uses: count, hours: long, note: note.trim() };
}

const stateOf = ({ endedAt, usesLeft, expiresAt }: Invitation, now: Date): 'good' | 'over' | 'ended' => {
  if (endedAt !== undefined) return 'ended';
  return usesLeft === 0 || expiresAt <= now ? 'over' : 'good';
};

/** Who builds a client, and who may register one (ADR 0031). */
export function clientPeopleRoutes(parts: {
  readonly clients: ClientDesk;
  readonly people: ClientPeopleDesk;
  readonly desk: Desk;
  readonly write: PageWriter;
  readonly clock: Clock;
}): Route[] {
  const { clients, people, desk, write, clock } = parts;

  interface Refused {
    readonly error: PageError;
    readonly status: number;
  }
  const notFound: Refused = { error: { code: 'not_found', field: 'nip' }, status: 422 };

  /** The account with this NIP, as the search knows it: what is looked for is on record, and capped. */
  async function accountOf(ctx: PageContext, officer: Officer, nip: string): Promise<string | Refused> {
    const found = await desk.search(deskOfficer(ctx, officer), { nip });
    switch (found.kind) {
      case 'found':
        return found.people[0]?.id ?? notFound;
      case 'throttled': {
        const retryAfterSeconds = Math.max(1, secondsUntil(clock.now(), found.until));
        ctx.set('Retry-After', String(retryAfterSeconds));
        return { error: { code: 'throttled', limit: 'requests', retryAfterSeconds }, status: 429 };
      }
      case 'invalid':
        return { error: { code: 'invalid_input', field: 'nip' }, status: 422 };
      case 'forbidden':
      case 'not_found':
        return notFound;
    }
  }

  async function showInvitations(
    ctx: PageContext,
    officer: Officer,
    more: { typed?: Typed; error?: PageError; token?: string } = {},
  ): Promise<void> {
    const listed = await people.invitations(askedBy(ctx, officer));
    if (listed.kind === 'forbidden') {
      answerNo(ctx, { officer, write }, 'forbidden');
      return;
    }
    const now = clock.now();
    const invitations = listed.invitations.map((invitation) => ({ ...invitation, state: stateOf(invitation, now) }));
    const status = more.error === undefined ? 200 : 422;
    write(ctx, 'helpdesk/clients/invitations', { typed: USUAL, ...more, invitations }, { officer, status });
  }

  return [
    {
      method: 'GET',
      path: ADD,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const client = await clientOf(ctx, { officer, write, clients });
        if (client !== undefined) write(ctx, 'helpdesk/client/developer', { client }, { officer });
      },
    },
    {
      method: 'POST',
      path: ADD,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const { nip } = pickFields(fields, ['nip']);
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        const accountId = await accountOf(ctx, officer, nip);
        if (typeof accountId !== 'string') {
          const { error, status } = accountId;
          write(ctx, 'helpdesk/client/developer', { client, nip, error }, { officer, status });
          return;
        }
        const named = await people.nameDeveloper(askedBy(ctx, officer), { clientId: client.clientId, accountId });
        if (named.kind === 'forbidden') {
          answerNo(ctx, { officer, write }, 'forbidden');
          return;
        }
        leaveNotice(ctx, 'developer_named');
        redirect(ctx, clientPath(client.clientId));
      },
    },
    {
      method: 'GET',
      path: REMOVE,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        const { account } = ctx.params as { account: string };
        const developers = await people.developers(askedBy(ctx, officer), client.clientId);
        const developer = developers.find(({ accountId }) => accountId === account);
        if (developer === undefined) {
          redirect(ctx, clientPath(client.clientId));
          return;
        }
        const step = `developers/${developer.accountId}/remove`;
        const page = { action: 'dismiss', step, client, developer: developer.name } as const;
        write(ctx, 'helpdesk/client/act', page, { officer });
      },
    },
    {
      method: 'POST',
      path: REMOVE,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        pickFields(fields, []);
        const { account } = ctx.params as { account: string };
        const clientId = clientIdOf(ctx);
        const developers = await people.developers(askedBy(ctx, officer), clientId);
        const accountId = developers.find((each) => each.accountId === account)?.accountId;
        if (accountId !== undefined) {
          const done = await people.dismissDeveloper(askedBy(ctx, officer), { clientId, accountId });
          if (done.kind === 'done') leaveNotice(ctx, 'developer_dismissed');
        }
        redirect(ctx, clientPath(clientId));
      },
    },
    {
      method: 'GET',
      path: INVITATIONS,
      access: 'officer',
      fresh: true,
      handle: (ctx, officer) => showInvitations(ctx, officer),
    },
    {
      method: 'POST',
      path: INVITATIONS,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const typed = pickFields(fields, FIELDS);
        const order = orderOf(typed);
        if (typeof order === 'string') {
          await showInvitations(ctx, officer, { typed, error: { code: 'invalid_input', field: order } });
          return;
        }
        const made = await people.invite(askedBy(ctx, officer), order);
        if (made.kind === 'forbidden') answerNo(ctx, { officer, write }, 'forbidden');
        else await showInvitations(ctx, officer, { token: made.token });
      },
    },
    {
      method: 'POST',
      path: `${INVITATIONS}/:invitation/end`,
      access: 'officer',
      fresh: true,
      page: INVITATIONS,
      async handle(ctx, fields, officer) {
        pickFields(fields, []);
        const { invitation } = ctx.params as { invitation: string };
        const done = await people.endInvitation(askedBy(ctx, officer), invitation);
        if (done.kind === 'forbidden') answerNo(ctx, { officer, write }, 'forbidden');
        else redirect(ctx, INVITATIONS);
      },
    },
  ];
}
