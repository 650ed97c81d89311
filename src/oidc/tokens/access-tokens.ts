import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { ExternalSigningKey } from 'oidc-provider';
import type { ClientRegistry } from '../../clients/client-registry.js';
import type { Clock } from '../../kernel/clock.js';
import type { AccountId } from '../../kernel/ids.js';
import type { Database } from '../../storage/database.js';
import { findLiveGrant } from './grant-liveness-store.js';
import type { Accounts } from '../login/person-account.js';
import { scopesAt } from './resources.js';
import { guarded } from '../unavailable.js';

/** Who acts, and for whom that one acted before (RFC 8693 section 4.1). */
export interface ActorClaim {
  readonly sub: string;
  readonly act?: ActorClaim;
}

/** The claims of our access tokens for resources (RFC 9068 section 2.2). */
export interface AccessTokenClaims extends JWTPayload {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly client_id: string;
  readonly scope?: string;
  readonly act?: ActorClaim;
  readonly cnf?: { readonly jkt?: string; readonly 'x5t#S256'?: string };
  readonly acr?: string;
  readonly amr?: readonly string[];
  readonly auth_time?: number;
  readonly agency?: string;
  /** The grant, and the session if the token ends with it (`access-token-claims.ts`). */
  readonly gid?: string;
  readonly sid?: string;
}

/** A JWT access token that is good at this moment. */
export interface LiveAccessToken {
  readonly claims: AccessTokenClaims;
  /** Absent in a token of a service that calls for itself. */
  readonly grant: { readonly id: string; readonly accountId: AccountId; readonly clientId: string } | undefined;
}

export interface AccessTokens {
  /**
   * A token of ours that is good now: signature and time, and as it stands in the database at this moment the account,
   * its credentials, the grant, the session, the entitlement and the registrations. Undefined for any other.
   */
  find(token: string): Promise<LiveAccessToken | undefined>;
}

const actorsIn = (act: ActorClaim | undefined): string[] => (act === undefined ? [] : [act.sub, ...actorsIn(act.act)]);

export function accessTokens(parts: {
  readonly db: Database;
  readonly clock: Clock;
  readonly issuer: string;
  readonly keys: readonly ExternalSigningKey[];
  readonly registry: Pick<ClientRegistry, 'registration' | 'tokenLives'>;
  readonly accounts: Pick<Accounts, 'mayUse'>;
}): AccessTokens {
  const { db, clock, issuer, keys, registry, accounts } = parts;

  async function verify(token: string): Promise<AccessTokenClaims | undefined> {
    try {
      const { payload } = await jwtVerify<AccessTokenClaims>(
        token,
        async ({ kid, alg }) => {
          const key = keys.find((each) => each.kid === kid && each.alg === alg);
          if (key === undefined) throw new errors.JWKSNoMatchingKey();
          return key.keyObject();
        },
        {
          issuer,
          typ: 'at+jwt',
          algorithms: ['ES256'],
          requiredClaims: ['sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
          currentDate: clock.now(),
        },
      );
      return typeof payload.aud === 'string' ? payload : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  const isRegistered = ({ client_id: clientId, aud, iat }: AccessTokenClaims): boolean =>
    scopesAt(registry.registration(clientId), aud) !== undefined && registry.tokenLives(clientId, iat);

  return {
    async find(token) {
      const claims = await verify(token);
      if (claims === undefined || !isRegistered(claims)) return undefined;
      const { gid, sid, sub, client_id: clientId } = claims;
      if (gid === undefined) return sub === clientId ? { claims, grant: undefined } : undefined;

      const grant = await guarded(() => findLiveGrant(db, Buffer.from(gid, 'base64url'), clock.now()));
      if (grant === undefined || (sid !== undefined && !grant.hasSession)) return undefined;
      // An exchanged token lives by all through whose hands it went: the grant's client, who has it now, and who stood between.
      for (const each of new Set([grant.clientId, clientId, ...actorsIn(claims.act)])) {
        if (!registry.tokenLives(each, claims.iat)) return undefined;
        if (!(await accounts.mayUse(grant.accountId, each))) return undefined;
      }
      return { claims, grant };
    },
  };
}
