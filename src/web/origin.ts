import type Koa from 'koa';
import { Refusal } from '../kernel/refusal.js';

/** The origins this program answers for, by Host header. */
export interface Origins {
  find(hostHeader: string | undefined): URL | undefined;
  readonly issuer: URL;
  /** The one that serves the console and the admin API. */
  readonly isAdmin: (ctx: Pick<Koa.Context, 'host'>) => boolean;
  /** True at the admin origin where it is another than the issuer's: it has nothing else. */
  readonly isConsoleOnly: (ctx: Pick<Koa.Context, 'host'>) => boolean;
}

/**
 * Host names are an exact allow-list. Protocol and host of an answer come from the settings, never from
 * the request: neither a forged Host nor X-Forwarded-* can get into a URL, a mail or a cookie.
 */
export function servedOrigins(options: { issuer: URL; adminOrigin: string; allowedHosts: readonly string[] }): Origins {
  const { issuer } = options;
  const admin = new URL(options.adminOrigin);
  const origins = [new URL(issuer.origin), admin].concat(
    options.allowedHosts.map((host) => new URL(`${issuer.protocol}//${host}`)),
  );
  const byHost = new Map(origins.map((origin) => [origin.host, origin]));
  const isApart = admin.host !== issuer.host;
  return {
    issuer,
    find: (host) => (host === undefined ? undefined : byHost.get(host.toLowerCase())),
    isAdmin: ({ host }) => host === admin.host,
    isConsoleOnly: ({ host }) => isApart && host === admin.host,
  };
}

/** What an admin origin of its own answers at: the console, its login and logout, the admin API. */
const ADMIN_PATHS = /^\/(?:helpdesk(?:\/.*)?|api\/admin(?:\/.*)?|session\/callback|logout|signed-out)$/;

/** Keeps everything else from an admin origin of its own: no portal, no sign-in, no provider. */
export function keepAdminApart({ isConsoleOnly }: Origins): Koa.Middleware {
  return async (ctx, next) => {
    if (isConsoleOnly(ctx) && !ADMIN_PATHS.test(ctx.path)) throw new Refusal('not_found');
    await next();
  };
}

/** Makes `app` see the configured origin in place of what the request claims. */
export function fixOrigin(app: Koa, origins: Origins): void {
  const of = (host: string | undefined): URL => origins.find(host) ?? origins.issuer;
  const getter = (read: (origin: URL) => unknown): PropertyDescriptor => ({
    get(this: Koa.Request) {
      return read(of(this.req.headers.host));
    },
    configurable: true,
  });
  // Koa makes the others of protocol and host; its own `origin` would be what the Origin header claims.
  Object.defineProperties(app.request, {
    protocol: getter((origin) => origin.protocol.slice(0, -1)),
    host: getter((origin) => origin.host),
    origin: getter((origin) => origin.origin),
  });
}

/** Refuses every other Host with 421, without echoing it (RFC 9110 section 15.5.20). */
export function requireKnownHost(origins: Origins): Koa.Middleware {
  return async (ctx, next) => {
    const { host } = ctx.req.headers;
    // `GET http://other.example/`: what is made of the whole address would carry that host.
    if (!ctx.req.url?.startsWith('/')) throw new Refusal('unknown_host');
    // A second Host header is dropped by Node's parser from `headers`, so look at what was really sent.
    const sent = ctx.req.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
    if (sent !== 1 || origins.find(host) === undefined) throw new Refusal('unknown_host');
    await next();
  };
}

/**
 * Refuses a NUL anywhere in an address: nobody types one, and it ends in a database that keeps none, also when the
 * OpenID provider takes it for the value of a parameter.
 */
export const refuseNul: Koa.Middleware = async (ctx, next) => {
  if (ctx.req.url?.includes('%00') === true)
    throw new Refusal('invalid_input', { status: 400, reason: 'NUL in the address' });
  await next();
};
