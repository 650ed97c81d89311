import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.js';
import type { OwnLogin, OwnPages } from '../../portal/own-login.js';
import type { Database } from '../../storage/database.js';
import { OWN_CLIENTS, ownRedirectUri } from '../../clients/own-clients.js';
import { ENDPOINTS, type EndpointStyle } from '../endpoints.js';
import { SESSION_TOUCH_SECONDS } from '../lifetimes.js';
import { sessionStore, type Changes } from '../storage/session-store.js';
import { tokenStore } from '../storage/token-store.js';

const NOTHING: Changes = { set: {}, removed: [] };

/** The login of our own pages: the code flow of a client that is this program, so its codes are redeemed in process. */
export function ownLogin(parts: {
  db: Database;
  clock: Clock;
  issuer: string;
  endpointStyle: EndpointStyle;
  pages: OwnPages;
  /** Where those pages are. */
  origin: string;
}): OwnLogin {
  const { db, clock, issuer, pages, origin } = parts;
  const redirectUri = ownRedirectUri(origin);
  const clientOf = (fresh = false): string => OWN_CLIENTS[pages][fresh ? 'fresh' : 'usual'];
  const sessions = sessionStore(db);
  return {
    async isAlive(sessionUid) {
      const now = clock.now();
      const session = await sessions.findByUid(sessionUid, now);
      if (session === undefined) return false;
      // Whoever uses our own pages is not idle.
      if (now.getTime() - session.lastSeenAt.getTime() < SESSION_TOUCH_SECONDS * 1000) return true;
      return sessions.update({
        ...session,
        id: undefined,
        login: undefined,
        payload: NOTHING,
        authorizations: NOTHING,
        now,
      });
    },

    authorizationUrl({ state, codeChallenge, fresh }) {
      const url = new URL(`${issuer}${ENDPOINTS[parts.endpointStyle].authorization}`);
      url.search = new URLSearchParams({
        client_id: clientOf(fresh),
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid',
        state,
        code_challenge: codeChallenge,
        code_challenge_method: 'S256',
      }).toString();
      return url.href;
    },

    async redeem({ code, codeVerifier, fresh }) {
      const redeemed = await tokenStore(db).redeemOwn({
        code,
        clientId: clientOf(fresh),
        redirectUri,
        codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        now: clock.now(),
      });
      if (redeemed === undefined) return undefined;
      const { acr, authTime } = redeemed.payload as { acr?: string; authTime: number };
      return {
        accountId: redeemed.accountId,
        sessionUid: redeemed.sessionUid,
        acr,
        authenticatedAt: new Date(authTime * 1000),
      };
    },
  };
}
