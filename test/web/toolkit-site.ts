import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createApp } from '#src/app.js';
import { createKeyedDigest } from '#src/security/digests.js';
import { createFormTokens } from '#src/web/csrf.js';
import { servedOrigins } from '#src/web/origin.js';
import { pageWriter, type PageWriter } from '#src/web/page.js';
import type { Route } from '#src/web/route-table.js';
import { listen, type Listener } from '#src/web/server.js';
import { createViews } from '#src/web/views.js';
import { NOBODY, NOBODY_ON_DUTY } from '../support/nobody.js';
import { quietLog, type QuietLog } from '../support/quiet-log.js';

const VIEWS = fileURLToPath(new URL('../../views', import.meta.url));
const views = createViews({ directory: VIEWS });
const KEYS = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

/** The public listener as the program builds it, with the test's own routes in place of the slices'. */
export interface ToolkitSite {
  readonly port: number;
  readonly listener: Listener;
  readonly log: QuietLog;
  ask(path: string, request?: Ask): Promise<Answer>;
  /** Sends bytes as they are and answers what came back until the server closed the connection. */
  raw(text: string): Promise<string>;
  stop(): Promise<void>;
}

export interface ToolkitSiteOptions {
  readonly issuer?: string;
  readonly adminOrigin?: string;
  readonly allowedHosts?: readonly string[];
  readonly trustedProxies?: readonly string[];
  readonly routes?: (write: PageWriter, tokenOf: ReturnType<typeof createFormTokens>) => readonly Route[];
  /** In place of the templates, to break them. */
  readonly render?: () => string;
  readonly cookieKeys?: readonly string[];
}

export async function openToolkitSite(options: ToolkitSiteOptions = {}): Promise<ToolkitSite> {
  const issuer = new URL(options.issuer ?? 'http://sso.example:3000');
  const clock = { now: () => new Date('2026-11-23T01:15:42Z') };
  const tokens = createFormTokens(createKeyedDigest(Buffer.alloc(32, 7)));
  const brand = { name: 'SSO ASN', portal: 'ASN Digital', institution: 'Lembaga', host: issuer.host };
  const origins = servedOrigins({
    issuer,
    adminOrigin: options.adminOrigin ?? issuer.origin,
    allowedHosts: options.allowedHosts ?? [],
  });
  const write = pageWriter({
    views: options.render === undefined ? views : { render: options.render },
    tokens,
    brand,
    origins,
    clock,
  });
  const log = quietLog();
  const pass = (_: unknown, next: () => Promise<unknown>): Promise<unknown> => next();
  const answer = createApp({
    origins,
    cookieKeys: options.cookieKeys ?? KEYS,
    trustedProxies: options.trustedProxies ?? [],
    assets: `${VIEWS}/assets`,
    routes: options.routes?.(write, tokens) ?? [],
    // The provider has tests of its own: here it knows no address.
    openid: { provider: undefined as never, metadata: pass, endpoints: pass, signOutPath: '/oidc/logout' },
    tokens,
    people: NOBODY,
    officers: NOBODY_ON_DUTY,
    write,
    observe: () => undefined,
    log,
    clock,
  }).callback();
  const listener = await listen((req, res) => void answer(req, res), { host: '127.0.0.1', port: 0 });
  const { port } = listener.address;

  return {
    port,
    listener,
    log,
    ask: (path, { method = 'GET', headers = {}, body } = {}) =>
      new Promise((resolve, reject) => {
        const sent = { host: issuer.host, connection: 'close', ...headers } as Record<string, string>;
        const request = httpRequest({ port, host: '127.0.0.1', path, method, headers: sent }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              cookies: response.headers['set-cookie'] ?? [],
              text: bytes.toString(),
              bytes,
            });
          });
        });
        request.on('error', reject);
        request.end(body);
      }),
    raw: (text) =>
      new Promise((resolve) => {
        let answer = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        socket.on('data', (chunk) => {
          answer += chunk.toString();
        });
        socket.on('error', () => undefined);
        socket.on('close', () => {
          resolve(answer);
        });
      }),
    stop: () => listener.drain(0),
  };
}

/** What a browser would send back: the last value of every cookie set. */
export const cookiesOf = (...answers: readonly Answer[]): string =>
  answers
    .flatMap(({ cookies }) => cookies)
    .map((line) => line.split(';', 1)[0] ?? '')
    .join('; ');

/** A form as browsers post it. */
export const posted = (
  fields: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
): Ask => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  body: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
});
