import { sameBytes } from '../security/digests.js';
import { clearCookie, readCookie, setCookie } from '../web/cookies.js';
import { pickFields, queryValue } from '../web/form.js';
import type { PageWriter } from '../web/page.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import type { PageSessions } from './page-sessions.js';
import { grouped, type Services } from './services.js';

/** The page session. Ends with the browser; the server ends it earlier. */
const SESSION = 'portal';
/**
 * State and code verifier of logins under way, one in each: two tabs may both be on their way. Taken in turn, since a
 * cookie for every login begun would fill the head of the request that ends one.
 */
const LOGINS = Array.from({ length: 16 }, (_, index) => `login-${index}`);
const CALLBACK_AREA = '/session';
const LOGIN_SECONDS = 3600;

/** The login under way in this browser that was begun with this state. */
function loginOf(ctx: PageContext, state: string): { name: string; codeVerifier: string } | undefined {
  for (const name of LOGINS) {
    const [begun = '', codeVerifier] = readCookie(ctx, name, CALLBACK_AREA)?.split('.') ?? [];
    if (codeVerifier !== undefined && sameBytes(Buffer.from(begun), Buffer.from(state))) return { name, codeVerifier };
  }
  return undefined;
}

export interface PortalRouteParts {
  readonly sessions: PageSessions;
  readonly services: Services;
  readonly write: PageWriter;
}

/** The front door, the launcher and how people get from one to the other. */
export function portalRoutes({ sessions, services, write }: PortalRouteParts): Route[] {
  const personOf = async (ctx: PageContext) => {
    const secret = readCookie(ctx, SESSION);
    const account = secret === undefined ? undefined : await sessions.find(secret);
    if (account !== undefined) ctx.state.accountId = account.id;
    return account;
  };
  let turn = 0;

  return [
    {
      method: 'GET',
      path: '/',
      access: 'anyone',
      async handle(ctx) {
        const account = await personOf(ctx);
        if (account === undefined) {
          write(ctx, 'front', {});
          return;
        }
        const query = queryValue(ctx, 'q');
        const groups = grouped(await services.ofPerson(account), query);
        write(ctx, 'launcher', { groups, query }, { person: { name: account.name } });
      },
    },
    {
      method: 'GET',
      path: '/login',
      access: 'anyone',
      handle(ctx) {
        const { location, state, codeVerifier } = sessions.begin();
        turn += 1;
        const name = LOGINS[turn % LOGINS.length] ?? '';
        setCookie(ctx, name, `${state}.${codeVerifier}`, { path: CALLBACK_AREA, maxAgeSeconds: LOGIN_SECONDS });
        redirect(ctx, location);
      },
    },
    {
      method: 'GET',
      path: '/session/callback',
      access: 'anyone',
      async handle(ctx) {
        const [state = '', code] = [queryValue(ctx, 'state'), queryValue(ctx, 'code')];
        // Without the cookie of this very login the answer belongs to another browser (login CSRF, A23).
        const login = loginOf(ctx, state);
        if (login !== undefined) clearCookie(ctx, login.name, CALLBACK_AREA);
        if (code !== undefined && login !== undefined) {
          const secret = await sessions.complete({ code, codeVerifier: login.codeVerifier });
          if (secret !== undefined) setCookie(ctx, SESSION, secret);
        }
        redirect(ctx, '/');
      },
    },
    {
      method: 'POST',
      path: '/logout',
      access: 'person',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const secret = readCookie(ctx, SESSION);
        if (secret !== undefined) await sessions.end(secret, ctx.state.requestId);
        clearCookie(ctx, SESSION);
        redirect(ctx, '/signed-out');
      },
    },
    {
      method: 'GET',
      path: '/signed-out',
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'sign-out/done', {});
      },
    },
    {
      method: 'GET',
      path: '/bantuan',
      access: 'anyone',
      handle(ctx) {
        write(ctx, 'help', {});
      },
    },
  ];
}
