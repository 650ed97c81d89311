import { errors, type Adapter } from 'oidc-provider';
import type { Audit } from '../../audit/audit.js';
import type { Clock } from '../../kernel/clock.js';
import { accountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import { agentOf } from '../../web/agent.js';
import { changes, isEmpty, omit } from './changes.js';
import { endedSessions } from '../logout/end-sessions-store.js';
import { SESSION_TOUCH_SECONDS } from '../lifetimes.js';
import { grantStore } from './grant-store.js';
import type { LogoutNotices } from '../logout/logout-notices.js';
import { currentRequest, requestId, requestScope } from '../request-scope.js';
import {
  sessionModel,
  sessionStore,
  type Authorizations,
  type SessionChanges,
  type SessionLogin,
  type StoredSession,
} from './session-store.js';

const MAX_AGENT = 300;

/** The login that the person's sign-in vouched for in this very request, if any. */
function loginOfRequest(): SessionLogin | undefined {
  const ctx = currentRequest();
  const login = ctx?.oidc.result?.login;
  if (ctx === undefined || login === undefined) return undefined;
  const { address } = ctx.state as { address?: unknown };
  return {
    credEpoch: Number(login.credEpoch),
    at: new Date(Number(login.ts) * 1000),
    userAgent: ctx.get('user-agent').slice(0, MAX_AGENT),
    address: typeof address === 'string' ? address : ctx.ip,
  };
}

export interface SessionParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly notices: LogoutNotices;
}

/** The provider's Session model over `sso_sessions`. */
export function sessionAdapter(parts: SessionParts): Partial<Adapter> {
  const { db, clock, audit, notices } = parts;
  const store = sessionStore(db);

  /** A client that leaves the session has been signed out of there: it is told like one whose session ended. */
  function keep(change: SessionChanges, before: StoredSession): Promise<boolean> {
    const account = before.accountId;
    const left = change.authorizations.removed.flatMap((clientId) => {
      const sid = before.authorizations[clientId]?.sid;
      return account === undefined || typeof sid !== 'string' ? [] : [{ clientId, accountId: account, sid }];
    });
    if (left.length === 0) return store.update(change);
    return db.transaction(async (tx) => {
      const kept = await sessionStore(tx).update(change);
      if (kept) await notices.queue(tx, left);
      return kept;
    });
  }

  const remember = (session: StoredSession | undefined): void => {
    if (session === undefined) return;
    const scope = requestScope();
    scope.sessions.set(session.uid, session);
    if (session.accountId !== undefined) scope.accounts.set(session.accountId, session.credEpoch);
  };

  return {
    async find(id) {
      const session = await store.find(id, clock.now());
      if (session === undefined) return undefined;
      requestScope().session = session;
      remember(session);
      return { ...sessionModel(session), jti: id };
    },

    async findByUid(uid) {
      const scope = requestScope();
      let session = scope.sessions.get(uid);
      if (session === undefined && !scope.sessions.has(uid)) {
        session = await store.findByUid(uid, clock.now());
        remember(session);
      }
      return session === undefined ? undefined : sessionModel(session);
    },

    async upsert(id, payload) {
      const scope = requestScope();
      const now = clock.now();
      const uid = String(payload.uid);
      const before = scope.session?.uid === uid ? scope.session : undefined;
      const after = {
        accountId: payload.accountId === undefined ? undefined : accountId(payload.accountId),
        payload: structuredClone(omit(payload, ['jti', 'uid', 'exp', 'authorizations'])),
        authorizations: structuredClone((payload.authorizations ?? {}) as Authorizations),
      };
      const login = loginOfRequest();

      if (before === undefined) {
        // Nobody's session is not worth a row: no form waits for its answer (sign-out.ts), and strangers could make as
        // many as they like.
        if (after.accountId === undefined) return;
        await store.insert({ uid, id, login, now, ...after });
      } else {
        const changed = {
          payload: changes(before.payload, after.payload),
          authorizations: changes(before.authorizations, after.authorizations),
        };
        const rotated = id !== currentId(id);
        const fresh = now.getTime() - before.lastSeenAt.getTime() < SESSION_TOUCH_SECONDS * 1000;
        if (fresh && !rotated && isEmpty(changed.payload) && isEmpty(changed.authorizations)) return;
        const account = after.accountId;
        const change = { uid, id: rotated ? id : undefined, accountId: account, login, now, ...changed };
        const kept = await keep(change, before);
        // Somebody ended it while this request was under way: what was ended does not come back.
        if (!kept) {
          await dropNewGrants(db);
          forgetSession();
          throw new errors.LoginRequired('the session has ended');
        }
      }
      scope.session = {
        uid,
        credEpoch: login?.credEpoch ?? before?.credEpoch,
        lastSeenAt: now,
        expiresAt: now,
        ...after,
      };
    },

    async destroy(id) {
      // Rotation of the id, not the end of the session: the coming upsert moves the row to its new id in one statement.
      if (oldId() === id) return;
      await db.transaction(async (tx) => {
        const ended = await endedSessions(tx).byId(id);
        const account = ended.sessions[0]?.accountId;
        if (account === undefined) return;
        await notices.queue(tx, ended.parties);
        await audit.record(tx, {
          type: 'session.ended',
          accountId: account,
          requestId: requestId(),
          agent: agentOf(currentRequest()?.get('user-agent') ?? ''),
          detail: { by: 'person' },
        });
      });
    },
  };
}

/** The id that the request's session had before it was rotated. */
const oldId = (): string | undefined => (currentRequest()?.oidc.session as { oldId?: string } | undefined)?.oldId;

/** What this request granted in a session that was ended meanwhile: nobody has logged in by it. */
async function dropNewGrants(db: Database): Promise<void> {
  for (const [id, kept] of requestScope().claimed) if (kept === id) await grantStore(db).delete(id);
}

/** Tells the provider that there is nothing left to save. */
function forgetSession(): void {
  const session = currentRequest()?.oidc.session as { destroyed?: boolean } | undefined;
  if (session !== undefined) session.destroyed = true;
}

const currentId = (id: string): string => oldId() ?? id;
