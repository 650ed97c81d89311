import type { ClientDevelopers } from '../../clients/client-developers.js';
import type { ClientErrors } from '../../clients/client-errors.js';
import { clientShown, errorShown } from '../../clients/client-shown.js';
import { lineOf, viewOf } from '../../clients/client-view.js';
import { requestNumber } from '../../clients/request-number.js';
import type { Clients } from '../../clients/clients.js';
import { Refusal } from '../../kernel/refusal.js';
import { queryValue } from '../../web/form.js';
import type { PageWriter } from '../../web/page.js';
import type { Person } from '../../web/person.js';
import type { PageContext } from '../../web/request.js';
import type { Route } from '../../web/route-table.js';
import { trialOf } from './trial.js';

/** Addresses below the issuer that developers need. */
interface Addresses {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo: string;
  readonly jwks: string;
  readonly end_session: string;
}

export interface DeveloperRouteParts {
  readonly clients: Pick<Clients, 'find'>;
  readonly developers: Pick<ClientDevelopers, 'clientsOf'>;
  readonly errors: ClientErrors;
  readonly issuer: string;
  readonly endpoints: Addresses;
  readonly write: PageWriter;
}

/** What the developers of a relying party see of it: never more than their own, and nothing that changes it (ADR 0031). */
export function developerRoutes(parts: DeveloperRouteParts): Route[] {
  const { clients, developers, errors, issuer, endpoints, write } = parts;

  const addresses = [
    { name: 'issuer', address: issuer },
    { name: 'discovery', address: `${issuer}/.well-known/openid-configuration` },
    ...(['authorization', 'token', 'userinfo', 'jwks', 'end_session'] as const).map((name) => ({
      name,
      address: `${issuer}${endpoints[name]}`,
    })),
  ];

  /** Not theirs and not there are one answer. */
  async function ownOf(ctx: PageContext, { id }: Person) {
    const { client: clientId } = ctx.params as { client: string };
    const isOwn = (await developers.clientsOf(id)).includes(clientId);
    const record = isOwn ? await clients.find(clientId) : undefined;
    if (record === undefined) throw new Refusal('not_found');
    return record;
  }

  return [
    {
      method: 'GET',
      path: '/developer',
      access: 'person',
      async handle(ctx, person) {
        const ids = await developers.clientsOf(person.id);
        if (ids.length === 0) throw new Refusal('not_found');
        const lately = await errors.lastHour();
        const found = await Promise.all(ids.map((id) => clients.find(id)));
        const lines = found.flatMap((record) => (record === undefined ? [] : [lineOf(record, lately)]));
        write(ctx, 'developer/clients', { clients: lines }, { person });
      },
    },
    {
      method: 'GET',
      path: '/developer/:client',
      access: 'person',
      async handle(ctx, person) {
        const record = await ownOf(ctx, person);
        const request = requestNumber(queryValue(ctx, 'request') ?? '');
        const view = viewOf(record, await errors.ofClient(record.clientId));
        const match = view.errors.find(({ requestIds }) => requestIds.includes(request));
        const found = match && { ...errorShown(match), requestId: request };
        const lookup = request === '' ? undefined : { request, found };
        const trial = view.registration && trialOf(view.registration, `${issuer}${endpoints.authorization}`);
        write(ctx, 'developer/client', { client: clientShown(view), addresses, trial, lookup }, { person });
      },
    },
  ];
}
