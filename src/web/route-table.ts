import Router from '@koa/router';
import type Koa from 'koa';
import type { Clock } from '../kernel/clock.js';
import { readFields, type PostedFields } from './form.js';
import type { FormTokens } from './csrf.js';
import type { People, Person } from './person.js';
import type { PageContext, RequestState } from './request.js';

/**
 * Who may call a route. `anyone`: pages before login, protected by what the flow itself demands. `person`: somebody
 * who is logged in on our own pages. `bearer`: the admin API. `development`: outside production only. `signed`: other
 * programs, whose message is signed.
 */
export type Access = 'anyone' | 'person' | 'bearer' | 'development' | 'signed';

interface RouteBase {
  readonly path: string;
  readonly access: Access;
}

/** A GET changes nothing, ever. */
export interface GetRoute extends RouteBase {
  readonly method: 'GET';
  readonly access: Exclude<Access, 'person' | 'signed'>;
  handle(ctx: PageContext): Promise<void> | void;
}

/** A form of ours: its fields are read and its token checked before the handler runs. */
export interface FormRoute extends RouteBase {
  readonly method: 'POST';
  readonly access: Exclude<Access, 'bearer' | 'person' | 'signed'>;
  handle(ctx: PageContext, fields: PostedFields): Promise<void> | void;
}

/** A form that a program sends: no browser stands behind it, and its handler judges what is signed in it. */
export interface SignedRoute extends RouteBase {
  readonly method: 'POST';
  readonly access: 'signed';
  handle(ctx: PageContext, fields: PostedFields): Promise<void> | void;
}

/**
 * A page of who is logged in; strangers are led to the login and back. A `fresh` one shows or changes how the account
 * is protected: it wants a second factor of the last five minutes.
 */
export interface PersonPage extends RouteBase {
  readonly method: 'GET';
  readonly access: 'person';
  readonly fresh?: true;
  handle(ctx: PageContext, person: Person): Promise<void> | void;
}

/** A form on such a page. */
export interface PersonForm extends RouteBase {
  readonly method: 'POST';
  readonly access: 'person';
  readonly fresh?: true;
  /** The page that the form stands on, where the person goes on after a login; the form's own path unless given. */
  readonly page?: string;
  handle(ctx: PageContext, fields: PostedFields, person: Person): Promise<void> | void;
}

/** A call of the API: authorised by its bearer token, so there is no form token. */
export interface ApiRoute extends RouteBase {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly access: 'bearer';
  handle(ctx: PageContext): Promise<void> | void;
}

export type Route = GetRoute | FormRoute | SignedRoute | PersonPage | PersonForm | ApiRoute;

/** How old a second factor may be when a fresh page opens... */
const FRESH_PAGE_SECONDS = 5 * 60;
/** ...and when the form on it comes back: people take their time. */
const FRESH_FORM_SECONDS = 15 * 60;

export interface RouteParts {
  readonly tokens: FormTokens;
  readonly people: People;
  readonly clock: Clock;
}

/** The table of all routes, by their exact paths, as one middleware; what it does not know is passed on. */
export function mountRoutes(
  routes: readonly Route[],
  { tokens, people, clock }: RouteParts,
): Koa.Middleware<RequestState> {
  /** Who may use this route now; otherwise the answer is the way to the login, and undefined. */
  async function admit(ctx: PageContext, route: PersonPage | PersonForm): Promise<Person | undefined> {
    const person = await people.find(ctx);
    const back = route.method === 'POST' ? (route.page ?? ctx.path) : ctx.path;
    if (person === undefined) {
      people.askToSignIn(ctx, { fresh: false, back });
      return undefined;
    }
    ctx.state.accountId = person.id;
    const limitSeconds = route.method === 'POST' ? FRESH_FORM_SECONDS : FRESH_PAGE_SECONDS;
    const ageMs = clock.now().getTime() - person.authenticatedAt.getTime();
    if (route.fresh !== true || ageMs <= limitSeconds * 1000) return person;
    people.askToSignIn(ctx, { fresh: true, back });
    return undefined;
  }

  const router = new Router<RequestState>({ exclusive: false, sensitive: true, strict: true });
  for (const route of routes) {
    const handle = async (ctx: PageContext): Promise<void> => {
      ctx.state.route = route.path;
      if (route.access === 'bearer') return route.handle(ctx);
      if (route.method === 'GET') {
        if (route.access !== 'person') return route.handle(ctx);
        const person = await admit(ctx, route);
        return person === undefined ? undefined : route.handle(ctx, person);
      }
      const fields = await readFields(ctx);
      if (route.access !== 'signed') tokens.require(ctx, fields);
      if (route.access !== 'person') return route.handle(ctx, fields);
      const person = await admit(ctx, route);
      return person === undefined ? undefined : route.handle(ctx, fields, person);
    };
    router.register(route.path, [route.method.toLowerCase()], handle as never);
  }
  return router.routes() as unknown as Koa.Middleware<RequestState>;
}
