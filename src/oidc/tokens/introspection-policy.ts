import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import type { ClientRegistration } from '../../clients/client-schema.js';
import { accountId } from '../../kernel/ids.js';
import type { Accounts } from '../login/person-account.js';

/** What of a token decides who may ask about it. */
interface Introspected {
  readonly clientId?: string | undefined;
  readonly accountId?: string | undefined;
  readonly aud?: unknown;
}

/** Whether a client is a resource at which tokens of this audience are used (RFC 7662 section 2.1). */
export const serves = (registration: ClientRegistration | undefined, audience: unknown): boolean =>
  typeof audience === 'string' && registration?.x.serves?.includes(audience) === true;

/** The client that has the token and can prove itself, and the resource that the token is for; nobody else. */
export function mayAsk(registration: ClientRegistration | undefined, { clientId, aud }: Introspected): boolean {
  if (registration === undefined || registration.token_endpoint_auth_method === 'none') return false;
  return registration.client_id === clientId || serves(registration, aud);
}

/** The same for the tokens that are kept; and only while the person may use a client that is still registered. */
export const introspectionPolicy =
  (parts: { registry: Pick<ClientRegistry, 'registration'>; accounts: Pick<Accounts, 'mayUse'> }) =>
  async (_ctx: KoaContextWithOIDC, client: { readonly clientId: string }, token: Introspected): Promise<boolean> => {
    const { registry, accounts } = parts;
    const { clientId = '', accountId: account } = token;
    if (!mayAsk(registry.registration(client.clientId), token)) return false;
    if (registry.registration(clientId) === undefined) return false;
    return account === undefined || (await accounts.mayUse(accountId(account), clientId));
  };
