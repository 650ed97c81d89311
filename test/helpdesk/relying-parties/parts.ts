import { createClientErrors } from '#src/clients/client-errors.js';
import type { LiveClientRegistry } from '#src/clients/client-registry.js';
import { createClients, type Clients } from '#src/clients/clients.js';
import { createIdempotency } from '#src/helpdesk/idempotency.js';
import { createOperators } from '#src/helpdesk/relying-parties/operators.js';
import { createClientDesk, type ClientDesk } from '#src/helpdesk/relying-parties/client-desk.js';
import { emptyRegistry } from '../../clients/support/registry.js';
import type { ResetParts } from '../reset-parts.js';

export const RULES = {
  issuer: new URL('https://sso.asn.example'),
  adminResource: 'https://a.example/api/admin',
  production: true,
};

export interface ClientParts {
  readonly clients: Clients;
  readonly registry: LiveClientRegistry;
  readonly clientDesk: ClientDesk;
}

/** Operators' part in clients, with all its real parts. */
export function clientParts({ db, keyed, audit, clock, log, refusals }: ResetParts): ClientParts {
  const registry = emptyRegistry(keyed);
  const clients = createClients({ db, registry, rules: RULES, keyed, audit, clock, log });
  const clientDesk = createClientDesk({
    db,
    clients,
    errors: createClientErrors({ db, clock }),
    idempotency: createIdempotency({ keyed, clock }),
    operators: createOperators({ refusals, clock }),
  });
  return { clients, registry, clientDesk };
}

/** A registration that is accepted. */
export const registrationOf = (id: string, change: object = {}) => ({
  client_id: id,
  client_name: `Layanan ${id}`,
  redirect_uris: [`https://${id}.example/cb`],
  token_endpoint_auth_method: 'client_secret_basic',
  ...change,
});
