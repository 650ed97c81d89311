import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { omit } from '../storage/changes.js';
import { mayAsk } from './introspection-policy.js';
import type { AccessTokenClaims, AccessTokens, LiveAccessToken } from './access-tokens.js';

interface Parts {
  readonly tokens: AccessTokens;
  readonly registry: Pick<ClientRegistry, 'registration'>;
}

/**
 * JWT access tokens at the introspection and revocation endpoints. The provider proves the client and then refuses
 * them as a kind that it does not keep; here they are looked into. Asked by anybody else than the client that has the
 * token and the resource it is for, one that is good looks like one that never was.
 */
export function structuredTokens(parts: Parts) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    await next();
    const { route, client, params } = (ctx.oidc as KoaContextWithOIDC['oidc'] | undefined) ?? {};
    if (client === undefined || (ctx.body as { error?: unknown } | undefined)?.error !== 'unsupported_token_type')
      return;
    const token = await parts.tokens.find(String((params as { token?: unknown }).token));
    if (route === 'introspection') {
      const may = token !== undefined && mayAsk(parts.registry.registration(client.clientId), about(token));
      ctx.status = 200;
      ctx.body = may ? introspected(token.claims) : { active: false };
    } else if (route === 'revocation') {
      if (token?.claims.client_id === client.clientId) {
        // Nothing holds a service's token but its time: so it is told, and only to whose it is (RFC 7009 section 2.2.1).
        if (token.grant?.clientId !== client.clientId) return;
        await endGrant(ctx, token.grant.id);
      }
      ctx.status = 200;
      ctx.body = '';
    }
  };
}

const about = ({ claims }: LiveAccessToken) => ({ clientId: claims.client_id, aud: claims.aud });

/** RFC 7662 section 2.2: the claims, without what is our own business. */
function introspected(claims: AccessTokenClaims): Record<string, unknown> {
  return {
    active: true,
    ...omit({ ...claims }, ['gid', 'sid']),
    token_type: claims.cnf?.jkt === undefined ? 'Bearer' : 'DPoP',
  };
}

/** As for an opaque token: with it goes all that was given with it (RFC 7009 section 2.1). */
async function endGrant({ oidc }: KoaContextWithOIDC, grantId: string): Promise<void> {
  const { provider } = oidc;
  await provider.AccessToken.revokeByGrantId(grantId);
  await provider.Grant.adapter.destroy(grantId);
}
