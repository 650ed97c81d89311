import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../accounts/accounts.js';
import type { SwitchedOff } from '../clients/client-registry.js';
import type { AccountId } from '../kernel/ids.js';
import type { Json, StoredSession } from './storage/session-store.js';
import type { StoredToken } from './storage/token-store.js';

/**
 * What one request has read so far. The provider asks for a token, its session, its grant and its account one after
 * the other; the first statement brings them all, and the rest is answered from here. Nothing outlives the request.
 */
export interface RequestScope {
  /** The session of the browser's cookie as it was read: the base of what is merged back. */
  session: StoredSession | undefined;
  readonly tokens: Map<string, Promise<StoredToken | undefined>>;
  readonly sessions: Map<string, StoredSession | undefined>;
  readonly grants: Map<string, Json | undefined>;
  /** By id: the credential epoch of accounts that were alive when read, undefined for the others. */
  readonly accounts: Map<AccountId, number | undefined>;
  readonly people: Map<AccountId, Promise<Account | undefined>>;
  /** The id under which a grant was kept, by the id it was offered with. */
  readonly claimed: Map<string, string>;
  readonly taken: Set<string>;
  readonly revoked: Map<string, Promise<void>>;
  /** The client that was asked for and is switched off. */
  switchedOff: SwitchedOff | undefined;
  /** That the database did not answer this request: it is not asked again. */
  away: Error | undefined;
}

const scopes = new WeakMap<object, RequestScope>();

const emptyScope = (): RequestScope => ({
  session: undefined,
  tokens: new Map(),
  sessions: new Map(),
  grants: new Map(),
  accounts: new Map(),
  people: new Map(),
  claimed: new Map(),
  taken: new Set(),
  revoked: new Map(),
  switchedOff: undefined,
  away: undefined,
});

/** The request that the provider is answering, if any. */
export const currentRequest = (): KoaContextWithOIDC | undefined => Provider.ctx;

/** The id on every response, set by the web toolkit before the provider runs. */
export function requestId(): string | undefined {
  const id = currentRequest()?.response.get('x-request-id');
  return id === '' ? undefined : id;
}

/** The scope of the current request; outside of one a fresh scope that remembers nothing. */
export function requestScope(): RequestScope {
  const ctx = currentRequest();
  if (ctx === undefined) return emptyScope();
  let scope = scopes.get(ctx);
  if (scope === undefined) {
    scope = emptyScope();
    scopes.set(ctx, scope);
  }
  return scope;
}
