import { errors, type Adapter } from 'oidc-provider';
import { epochSeconds } from '../../kernel/clock.js';
import type { AdapterParts } from './adapter.js';
import { omit } from './changes.js';
import { REFRESH_RETRY_SECONDS } from '../lifetimes.js';
import { mayNote, withoutNote } from '../tokens/readable-tokens.js';
import { currentRequest, requestId, requestScope } from '../request-scope.js';
import { hasEnded } from './ended-client.js';
import { tokenStore, type StoredToken } from './token-store.js';

/** Introspection and revocation guess the kind of a token: one statement asks for all of these. */
const GUESSED = ['AccessToken', 'ClientCredentials', 'RefreshToken'];

/** The provider's token models over `oidc_tokens`: codes, access and refresh tokens, pushed requests. */
export function tokenAdapter(kind: string, parts: AdapterParts): Partial<Adapter> {
  const { db, clock, audit, registry } = parts;
  const store = tokenStore(db);
  const kinds = GUESSED.includes(kind) ? GUESSED : [kind];

  const read = async (id: string): Promise<StoredToken | undefined> => {
    const token = await store.find(id, kinds, clock.now());
    if (token === undefined || hasEnded(registry, token)) return undefined;
    const scope = requestScope();
    const { grantId, sessionUid, accountId, expiresWithSession } = token.payload;
    if (typeof grantId === 'string') scope.grants.set(grantId, token.grant);
    if (expiresWithSession === true) scope.sessions.set(String(sessionUid), token.session);
    if (typeof accountId === 'string' && token.account !== undefined) {
      scope.accounts.set(token.account.id, token.account.credEpoch);
    }
    return token;
  };

  const readOnce = (id: string): Promise<StoredToken | undefined> => {
    const { tokens } = requestScope();
    const key = `${kinds.length > 1 ? 'guessed' : kind}|${id}`;
    let token = tokens.get(key);
    if (token === undefined) {
      token = read(id);
      tokens.set(key, token);
    }
    return token;
  };

  /** The family of a token that somebody used twice ends, with its audit row, in one transaction. */
  const endFamily = (id: string, cause: 'refresh_token.reused' | 'authorization_code.reused'): Promise<void> =>
    db.transaction(async (tx) => {
      const ended = await tokenStore(tx).endGrantOfSpent({ kind, id, now: clock.now() });
      if (ended === undefined) return;
      const common = { ...ended, requestId: requestId() };
      await audit.record(
        tx,
        cause === 'refresh_token.reused'
          ? { ...common, type: cause, detail: {} }
          : { ...common, type: 'grant.revoked', detail: { cause } },
      );
    });

  /** A refresh token that was spent: `hidden` within the time of a double click, `reused` later. */
  const spentRefresh = (token: StoredToken): 'not' | 'hidden' | 'reused' => {
    const { route, client } = currentRequest()?.oidc ?? {};
    if (kind !== 'RefreshToken' || route !== 'token' || token.consumedAt === undefined) return 'not';
    if (clock.now().getTime() - token.consumedAt.getTime() < REFRESH_RETRY_SECONDS * 1000) return 'hidden';
    return client?.clientId === token.clientId ? 'reused' : 'not';
  };

  return {
    async upsert(id, payload, expiresInSeconds = 0) {
      await store.insert({ kind, id, payload: omit(payload, ['jti']), expiresInSeconds, now: clock.now() });
    },

    async find(offered) {
      const { token: id, hasNote } = withoutNote(offered);
      const token = await readOnce(id);
      if (token?.kind !== kind || (hasNote && (kinds !== GUESSED || !mayNote(registry, token.clientId))))
        return undefined;
      const spent = spentRefresh(token);
      if (spent === 'reused') {
        await endFamily(id, 'refresh_token.reused');
        return undefined;
      }
      const consumed =
        token.consumedAt === undefined || spent === 'hidden' ? {} : { consumed: epochSeconds(token.consumedAt) };
      return { ...token.payload, ...consumed, jti: id };
    },

    async consume(id) {
      if (await store.consume({ kind, id, now: clock.now() })) return;
      if (kind === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri was already used');
      // Somebody else has the code too, and may be the one who won: what it gave ends (RFC 6749 section 4.1.2).
      if (kind === 'AuthorizationCode') await endFamily(id, 'authorization_code.reused');
      throw new errors.InvalidGrant(`${kind} was already used`);
    },

    destroy: (id) => store.delete({ kind, id, now: clock.now() }),

    revokeByGrantId(grantId) {
      // The provider asks once for each model; one statement does them all.
      const { revoked } = requestScope();
      let done = revoked.get(grantId);
      if (done === undefined) {
        done = store.deleteOfGrant(grantId);
        revoked.set(grantId, done);
      }
      return done;
    },
  };
}
