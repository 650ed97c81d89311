import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import { OIDC_SCOPES } from '../../clients/scopes.js';
import { digest } from '../../security/digests.js';
import type { ActorClaim } from './access-tokens.js';

type Extra = NonNullable<Configuration['extraTokenClaims']>;
type Token = Parameters<Extra>[1];
type AccessToken = InstanceType<KoaContextWithOIDC['oidc']['provider']['AccessToken']>;

/** What an exchanged token takes over from the one it was exchanged for (RFC 8693 section 4.1). */
export interface Inherited {
  readonly sub: string;
  readonly act: ActorClaim;
  readonly gid: string;
  readonly sid: string | undefined;
  readonly acr: string | undefined;
  readonly amr: readonly string[] | undefined;
  readonly auth_time: number | undefined;
}

const exchanged = new WeakMap<object, Inherited>();

/** To be called before the token is saved. */
export const inherit = (token: AccessToken, claims: Inherited): void => {
  exchanged.set(token, claims);
};

/** How a token names its grant: by the digest under which it is kept. Whoever reads it can look nothing up by it. */
export const grantReference = (grantId: string): string => digest(grantId).toString('base64url');

/**
 * The claims of an access token beyond the protocol's own: what was proved (RFC 9068 section 2.2.1, RFC 9470 section
 * 6), the agency of a service, and in a JWT what it lives and dies with: its grant, and its session unless it outlives
 * that. Nothing else of a person: a resource asks for more where it may.
 */
export function accessTokenClaims(registry: Pick<ClientRegistry, 'registration'>): Extra {
  return ({ oidc }: KoaContextWithOIDC, token: Token) => {
    if (token.kind === 'ClientCredentials') {
      const ofPeople = OIDC_SCOPES.find((scope) => token.scopes.has(scope));
      if (ofPeople !== undefined) throw new errors.InvalidScope('there is no person', ofPeople);
      // RFC 6749 section 3.3: a token that may do nothing of what was asked is found out later, and far from here.
      // Without a resource the provider has forgotten by now what was asked.
      const asked = oidc.body?.scope;
      if (typeof asked === 'string' && asked !== '' && token.scopes.size === 0) {
        throw new errors.InvalidScope('none of it is registered for this client and resource', asked);
      }
      const agency = registry.registration(token.clientId ?? '')?.x.agency;
      return agency === undefined ? undefined : { agency };
    }
    const inherited = exchanged.get(token);
    if (inherited !== undefined) {
      const { act, gid, sid, acr, amr, auth_time: authTime } = inherited;
      return { act, gid, sid, acr, amr, auth_time: authTime };
    }
    const { acr, amr, authTime } =
      oidc.entities.AuthorizationCode ?? oidc.entities.RefreshToken ?? oidc.entities.DeviceCode ?? {};
    const proved = { acr, amr, auth_time: authTime };
    const { grantId, expiresWithSession, sid, resourceServer } = token;
    if (resourceServer?.accessTokenFormat !== 'jwt') return proved;
    return { ...proved, gid: grantReference(grantId), ...(expiresWithSession === true ? { sid } : {}) };
  };
}

/** An exchanged token is about whom the other was about, by the same name: it must not tell a second one. */
export const keepSubject: NonNullable<NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']> = (
  _ctx,
  token,
  jwt,
) => {
  const inherited = exchanged.get(token);
  if (inherited !== undefined) (jwt.payload as { sub?: string }).sub = inherited.sub;
};
