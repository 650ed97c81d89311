import type { Adapter } from 'oidc-provider';
import type { Clock } from '../../kernel/clock.js';
import { accountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import { grantStore } from './grant-store.js';
import { currentRequest, requestScope } from '../request-scope.js';
import type { Json } from './session-store.js';

/** The provider's Grant model over `oidc_grants`. */
export function grantAdapter({ db, clock }: { db: Database; clock: Clock }): Partial<Adapter> {
  const store = grantStore(db);
  return {
    async upsert(id, payload, expiresInSeconds = 0) {
      const scope = requestScope();
      const account = accountId(String(payload.accountId));
      const credEpoch = scope.accounts.get(account);
      if (credEpoch === undefined) throw new Error('a grant was saved before its account was read');
      const kept = await store.claim({
        id,
        accountId: account,
        credEpoch,
        clientId: String(payload.clientId),
        sessionUid: currentRequest()?.oidc.session?.uid,
        payload: { ...(payload as Json), jti: id },
        expiresInSeconds,
        now: clock.now(),
      });
      scope.claimed.set(id, kept);
    },

    async find(id) {
      const scope = requestScope();
      const known = scope.grants.get(id);
      const payload = known ?? (scope.grants.has(id) ? undefined : await store.find(id, clock.now()));
      return payload;
    },

    async destroy(id) {
      // The provider ends a grant and its tokens side by side: here one after the other, so that an answer is not given
      // while a statement is still under way.
      await requestScope().revoked.get(id);
      await store.delete(id);
    },
  };
}
