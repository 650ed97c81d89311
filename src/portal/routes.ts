import { sameBytes } from '../security/digests.js';
import { clearCookie, readCookie, setCookie } from '../web/cookies.js';
import { pickFields, queryValue } from '../web/form.js';
import { leaveNotice, takeCount, takeNotice } from '../web/notice.js';
import type { PageWriter } from '../web/page.js';
import type { People } from '../web/person.js';
import { redirect } from '../web/redirect.js';
import type { PageContext } from '../web/request.js';
import type { Route } from '../web/route-table.js';
import { visitorOf } from '../web/visitor.js';
import type { PageSessions, SignedIn } from './page-sessions.js';
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

/** A login under way, as the browser keeps it in a signed cookie. */
interface LoginUnderWay {
  readonly state: string;
  readonly codeVerifier: string;
  readonly fresh: boolean;
  /** The page that asked for it, a path of ours. */
  readonly back: string;
}

const keep = ({ state, codeVerifier, fresh, back }: LoginUnderWay): string =>
  [state, codeVerifier, fresh ? 'fresh' : '', Buffer.from(back).toString('base64url')].join('.');

/** The login under way in this browser that was begun with this state. */
function loginOf(ctx: PageContext, state: string): (LoginUnderWay & { name: string }) | undefined {
  for (const name of LOGINS) {
    const [begun = '', codeVerifier = '', fresh, back = ''] = readCookie(ctx, name, CALLBACK_AREA)?.split('.') ?? [];
    if (begun === '' || !sameBytes(Buffer.from(begun), Buffer.from(state))) continue;
    return {
      name,
      state,
      codeVerifier,
      fresh: fresh === 'fresh',
      back: Buffer.from(back, 'base64url').toString(),
    };
  }
  return undefined;
}

const signedIn = async (ctx: PageContext, sessions: PageSessions): Promise<SignedIn | undefined> => {
  const secret = readCookie(ctx, SESSION);
  return secret === undefined ? undefined : sessions.find(secret);
};

/** Who is logged in on our own pages, over the cookie of the page session. */
export function portalPeople(sessions: PageSessions): People {
  let turn = 0;
  return {
    async find(ctx) {
      const found = await signedIn(ctx, sessions);
      if (found === undefined) return undefined;
      const { account, ...rest } = found;
      return { id: account.id, name: account.name, ...rest };
    },
    askToSignIn(ctx, { fresh, back }) {
      // Who asks for a fresh factor is logged in; who else has the cookie was: ended elsewhere, or too old.
      if (!fresh && readCookie(ctx, SESSION) !== undefined) {
        clearCookie(ctx, SESSION);
        leaveNotice(ctx, 'session_over');
      }
      const { location, state, codeVerifier } = sessions.begin({ fresh });
      turn += 1;
      const name = LOGINS[turn % LOGINS.length] ?? '';
      const value = keep({ state, codeVerifier, fresh, back });
      setCookie(ctx, name, value, { path: CALLBACK_AREA, maxAgeSeconds: LOGIN_SECONDS });
      redirect(ctx, location);
    },
  };
}

export interface PortalRouteParts {
  readonly sessions: PageSessions;
  readonly people: People;
  readonly services: Services;
  readonly write: PageWriter;
}

/** The front door, the launcher and how people get from one to the other. */
export function portalRoutes({ sessions, people, services, write }: PortalRouteParts): Route[] {
  return [
    {
      method: 'GET',
      path: '/',
      access: 'anyone',
      async handle(ctx) {
        const found = await signedIn(ctx, sessions);
        if (found === undefined) {
          const sessionOver = readCookie(ctx, SESSION) !== undefined;
          // Said once.
          if (sessionOver) clearCookie(ctx, SESSION);
          write(ctx, 'front', { sessionOver });
          return;
        }
        const { account, waitingResetDueAt } = found;
        ctx.state.accountId = account.id;
        const query = queryValue(ctx, 'q');
        const groups = grouped(await services.ofPerson(account), query);
        const codesLeft = takeCount(ctx, 'recovery_code_used');
        const isDeviceLost = takeNotice(ctx, 'device_lost');
        write(
          ctx,
          'launcher',
          { groups, query, codesLeft, isDeviceLost },
          { person: { name: account.name, waitingResetDueAt } },
        );
      },
    },
    {
      method: 'GET',
      path: '/login',
      access: 'anyone',
      handle(ctx) {
        people.askToSignIn(ctx, { fresh: false, back: '/' });
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
        const secret =
          code === undefined || login === undefined ? undefined : await sessions.complete({ ...login, code });
        if (secret !== undefined) setCookie(ctx, SESSION, secret);
        redirect(ctx, secret === undefined || login === undefined ? '/' : login.back);
      },
    },
    {
      method: 'POST',
      path: '/logout',
      // Who is not logged in has nothing to end, and is led to the same page.
      access: 'anyone',
      async handle(ctx, fields) {
        pickFields(fields, []);
        const secret = readCookie(ctx, SESSION);
        if (secret !== undefined) await sessions.end(secret, visitorOf(ctx));
        clearCookie(ctx, SESSION);
        redirect(ctx, '/signed-out');
      },
    },
    {
      method: 'GET',
      path: '/signed-out',
      access: 'anyone',
      async handle(ctx) {
        // All sessions were ended in this browser: its own has no more to say.
        if (readCookie(ctx, SESSION) !== undefined && (await signedIn(ctx, sessions)) === undefined) {
          clearCookie(ctx, SESSION);
        }
        write(ctx, 'sign-out/done', { everywhere: takeNotice(ctx, 'all_sessions_ended') });
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
