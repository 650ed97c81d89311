import { createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** What a valid logout token says: which session ended, or, without a `sid`, whose sessions all did. */
export interface LogoutTold {
  readonly sid: string | undefined;
  readonly sub: string | undefined;
  readonly jti: string;
  readonly issuedAtSeconds: number;
}

export type ReadLogoutToken = (token: string) => Promise<LogoutTold | undefined>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function told({ sid, sub, jti, iat, events, nonce }: JWTPayload): LogoutTold | undefined {
  // A nonce is what ID tokens have: one of those must never pass for a logout (A31).
  if (nonce !== undefined || !isObject(events) || !isObject(events[EVENT])) return undefined;
  if (typeof jti !== 'string' || iat === undefined) return undefined;
  const session = typeof sid === 'string' ? sid : undefined;
  return session === undefined && sub === undefined ? undefined : { sid: session, sub, jti, issuedAtSeconds: iat };
}

/**
 * Validates logout tokens as OpenID Connect Back-Channel Logout 1.0 section 2.6 says: signature, `iss`, `aud`, `iat`,
 * `exp`, then what makes it a logout token. Undefined for anything else. Whether its `jti` was seen before is asked by
 * whoever keeps them.
 */
export function logoutTokens(options: { issuer: string; clientId: string; jwksUri: URL }): ReadLogoutToken {
  const { issuer, clientId } = options;
  const keys: JWTVerifyGetKey = createRemoteJWKSet(options.jwksUri);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience: clientId,
        typ: 'logout+jwt',
        algorithms: ['ES256'],
        maxTokenAge: 120,
        clockTolerance: 10,
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
      });
      return told(payload);
    } catch {
      return undefined;
    }
  };
}
