import type { ClientError } from './client-errors.js';
import { factsOf } from './client-facts.js';
import type { ClientView } from './client-view.js';

/** Errors whose cause and remedy have words of their own. */
const KINDS: readonly string[] = [
  'access_denied',
  'invalid_client',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_redirect_uri',
  'invalid_request',
  'invalid_request_object',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
];

export const errorShown = ({ error, detail, endpoint, lastAt, times, requestIds }: ClientError) => ({
  kind: KINDS.includes(error) ? error : 'other',
  error,
  detail,
  endpoint,
  lastAt,
  times,
  requestId: requestIds[0],
});

/** A client as the pages of operators and developers show it. */
export const clientShown = (client: ClientView) => ({
  clientId: client.clientId,
  name: client.name,
  source: client.source,
  authentication: client.authentication,
  state: client.state,
  lastUsedAt: client.lastUsedAt,
  facts: client.registration === undefined ? undefined : factsOf(client.registration),
  json: JSON.stringify(client.written, null, 2),
  problems: client.problems,
  weaknesses: client.weaknesses,
  changedAt: client.changedAt,
  errors: client.errors.map(errorShown),
  carried: Object.entries(client.lastCarried ?? {}).map(([token, claims]) => ({ token, claims })),
});
