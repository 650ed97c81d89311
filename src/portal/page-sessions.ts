import { createHash } from 'node:crypto';
import { getById, type Account } from '../accounts/accounts.js';
import type { EndSessions } from '../accounts/end-sessions.js';
import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { digest } from '../security/digests.js';
import { randomId } from '../security/secrets.js';
import type { Database } from '../storage/database.js';
import type { OwnLogin } from './own-login.js';
import * as store from './page-session-store.js';

const ABSOLUTE_SECONDS = 12 * 3600;

/** A login begun: what the browser keeps until the provider answers. */
export interface BegunLogin {
  readonly location: string;
  readonly state: string;
  readonly codeVerifier: string;
}

/** Who is logged in on our own pages: the built-in client's code flow, tied to the provider's session. */
export interface PageSessions {
  /** Begins the code flow with PKCE S256 (RFC 7636) and a fresh state. */
  begin(): BegunLogin;
  /** Redeems the code and answers the secret of a new page session; undefined when the code is no good. */
  complete(response: { code: string; codeVerifier: string }): Promise<string | undefined>;
  /** The person behind a page session, while the provider's session lives too. */
  find(secret: string): Promise<Account | undefined>;
  /** One logout ends all: the provider's session with every grant and token, and all page sessions tied to it. */
  end(secret: string, requestId: string): Promise<void>;
}

export function createPageSessions(parts: {
  db: Database;
  ownLogin: OwnLogin;
  endSessions: EndSessions;
  audit: Audit;
  clock: Clock;
}): PageSessions {
  const { db, ownLogin, endSessions, audit, clock } = parts;
  return {
    begin() {
      const state = randomId(16);
      const codeVerifier = randomId(32);
      const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
      return { location: ownLogin.authorizationUrl({ state, codeChallenge }), state, codeVerifier };
    },

    async complete(response) {
      const login = await ownLogin.redeem(response);
      if (login === undefined) return undefined;
      const secret = randomId(16);
      const now = clock.now();
      await store.insertSession(db, {
        id: digest(secret),
        accountId: login.accountId,
        sessionUid: login.sessionUid,
        now,
        expiresAt: secondsAfter(now, ABSOLUTE_SECONDS),
      });
      return secret;
    },

    async find(secret) {
      const session = await store.findSession(db, digest(secret), clock.now());
      if (session === undefined || !(await ownLogin.isAlive(session.sessionUid))) return undefined;
      return getById(db, session.accountId);
    },

    async end(secret, requestId) {
      const session = await store.findSession(db, digest(secret), clock.now());
      if (session === undefined) return;
      await db.transaction(async (tx) => {
        await endSessions.one(tx, session.sessionUid);
        await store.deleteSessionsOf(tx, session.sessionUid);
        const { accountId } = session;
        await audit.record(tx, { type: 'session.ended', detail: { by: 'person' }, accountId, requestId });
      });
    },
  };
}
