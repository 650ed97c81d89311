import Router from '@koa/router';
import type Koa from 'koa';
import { readFields, type PostedFields } from './form.js';
import type { FormTokens } from './csrf.js';
import type { PageContext, RequestState } from './request.js';

/**
 * Who may call a route. `anyone`: pages before login, protected by what the flow itself demands. `person`: somebody
 * who is logged in on our own pages. `bearer`: the admin API. `development`: outside production only.
 */
export type Access = 'anyone' | 'person' | 'bearer' | 'development';

interface RouteBase {
  readonly path: string;
  readonly access: Access;
}

/** A GET changes nothing, ever. */
export interface GetRoute extends RouteBase {
  readonly method: 'GET';
  handle(ctx: PageContext): Promise<void> | void;
}

/** A form of ours: its fields are read and its token checked before the handler runs. */
export interface FormRoute extends RouteBase {
  readonly method: 'POST';
  readonly access: Exclude<Access, 'bearer'>;
  handle(ctx: PageContext, fields: PostedFields): Promise<void> | void;
}

/** A call of the API: authorised by its bearer token, so there is no form token. */
export interface ApiRoute extends RouteBase {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly access: 'bearer';
  handle(ctx: PageContext): Promise<void> | void;
}

export type Route = GetRoute | FormRoute | ApiRoute;

/** The table of all routes, by their exact paths, as one middleware; what it does not know is passed on. */
export function mountRoutes(routes: readonly Route[], tokens: FormTokens): Koa.Middleware<RequestState> {
  const router = new Router<RequestState>({ exclusive: false, sensitive: true, strict: true });
  for (const route of routes) {
    const handle = async (ctx: PageContext): Promise<void> => {
      ctx.state.route = route.path;
      if (route.method === 'POST' && route.access !== 'bearer') {
        const fields = await readFields(ctx);
        tokens.require(ctx, fields);
        await route.handle(ctx, fields);
      } else {
        await route.handle(ctx);
      }
    };
    router.register(route.path, [route.method.toLowerCase()], handle as never);
  }
  return router.routes() as unknown as Koa.Middleware<RequestState>;
}
