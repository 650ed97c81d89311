import { errors } from 'oidc-provider';
import type { InteractionResults } from 'oidc-provider';
import type { EndSessions } from '../../accounts/end-sessions.js';
import { epochSeconds, type Clock } from '../../kernel/clock.js';
import type { AttemptId } from '../../kernel/ids.js';
import type { Exchange, Interactions, SignInResult } from '../../sign-in/interactions.js';
import type { Database } from '../../storage/database.js';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { DEVICE_PAGES } from '../device/device-pages.js';
import { ENDPOINTS, type EndpointStyle } from '../endpoints.js';
import { interactionStore } from '../storage/interaction-store.js';
import type { OpenIdProvider } from '../provider/provider.js';
import { sessionStore, type Json } from '../storage/session-store.js';

interface Parts {
  /** Asked at each use: it is another one when the keys have changed. */
  readonly openid: Pick<OpenIdProvider, 'provider'>;
  readonly db: Database;
  readonly clock: Clock;
  readonly registry: ClientRegistry;
  readonly endSessions: EndSessions;
  readonly issuer: string;
  readonly endpointStyle: EndpointStyle;
}

/** What the relying party is told. */
const DECLINED = {
  unmet: {
    error: 'unmet_authentication_requirements',
    error_description: 'the requested authentication cannot be obtained',
  },
  refused: { error: 'access_denied', error_description: 'the person went back' },
} as const;

/** The authorization requests that wait for a person, over the provider's own interactions. */
export function providerInteractions(parts: Parts): Interactions {
  const { openid, db, clock, endSessions } = parts;
  const cookie = ({ req, res }: Exchange, type: 'interaction' | 'session'): string | undefined => {
    const { provider } = openid;
    return provider.createContext(req, res).cookies.get(provider.cookieName(type), { signed: true });
  };
  const holds = (exchange: Exchange, uid: AttemptId): boolean => cookie(exchange, 'interaction') === uid;

  /**
   * Somebody else is still signed in in this browser: that session ends first, or the provider would ask whether to
   * sign out, in the middle of signing in.
   */
  async function endOthersSession(exchange: Exchange, uid: AttemptId, result: SignInResult): Promise<void> {
    // A step-up that lost its session must fail at the provider, not begin a new one.
    if (result.buildsOnSession) return;
    const { accountId } = result;
    const id = cookie(exchange, 'session');
    if (id === undefined) return;
    const session = await sessionStore(db).find(id, clock.now());
    if (session?.accountId === undefined || session.accountId === accountId) return;
    await db.transaction(async (tx) => {
      await endSessions.one(tx, session.uid);
      await interactionStore(tx).unbind(uid);
    });
  }

  /** Nothing of an earlier, unfinished submission is merged in. */
  async function submit({ req, res }: Exchange, result: InteractionResults): Promise<string | undefined> {
    try {
      return await openid.provider.interactionResult(req, res, result, { mergeWithLastSubmission: false });
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  return {
    holds,

    async finish(exchange, uid, result) {
      if (!holds(exchange, uid)) return undefined;
      await endOthersSession(exchange, uid, result);
      const login = {
        accountId: result.accountId,
        acr: result.acr,
        amr: [...result.amr],
        ts: epochSeconds(result.authenticatedAt),
        // The session ends with the browser, and in the database after its limits.
        remember: false,
        credEpoch: result.credEpoch,
      };
      return submit(exchange, { login });
    },

    async decline(exchange, uid, why) {
      if (!holds(exchange, uid)) return undefined;
      return submit(exchange, DECLINED[why]);
    },

    async isSignedIn(exchange) {
      const id = cookie(exchange, 'session');
      return id !== undefined && (await sessionStore(db).find(id, clock.now()))?.accountId !== undefined;
    },

    async authorizationRequest(uid) {
      const origin = await interactionStore(db).origin(uid, clock.now());
      if (origin === undefined) return undefined;
      // Not resumed yet: the answer to the first request got lost, and this is it.
      if (!origin.spent) return origin.interaction.returnTo as string;
      // A device asks by itself; what can be done again is to type its code.
      if (typeof origin.interaction.deviceCode === 'string') return DEVICE_PAGES;
      return again(parts, origin.interaction.params as Json);
    },
  };
}

/**
 * The way back to a service whose request was answered already: where the person starts there, since the request
 * itself was for one use. Only a service that has told no such place gets its request again.
 */
function again({ registry, issuer, endpointStyle }: Parts, params: Json): string | undefined {
  const clientId = String(params.client_id);
  const registration = registry.registration(clientId);
  if (registration === undefined) return undefined;
  const start = registry.find(clientId)?.href;
  if (start !== undefined) return start;
  if (registration.require_pushed_authorization_requests === true) return undefined;
  const url = new URL(`${issuer}${ENDPOINTS[endpointStyle].authorization}`);
  for (const [name, value] of Object.entries(params)) {
    // What made the person sign in has been done.
    if (name === 'prompt' || name === 'max_age') continue;
    for (const each of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(each));
  }
  return url.href;
}
