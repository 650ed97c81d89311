import { randomBytes } from 'node:crypto';
import { request, type IncomingHttpHeaders } from 'node:http';
import Koa from 'koa';
import { actCalls } from '#src/helpdesk/act-calls.js';
import { clientCalls } from '#src/helpdesk/relying-parties/client-calls.js';
import { watchCalls } from '#src/helpdesk/watch-calls.js';
import type { Call as ApiCall } from '#src/helpdesk/api/call.js';
import { deskCalls } from '#src/helpdesk/desk/calls.js';
import { createIdempotency } from '#src/helpdesk/idempotency.js';
import { adminRoutes } from '#src/helpdesk/routes.js';
import type { AdminCaller } from '#src/helpdesk/admin-tokens.js';
import { knowBrowser } from '#src/web/browser.js';
import { createFormTokens } from '#src/web/csrf.js';
import { errorBoundary } from '#src/web/error-boundary.js';
import { securityHeaders } from '#src/web/headers.js';
import { fixOrigin, requireKnownHost, servedOrigins } from '#src/web/origin.js';
import { requestLog } from '#src/web/request-log.js';
import type { RequestState } from '#src/web/request.js';
import { mountRoutes } from '#src/web/route-table.js';
import { NOBODY, NOBODY_ON_DUTY } from '../support/nobody.js';
import { listen } from '#src/web/server.js';
import { deskParts } from './desk/parts.js';
import { clientParts } from './relying-parties/parts.js';
import type { ResetParts } from './reset-parts.js';

export const ADMIN = 'admin.contoh.test';
export const ISSUER = 'sso.contoh.test';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Call {
  readonly method?: string;
  readonly host?: string;
  readonly path: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

export interface AdminApi {
  /** The tokens that are alive; tests add theirs. */
  readonly tokens: Map<string, AdminCaller>;
  readonly port: number;
  send(call: Call): Promise<Answer>;
  stop(): Promise<void>;
}

/** The admin API behind the real web toolkit, on a port of its own. */
export async function startAdminApi(parts: ResetParts, only?: readonly ApiCall[]): Promise<AdminApi> {
  const { db, acts, slips, alarms, twoOfficers, refusals, clock, keyed, log } = parts;
  const { desk, grants } = deskParts(db, { clock, secret: randomBytes(32) });
  const calls = only ?? [
    ...actCalls({ acts, slips }),
    ...watchCalls({ alarms, twoOfficers }),
    ...clientCalls(clientParts(parts).clientDesk),
    ...deskCalls({ desk, grants, idempotency: createIdempotency({ keyed, clock }), refusals, db }),
  ];
  const tokens = new Map<string, AdminCaller>();
  const origins = servedOrigins({
    issuer: new URL(`http://${ISSUER}`),
    adminOrigin: `http://${ADMIN}`,
    allowedHosts: [],
  });
  const app = new Koa<RequestState>();
  app.keys = ['a key'];
  app.silent = true;
  fixOrigin(app, origins);
  const observe = (): void => undefined;
  app.use(requestLog({ log, clock, observe, addressOf: () => '192.0.2.1' }));
  app.use(securityHeaders());
  app.use(knowBrowser());
  const write = (): never => {
    throw new Error('the admin API has no pages');
  };
  app.use(errorBoundary({ log, write }));
  app.use(requireKnownHost(origins));
  const verify = (bearer: string): Promise<AdminCaller | undefined> => Promise.resolve(tokens.get(bearer));
  const routes = adminRoutes({
    calls,
    tokens: { verify },
    adminOrigin: `http://${ADMIN}`,
    issuer: `http://${ISSUER}`,
    recordRefusal: (refused) => refusals.record(db, refused),
    clock,
  });
  app.use(mountRoutes(routes, { tokens: createFormTokens(keyed), people: NOBODY, officers: NOBODY_ON_DUTY, clock }));
  const answer = app.callback();
  const listener = await listen((req, res) => void answer(req, res), { host: '127.0.0.1', port: 0 });

  return {
    tokens,
    port: listener.address.port,
    send: ({ method = 'POST', host = ADMIN, path, headers = {}, body }) =>
      new Promise((resolve, reject) => {
        const sent = request(
          { port: listener.address.port, method, path, headers: { ...headers, host }, agent: false },
          (response) => {
            let text = '';
            response.setEncoding('utf8');
            response.on('data', (chunk: string) => (text += chunk));
            response.on('end', () => {
              const isJson = /[/+]json(?:;|$)/.test(response.headers['content-type'] ?? '');
              resolve({
                status: response.statusCode ?? 0,
                headers: response.headers,
                body: isJson ? (JSON.parse(text) as unknown) : text,
              });
            });
          },
        );
        sent.on('error', reject);
        sent.end(body);
      }),
    stop: () => listener.drain(0),
  };
}
