import Koa from 'koa';
import type { Clock } from './kernel/clock.js';
import type { Log } from './kernel/log.js';
import type { OpenIdProvider } from './oidc/provider/provider.js';
import { serveAssets } from './web/assets.js';
import { followService, greetBrowser, knowBrowser } from './web/browser.js';
import { clientAddress } from './web/client-address.js';
import type { FormTokens } from './web/csrf.js';
import { errorBoundary } from './web/error-boundary.js';
import { refuseLargeBody } from './web/form.js';
import { securityHeaders } from './web/headers.js';
import { fixOrigin, keepAdminApart, refuseNul, requireKnownHost, type Origins } from './web/origin.js';
import type { PageWriter } from './web/page.js';
import { requestLog, type RequestObserver } from './web/request-log.js';
import type { Officers } from './web/officer.js';
import type { People } from './web/person.js';
import { mountRoutes, type Route } from './web/route-table.js';
import type { RequestState } from './web/request.js';

export interface AppParts {
  readonly origins: Origins;
  readonly cookieKeys: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly assets: string;
  readonly routes: readonly Route[];
  readonly openid: OpenIdProvider;
  readonly tokens: FormTokens;
  readonly people: People;
  readonly officers: Officers;
  readonly write: PageWriter;
  readonly observe: RequestObserver;
  readonly log: Log;
  readonly clock: Clock;
}

/** The public listener: what happens to every request, in this order. */
export function createApp(parts: AppParts): Koa<RequestState> {
  const { origins, openid, tokens, people, officers, write, log, clock, observe } = parts;
  const app = new Koa<RequestState>();
  app.keys = [...parts.cookieKeys];
  app.silent = true;
  fixOrigin(app, origins);

  app.use(requestLog({ log, clock, observe, addressOf: clientAddress(parts.trustedProxies) }));
  app.use(securityHeaders());
  app.use(knowBrowser());
  app.use(errorBoundary({ log, write }));
  app.use(requireKnownHost(origins));
  app.use(refuseNul);
  app.use(serveAssets(parts.assets));
  app.use(keepAdminApart(origins));
  app.use(openid.metadata);
  app.use(mountRoutes(parts.routes, { tokens, people, officers, clock }));
  app.use(refuseLargeBody);
  app.use(async (ctx, next) => {
    await next();
    // A sign-in is bound to the browser it begins in, so that must know itself when it comes to the login page.
    const location = ctx.res.getHeader('location');
    if (typeof location === 'string' && location.includes('/sign-in/')) {
      greetBrowser(ctx);
      followService(ctx, ctx.state.uiLocales);
    }
  });
  app.use(openid.endpoints);
  return app;
}
