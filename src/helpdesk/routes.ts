import { Readable } from 'node:stream';
import type { Clock } from '../kernel/clock.js';
import { Refusal } from '../kernel/refusal.js';
import { readBody, readFile } from '../web/form.js';
import type { PageContext } from '../web/request.js';
import type { ApiRoute, Route } from '../web/route-table.js';
import type { AdminCaller, AdminTokens } from './admin-tokens.js';
import type { Call } from './api/call.js';
import { openApiDocument } from './api/openapi.js';
import { createPerform, type ApiRequest } from './api/perform.js';
import type { Reply } from './api/problem.js';
import type { Refused } from './refusals.js';

export interface AdminRouteParts {
  readonly calls: readonly Call[];
  readonly tokens: AdminTokens;
  /** Anywhere but at its host, port included, there is no admin API. */
  readonly adminOrigin: string;
  /** Of the OpenID provider, for the document. */
  readonly issuer: string;
  readonly recordRefusal: (refused: Refused) => Promise<void>;
  readonly clock: Clock;
}

const ROOT = '/api/admin';

const requestOf = (ctx: PageContext): ApiRequest => ({
  authorization: ctx.req.headers.authorization,
  idempotencyKey: ctx.req.headers['idempotency-key'],
  isJson: ctx.is('application/json') !== false,
  params: ctx.params as Record<string, string>,
  query: ctx.query,
  requestId: ctx.state.requestId,
  readBody: () => readBody(ctx.req),
  isOf: (type) => ctx.is(type) !== false && ctx.is(type) !== null,
  headers: ctx.req.headers,
  file: readFile(ctx.req),
});

function send(ctx: PageContext, { status, type, headers, body }: Reply): void {
  ctx.status = status;
  ctx.set(headers);
  // What is left of the body is not waited for.
  if (status === 413 || (status >= 400 && !ctx.req.complete)) ctx.set('Connection', 'close');
  ctx.body = typeof body === 'string' ? body : Readable.from(body);
  ctx.type = type;
}

/**
 * The admin API, from the table of its calls. What lies below it and is not there is 401 for strangers and 404 for
 * everybody else; only its own description is for everybody.
 */
export function adminRoutes({ calls, adminOrigin, issuer, ...parts }: AdminRouteParts): Route[] {
  const { host, origin } = new URL(adminOrigin);
  const perform = createPerform(parts);
  const document = JSON.stringify(openApiDocument({ calls, server: `${origin}${ROOT}/v1`, issuer }));

  const atHome = (ctx: PageContext): void => {
    if (ctx.host !== host) throw new Refusal('not_found');
  };
  const remember =
    (ctx: PageContext) =>
    ({ accountId }: AdminCaller): void => {
      if (accountId !== undefined) ctx.state.accountId = accountId;
    };

  const routed = (call: Call): ApiRoute => ({
    method: call.method,
    path: `${ROOT}/v1${call.path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    access: 'bearer',
    async handle(ctx) {
      atHome(ctx);
      send(ctx, await perform.call(call, requestOf(ctx), remember(ctx)));
    },
  });

  const unknown = (method: ApiRoute['method']): ApiRoute => ({
    method,
    path: `${ROOT}{/*rest}`,
    access: 'bearer',
    async handle(ctx) {
      atHome(ctx);
      send(ctx, await perform.unknown(requestOf(ctx), remember(ctx)));
    },
  });

  return [
    {
      method: 'GET',
      path: `${ROOT}/v1/openapi.json`,
      access: 'anyone',
      handle(ctx) {
        atHome(ctx);
        ctx.body = document;
        ctx.type = 'application/json';
      },
    },
    ...calls.map(routed),
    unknown('GET'),
    unknown('POST'),
    unknown('PUT'),
    unknown('DELETE'),
  ];
}
