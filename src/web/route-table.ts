import Router from '@koa/router';
import type Koa from 'koa';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { Refusal } from '../kernel/refusal.js';
import { readFields, type PostedFields } from './form.js';
import type { FormTokens } from './csrf.js';
import type { Officer, Officers } from './officer.js';
import type { People, Person } from './person.js';
import type { PageContext, RequestState } from './request.js';

/**
 * Who may call a route. `anyone`: pages before login, protected by what the flow itself demands. `person`: somebody
 * who is logged in on our own pages. `officer`: on the console, somebody who holds a role. `bearer`: the admin API,
 * and relying parties that register themselves. `development`: outside production only. `signed`: other programs, whose message is signed.
 */
export type Access = 'anyone' | 'person' | 'officer' | 'bearer' | 'development' | 'signed';

interface RouteBase {
  readonly path: string;
  readonly access: Access;
}

/** A GET changes nothing, ever. */
export interface GetRoute extends RouteBase {
  readonly method: 'GET';
  readonly access: Exclude<Access, 'person' | 'officer' | 'signed'>;
  handle(ctx: PageContext): Promise<void> | void;
}

/** A form of ours: its fields are read and its token checked before the handler runs. */
export interface FormRoute extends RouteBase {
  readonly method: 'POST';
  readonly access: Exclude<Access, 'bearer' | 'person' | 'officer' | 'signed'>;
  handle(ctx: PageContext, fields: PostedFields): Promise<void> | void;
}

/** A form that a program sends: no browser stands behind it, and its handler judges what is signed in it. */
export interface SignedRoute extends RouteBase {
  readonly method: 'POST';
  readonly access: 'signed';
  handle(ctx: PageContext, fields: PostedFields): Promise<void> | void;
}

interface OwnRoute extends RouteBase {
  /**
   * It shows or changes how the account is protected: it wants a second factor of the last five minutes, or, where it is
   * a form, that its page was opened with one not ten minutes ago.
   */
  readonly fresh?: true;
  /**
   * The page that the form or the file stands on, where the person goes on after a login; its own path unless given.
   * Parameters as in `path`.
   */
  readonly page?: string;
}

interface PersonRoute extends OwnRoute {
  readonly access: 'person';
}

/** A page of who is logged in, or a file that stands on one; strangers are led to the login and back. */
export interface PersonPage extends PersonRoute {
  readonly method: 'GET';
  handle(ctx: PageContext, person: Person): Promise<void> | void;
}

/** A form on such a page. */
export interface PersonForm extends PersonRoute {
  readonly method: 'POST';
  handle(ctx: PageContext, fields: PostedFields, person: Person): Promise<void> | void;
}

interface OfficerRoute extends OwnRoute {
  readonly access: 'officer';
}

/** A page of the console; it wants a second factor of the last fifteen minutes, or a fresh one. */
export interface OfficerPage extends OfficerRoute {
  readonly method: 'GET';
  handle(ctx: PageContext, officer: Officer): Promise<void> | void;
}

/** A form on such a page. */
export interface OfficerForm extends OfficerRoute {
  readonly method: 'POST';
  handle(ctx: PageContext, fields: PostedFields, officer: Officer): Promise<void> | void;
}

/** A call of the API: authorised by its bearer token, so there is no form token. */
export interface ApiRoute extends RouteBase {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly access: 'bearer';
  handle(ctx: PageContext): Promise<void> | void;
}

export type Route = GetRoute | FormRoute | SignedRoute | PersonPage | PersonForm | OfficerPage | OfficerForm | ApiRoute;

/** How old a second factor may be, and still be fresh. */
const FRESH_SECONDS = 5 * 60;
/** How old a second factor may be, for reading on the console. */
const RECENT_SECONDS = 15 * 60;
/** How long the forms of a page that was opened with a fresh one are fresh: people take their time. */
const FRESH_FORM_SECONDS = 10 * 60;
/** A longer address is led back to without what was asked for in it: the way is kept in a cookie. */
const MAX_BACK_LENGTH = 400;

export interface RouteParts {
  readonly tokens: FormTokens;
  readonly people: People;
  readonly officers: Officers;
  readonly clock: Clock;
}

/** The table of all routes, by their exact paths, as one middleware; what it does not know is passed on. */
export function mountRoutes(
  routes: readonly Route[],
  { tokens, people, officers, clock }: RouteParts,
): Koa.Middleware<RequestState> {
  /** Until when this page's forms are fresh; undefined where the factor is too old, and the page was when it opened. */
  function freshUntil(
    ctx: PageContext,
    { sessionUid, authenticatedAt }: Person,
    page: string,
    fields?: PostedFields,
  ): Date | undefined {
    const now = clock.now();
    if (now <= secondsAfter(authenticatedAt, FRESH_SECONDS)) return secondsAfter(now, FRESH_FORM_SECONDS);
    // A form that is shown again, with an error, goes on with the time it had.
    const until = fields && tokens.freshUntil(ctx, fields, { sessionUid, page });
    return until !== undefined && now <= until ? until : undefined;
  }

  /** The page that the route belongs to, with this request's parameters. */
  const pageOf = (ctx: PageContext, { page }: OwnRoute): string =>
    page?.replace(/:(\w+)/g, (_, name: string) => (ctx.params as Record<string, string>)[name] ?? '') ?? ctx.path;

  /** Where a login leads back to: the page, with what was asked for in its address. */
  function backTo(ctx: PageContext, route: OwnRoute): string {
    const page = pageOf(ctx, route);
    const back = `${page}${ctx.search}`;
    return back.length <= MAX_BACK_LENGTH ? back : page;
  }

  /** Who is logged in; otherwise the answer is the way to the login, and undefined. */
  async function identify(ctx: PageContext, route: OwnRoute, among: People): Promise<Person | undefined> {
    const person = await among.find(ctx);
    if (person === undefined) among.askToSignIn(ctx, { wanted: 'login', back: backTo(ctx, route) });
    else ctx.state.accountId = person.id;
    return person;
  }

  /** Whether the second factor is as young as the route wants it; otherwise the answer is the way to prove it again. */
  function isYoungEnough(ctx: PageContext, route: PersonRoute | OfficerRoute, person: Person, fields?: PostedFields) {
    const page = pageOf(ctx, route);
    const back = backTo(ctx, route);
    const until = freshUntil(ctx, person, page, fields);
    if (until !== undefined) ctx.state.freshForm = { sessionUid: person.sessionUid, page, until };
    const among = route.access === 'officer' ? officers : people;
    if (route.fresh === true && until === undefined) {
      among.askToSignIn(ctx, { wanted: 'fresh factor', back });
      return false;
    }
    const isRecent = clock.now() <= secondsAfter(person.authenticatedAt, RECENT_SECONDS);
    if (route.access === 'officer' && until === undefined && !isRecent) {
      among.askToSignIn(ctx, { wanted: 'recent factor', back });
      return false;
    }
    return true;
  }

  /** Who may use this route now; otherwise the answer is given, and undefined. */
  async function admit(ctx: PageContext, route: PersonRoute, fields?: PostedFields): Promise<Person | undefined> {
    const person = await identify(ctx, route, people);
    return person !== undefined && isYoungEnough(ctx, route, person, fields) ? person : undefined;
  }

  /** The same on the console. */
  async function admitOfficer(
    ctx: PageContext,
    route: OfficerRoute,
    fields?: PostedFields,
  ): Promise<Officer | undefined> {
    const person = await identify(ctx, route, officers);
    if (person === undefined) return undefined;
    const officer = await officers.admit(ctx, person);
    return officer !== undefined && isYoungEnough(ctx, route, person, fields) ? officer : undefined;
  }

  const router = new Router<RequestState>({ exclusive: false, sensitive: true, strict: true });
  for (const route of routes) {
    const handle = async (ctx: PageContext): Promise<void> => {
      ctx.state.route = route.path;
      if (route.access === 'bearer') return route.handle(ctx);
      if (route.access === 'officer' && !officers.isServedAt(ctx)) throw new Refusal('not_found');
      if (route.method === 'GET') {
        if (route.access === 'officer') {
          const officer = await admitOfficer(ctx, route);
          return officer === undefined ? undefined : route.handle(ctx, officer);
        }
        if (route.access !== 'person') return route.handle(ctx);
        const person = await admit(ctx, route);
        return person === undefined ? undefined : route.handle(ctx, person);
      }
      const fields = await readFields(ctx);
      if (route.access !== 'signed') tokens.require(ctx, fields);
      if (route.access === 'officer') {
        const officer = await admitOfficer(ctx, route, fields);
        return officer === undefined ? undefined : route.handle(ctx, fields, officer);
      }
      if (route.access !== 'person') return route.handle(ctx, fields);
      const person = await admit(ctx, route, fields);
      return person === undefined ? undefined : route.handle(ctx, fields, person);
    };
    router.register(route.path, [route.method.toLowerCase()], handle as never);
  }
  return router.routes() as unknown as Koa.Middleware<RequestState>;
}
