import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Clock } from '../../kernel/clock.js';
import type { Database } from '../../storage/database.js';
import { browserDigest } from '../../sign-in/browser-digest.js';
import { omit } from './changes.js';
import { DEVICE_PROMPT } from '../device/device-prompt.js';
import { interactionStore } from './interaction-store.js';
import { currentRequest, requestScope } from '../request-scope.js';
import type { Json } from './session-store.js';

/**
 * What is kept of an interaction. It stays bound to the session it began in, but only when that session is a stored
 * one; and never holds the session's id, which is in the person's cookie (A32).
 */
function kept(payload: AdapterPayload): Json {
  const bare = omit(payload, ['jti']);
  const session = bare.session as { uid: string; cookie?: string } | undefined;
  if (session === undefined) return bare;
  const ctx = currentRequest();
  // A device is answered by who has just logged in for it, in the session that this request is about to save.
  const isStored = requestScope().session?.uid === session.uid || payload.prompt?.name === DEVICE_PROMPT;
  if (ctx !== undefined && !isStored) return omit(bare, ['session']);
  return { ...bare, session: omit(session, ['cookie']) };
}

/** The browser that makes the current request, as the web toolkit knows it. */
const browserOf = (): Buffer =>
  browserDigest((currentRequest()?.state as { browserId?: string } | undefined)?.browserId);

const gone = (): Error => new errors.SessionNotFound('interaction session not found');

/** The provider's Interaction model over its columns of `sign_in_attempts`. */
export function interactionAdapter({ db, clock }: { db: Database; clock: Clock }): Partial<Adapter> {
  const store = interactionStore(db);
  return {
    async upsert(uid, payload, expiresInSeconds = 0) {
      const now = clock.now();
      if (payload.result === undefined) {
        await store.insert({ uid, payload: kept(payload), browser: browserOf(), expiresInSeconds, now });
      } else if (!(await store.finish({ uid, payload: kept(payload), now }))) {
        throw gone();
      }
    },

    async find(uid) {
      const scope = requestScope();
      if (currentRequest()?.oidc.route.endsWith('resume') !== true) {
        const payload = await store.find(uid, clock.now());
        return payload === undefined ? undefined : { ...payload, jti: uid };
      }
      // Resuming spends the interaction: read and spent at once, so that resuming twice issues one code.
      const taken = await store.take({ uid, browser: browserOf(), now: clock.now() });
      if (taken === undefined) return undefined;
      scope.taken.add(uid);
      if (taken.account !== undefined) scope.accounts.set(taken.account.id, taken.account.credEpoch);
      return { ...taken.payload, jti: uid };
    },

    async destroy(uid) {
      if (requestScope().taken.has(uid)) return;
      if (!(await store.delete(uid))) throw gone();
    },
  };
}
