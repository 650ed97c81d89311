import { sameBytes } from '../../security/digests.js';
import { clearCookie, readCookie, setCookie } from '../../web/cookies.js';
import { leaveNotice } from '../../web/notice.js';
import type { People } from '../../web/person.js';
import { redirect } from '../../web/redirect.js';
import type { PageContext } from '../../web/request.js';
import { visitorOf } from '../../web/visitor.js';
import type { OwnPages } from '../own-login.js';
import type { PageSessions, SignedIn } from '../page-sessions.js';

/** Logins of some pages that may be under way in one browser at the same time: several tabs may be on their way. */
const AT_ONCE = 16;
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

/** How a login ended that this browser began: with a page session or without, and where it goes on. */
export interface LoginEnd {
  readonly signedIn: boolean;
  readonly back: string;
}

/** Who is logged in on some pages of ours, over the cookies of a browser. */
export interface PageLogins {
  readonly people: People;
  find(ctx: PageContext): Promise<SignedIn | undefined>;
  /** Takes the provider's answer to a login; undefined when no login of these pages was begun here with this state. */
  complete(ctx: PageContext, answer: { state: string; code: string | undefined }): Promise<LoginEnd | undefined>;
  /** The browser was logged in here, as far as it knows. */
  wasSignedIn(ctx: PageContext): boolean;
  forget(ctx: PageContext): void;
  /** Ends the login itself, here and everywhere. */
  end(ctx: PageContext): Promise<void>;
}

/** Over page sessions in a cookie that ends with the browser; the server ends them earlier. */
export function createPageLogins({ pages, sessions }: { pages: OwnPages; sessions: PageSessions }): PageLogins {
  // A cookie for every login begun would fill the head of the request that ends one (R-48): they are taken in turn.
  const names = Array.from({ length: AT_ONCE }, (_, index) => `${pages === 'portal' ? '' : `${pages}-`}login-${index}`);
  let turn = 0;

  /** The login under way in this browser that was begun with this state. */
  function loginOf(ctx: PageContext, state: string): (LoginUnderWay & { name: string }) | undefined {
    for (const name of names) {
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

  async function find(ctx: PageContext): Promise<SignedIn | undefined> {
    const secret = readCookie(ctx, pages);
    return secret === undefined ? undefined : sessions.find(secret);
  }
  const wasSignedIn = (ctx: PageContext): boolean => readCookie(ctx, pages) !== undefined;
  const forget = (ctx: PageContext): void => {
    clearCookie(ctx, pages);
  };

  return {
    find,
    wasSignedIn,
    forget,

    people: {
      async find(ctx) {
        const found = await find(ctx);
        if (found === undefined) return undefined;
        const { account, ...rest } = found;
        return { id: account.id, name: account.name, ...rest };
      },
      askToSignIn(ctx, { wanted, back }) {
        // Nobody is logged in, and the browser has the cookie: the login was ended elsewhere, or too old.
        if (wanted === 'login' && wasSignedIn(ctx)) {
          forget(ctx);
          leaveNotice(ctx, 'session_over');
        }
        const fresh = wanted === 'fresh factor';
        const { location, state, codeVerifier } = sessions.begin({ fresh });
        turn += 1;
        const name = names[turn % names.length] ?? '';
        const value = keep({ state, codeVerifier, fresh, back });
        setCookie(ctx, name, value, { path: CALLBACK_AREA, maxAgeSeconds: LOGIN_SECONDS });
        redirect(ctx, location);
      },
    },

    async complete(ctx, { state, code }) {
      // Without the cookie of this very login the answer belongs to another browser (login CSRF, A23).
      const login = loginOf(ctx, state);
      if (login === undefined) return undefined;
      clearCookie(ctx, login.name, CALLBACK_AREA);
      const secret = code === undefined ? undefined : await sessions.complete({ ...login, code });
      if (secret !== undefined) setCookie(ctx, pages, secret);
      return { signedIn: secret !== undefined, back: login.back };
    },

    async end(ctx) {
      const secret = readCookie(ctx, pages);
      if (secret === undefined) return;
      await sessions.end(secret, visitorOf(ctx));
      forget(ctx);
    },
  };
}
