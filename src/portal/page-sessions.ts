import { createHash } from 'node:crypto';
import { getById, type Account } from '../accounts/accounts.js';
import { toldOfficerReset, type OfficerReset } from '../accounts/officer-resets.js';
import type { EndSessions } from '../accounts/end-sessions.js';
import type { Audit } from '../audit/audit.js';
import { secondsAfter, type Clock } from '../kernel/clock.js';
import { digest } from '../security/digests.js';
import { randomId } from '../security/secrets.js';
import type { Database } from '../storage/database.js';
import type { Trace } from '../throttle/visitor.js';
import type { OwnLogin, OwnPages } from './own-login.js';
import * as store from './page-session-store.js';

const ABSOLUTE_SECONDS = 12 * 3600;

/** A login begun: what the browser keeps until the provider answers. */
export interface BegunLogin {
  readonly location: string;
  readonly state: string;
  readonly codeVerifier: string;
}

/** Whose page session it is, and how long ago the second factor was proved. */
export interface SignedIn {
  readonly account: Account;
  readonly sessionUid: string;
  readonly authenticatedAt: Date;
  readonly acr: string | undefined;
  /** When a reset of this person's MFA is due that waits. */
  readonly waitingResetDueAt: Date | undefined;
  /** A reset by an officer within the last month; not looked for in the console. */
  readonly officerReset: OfficerReset | undefined;
}

/** Who is logged in on some pages of ours: their built-in client's code flow, tied to the provider's session. */
export interface PageSessions {
  /** Begins the code flow with PKCE S256 (RFC 7636) and a new state; `fresh` as in {@link OwnLogin}. */
  begin(login: { fresh: boolean }): BegunLogin;
  /**
   * Redeems the code and answers the secret of a new page session, in place of those from before a step-up;
   * undefined when the code is no good.
   */
  complete(response: { code: string; codeVerifier: string; fresh: boolean }): Promise<string | undefined>;
  /** The person behind a page session, while the provider's session lives too. */
  find(secret: string): Promise<SignedIn | undefined>;
  /** One logout ends all: the provider's session with every grant and token, and all page sessions tied to it. */
  end(secret: string, trace: Trace): Promise<void>;
}

export function createPageSessions(parts: {
  db: Database;
  pages: OwnPages;
  ownLogin: OwnLogin;
  endSessions: EndSessions;
  waitingResets: { dueAt(db: Database, account: Account): Promise<Date | undefined> };
  audit: Audit;
  clock: Clock;
}): PageSessions {
  const { db, pages, ownLogin, endSessions, waitingResets, audit, clock } = parts;
  return {
    begin({ fresh }) {
      const state = randomId(16);
      const codeVerifier = randomId(32);
      const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
      return { location: ownLogin.authorizationUrl({ state, codeChallenge, fresh }), state, codeVerifier };
    },

    async complete(response) {
      const redeemed = await ownLogin.redeem(response);
      if (redeemed === undefined) return undefined;
      const login = { ...redeemed, pages };
      const secret = randomId(16);
      const now = clock.now();
      await db.transaction(async (tx) => {
        await store.deleteStaleSessions(tx, login);
        await store.insertSession(tx, {
          ...login,
          id: digest(secret),
          now,
          expiresAt: secondsAfter(now, ABSOLUTE_SECONDS),
        });
      });
      return secret;
    },

    async find(secret) {
      const session = await store.findSession(db, { id: digest(secret), pages, now: clock.now() });
      if (session === undefined || !(await ownLogin.isAlive(session.sessionUid))) return undefined;
      const { sessionUid, authenticatedAt, acr } = session;
      const account = await getById(db, session.accountId);
      const waitingResetDueAt = await waitingResets.dueAt(db, account);
      const officerReset = pages === 'portal' ? await toldOfficerReset(db, account.id, clock.now()) : undefined;
      return { account, sessionUid, authenticatedAt, acr, waitingResetDueAt, officerReset };
    },

    async end(secret, trace) {
      const session = await store.findSession(db, { id: digest(secret), pages, now: clock.now() });
      if (session === undefined) return;
      await db.transaction(async (tx) => {
        await endSessions.one(tx, session.sessionUid);
        await store.deleteSessionsOf(tx, session.sessionUid);
        const { accountId } = session;
        await audit.record(tx, { type: 'session.ended', detail: { by: 'person' }, accountId, ...trace });
      });
    },
  };
}
