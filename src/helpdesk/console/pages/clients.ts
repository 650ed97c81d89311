import { clientShown, errorShown } from '../../../clients/client-shown.js';
import type { ClientView } from '../../../clients/client-view.js';
import { factsOf } from '../../../clients/client-facts.js';
import { requestNumber } from '../../../clients/request-number.js';
import { pickFields, queryValue } from '../../../web/form.js';
import { leaveNotice, takeOneOf } from '../../../web/notice.js';
import type { Officer } from '../../../web/officer.js';
import type { PageWriter } from '../../../web/page.js';
import { redirect } from '../../../web/redirect.js';
import type { PageContext } from '../../../web/request.js';
import type { Route } from '../../../web/route-table.js';
import type { ClientAnswer, ClientDesk, FieldProblem } from '../../relying-parties/client-desk.js';
import type { ClientPeopleDesk } from '../../relying-parties/people-desk.js';
import { TEMPLATE_NAMES, templateText } from '../client-templates.js';
import { answerNo, askedBy, CLIENT, clientOf, clientPath, CLIENTS } from './client-asked.js';

const NEW = `${CLIENTS}/new`;
const EDIT = `${CLIENT}/edit`;
/** How long the secret before goes on: time to change over, or none when somebody else has it. */
const OVERLAP_SECONDS: ReadonlyMap<string, number> = new Map([
  ['goes_on', 24 * 3600],
  ['ends', 0],
]);
const DONE = ['client_saved', 'client_disabled', 'client_enabled', 'developer_named', 'developer_dismissed'] as const;

/** What each act is called where it is asked for, and what is said when it is done. */
const SWITCHES = [
  ['disable', 'client_disabled'],
  ['enable', 'client_enabled'],
] as const;

/** What is true of a login is not of a service that acts for itself; of one that is refused nobody knows. */
const isForPeople = ({ registration }: ClientView): boolean =>
  registration === undefined || factsOf(registration).isForPeople;

const named = ({ clientId, name }: ClientView) => ({ clientId, name });

/** A registration as text; undefined when it is no object of JSON. */
function readRegistration(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const NOT_JSON: readonly FieldProblem[] = [{ field: '', problem: 'is not an object in JSON' }];

/** Why a registration was not taken, in terms of its fields. */
const PROBLEMS: Readonly<Partial<Record<ClientAnswer['kind'], readonly FieldProblem[]>>> = {
  taken: [{ field: 'client_id', problem: 'is registered already' }],
  of_file: [{ field: '', problem: 'stands in CLIENTS_FILE: change it there' }],
};

/** Relying parties, for operators: the list, one of them, and what is done to it (ADR 0031). */
export function clientRoutes(parts: {
  readonly clients: ClientDesk;
  readonly people: ClientPeopleDesk;
  readonly issuer: string;
  readonly write: PageWriter;
}): Route[] {
  const { clients, people, issuer, write } = parts;

  interface Typed {
    readonly registration: string;
    readonly problems?: readonly FieldProblem[];
  }
  function showEdit(ctx: PageContext, officer: Officer, client: ClientView | undefined, typed: Typed): void {
    const { registration, problems = [] } = typed;
    const refused = problems.length > 0;
    write(
      ctx,
      'helpdesk/client/edit',
      {
        client: client && named(client),
        action: client === undefined ? NEW : `${clientPath(client.clientId)}/edit`,
        registration,
        problems,
        templates:
          client === undefined ? TEMPLATE_NAMES.map((name) => ({ name, href: `${NEW}?template=${name}` })) : [],
        error: refused ? { code: 'invalid_input', field: 'registration' } : undefined,
      },
      { officer, status: refused ? 422 : 200 },
    );
  }

  /** Shows what became of a registration that was typed. */
  function finishEdit(
    ctx: PageContext,
    officer: Officer,
    { done, client, registration }: { done: ClientAnswer; client: ClientView | undefined; registration: string },
  ): void {
    switch (done.kind) {
      case 'done': {
        const { secret } = done;
        if (secret !== undefined) {
          write(ctx, 'helpdesk/client/secret', { client: named(done.client), issuer, secret }, { officer });
          return;
        }
        leaveNotice(ctx, 'client_saved');
        redirect(ctx, clientPath(done.client.clientId));
        return;
      }
      case 'forbidden':
      case 'not_found':
        answerNo(ctx, { officer, write }, done.kind);
        return;
      case 'refused':
      case 'taken':
      case 'of_file':
      case 'already':
      case 'no_secret':
      case 'key_reused':
        showEdit(ctx, officer, client, {
          registration,
          problems: done.kind === 'refused' ? done.problems : (PROBLEMS[done.kind] ?? NOT_JSON),
        });
    }
  }

  /** What is known of the request whose number was typed, if one was. */
  async function lookupOf(ctx: PageContext, officer: Officer) {
    const request = requestNumber(queryValue(ctx, 'request') ?? '');
    if (request === '') return undefined;
    const found = await clients.findRequest(askedBy(ctx, officer), request);
    if (found.kind !== 'found') return { request, found: undefined };
    const error = { ...errorShown(found.error), requestId: request };
    return { request, found: { client: named(found.client), error } };
  }

  const switching = ([action, notice]: (typeof SWITCHES)[number]): Route[] => [
    {
      method: 'GET',
      path: `${CLIENT}/${action}`,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        const page = {
          action: isForPeople(client) ? action : (`${action}_service` as const),
          step: action,
          client: named(client),
        };
        write(ctx, 'helpdesk/client/act', page, { officer });
      },
    },
    {
      method: 'POST',
      path: `${CLIENT}/${action}`,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        pickFields(fields, []);
        const { client: clientId } = ctx.params as { client: string };
        const done = await clients[action](askedBy(ctx, officer), clientId);
        if (done.kind === 'forbidden' || done.kind === 'not_found') {
          answerNo(ctx, { officer, write }, done.kind);
          return;
        }
        leaveNotice(ctx, notice);
        redirect(ctx, clientPath(clientId));
      },
    },
  ];

  return [
    {
      method: 'GET',
      path: CLIENTS,
      access: 'officer',
      async handle(ctx, officer) {
        const listed = await clients.list(askedBy(ctx, officer));
        const lookup = await lookupOf(ctx, officer);
        if (listed.kind === 'forbidden') answerNo(ctx, { officer, write }, 'forbidden');
        else write(ctx, 'helpdesk/clients', { clients: listed.clients, lookup }, { officer });
      },
    },
    {
      method: 'GET',
      path: NEW,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const listed = await clients.list(askedBy(ctx, officer));
        if (listed.kind === 'forbidden') answerNo(ctx, { officer, write }, 'forbidden');
        else showEdit(ctx, officer, undefined, { registration: templateText(queryValue(ctx, 'template')) });
      },
    },
    {
      method: 'POST',
      path: NEW,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const { registration } = pickFields(fields, ['registration']);
        const written = readRegistration(registration);
        if (written === undefined) {
          showEdit(ctx, officer, undefined, { registration, problems: NOT_JSON });
          return;
        }
        const done = await clients.register(askedBy(ctx, officer), written);
        finishEdit(ctx, officer, { done, client: undefined, registration });
      },
    },
    {
      method: 'GET',
      path: CLIENT,
      access: 'officer',
      async handle(ctx, officer) {
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        const developers = await people.developers(askedBy(ctx, officer), client.clientId);
        write(
          ctx,
          'helpdesk/client',
          {
            client: clientShown(client),
            developers: developers.map(({ accountId: id, name, agency }) => ({ id, name, agency })),
            mayEdit: client.source !== 'file',
            mayRotate: client.authentication.startsWith('client_secret_') && client.registration !== undefined,
            done: takeOneOf(ctx, DONE),
          },
          { officer },
        );
      },
    },
    {
      method: 'GET',
      path: EDIT,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        showEdit(ctx, officer, client, { registration: JSON.stringify(client.written, null, 2) });
      },
    },
    {
      method: 'POST',
      path: EDIT,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const { registration } = pickFields(fields, ['registration']);
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        const written = readRegistration(registration);
        if (written === undefined) {
          showEdit(ctx, officer, client, { registration, problems: NOT_JSON });
          return;
        }
        const done = await clients.replace(askedBy(ctx, officer), client.clientId, written);
        finishEdit(ctx, officer, { done, client, registration });
      },
    },
    ...SWITCHES.flatMap(switching),
    {
      method: 'GET',
      path: `${CLIENT}/rotate-secret`,
      access: 'officer',
      fresh: true,
      async handle(ctx, officer) {
        const client = await clientOf(ctx, { officer, write, clients });
        if (client === undefined) return;
        write(ctx, 'helpdesk/client/rotate', { client: named(client) }, { officer });
      },
    },
    {
      method: 'POST',
      path: `${CLIENT}/rotate-secret`,
      access: 'officer',
      fresh: true,
      async handle(ctx, fields, officer) {
        const { former } = pickFields(fields, ['former']);
        const { client: clientId } = ctx.params as { client: string };
        const overlapSeconds = OVERLAP_SECONDS.get(former);
        if (overlapSeconds === undefined) {
          redirect(ctx, `${clientPath(clientId)}/rotate-secret`);
          return;
        }
        const done = await clients.rotateSecret(askedBy(ctx, officer), clientId, overlapSeconds);
        if (done.kind === 'done' && done.secret !== undefined) {
          const { secret, formerUntil } = done;
          const page = {
            client: named(done.client),
            issuer,
            secret,
            formerUntil: overlapSeconds === 0 ? undefined : formerUntil,
          };
          write(ctx, 'helpdesk/client/secret', page, { officer });
        } else if (done.kind === 'no_secret') redirect(ctx, clientPath(clientId));
        else answerNo(ctx, { officer, write }, done.kind === 'forbidden' ? 'forbidden' : 'not_found');
      },
    },
  ];
}
