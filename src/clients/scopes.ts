/** Scopes of OpenID Connect that every client may ask for, unless its registration names fewer. */
export const OIDC_SCOPES: readonly string[] = ['openid', 'profile', 'email', 'asn', 'offline_access'];

/** Claims by scope (docs/CONTRACT, Tokens and claims). */
export const SCOPE_CLAIMS = {
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
  asn: ['nip', 'employment', 'agency', 'roles'],
} as const;

/** Every claim about a person that a registration may name in `x.claims`. */
export const CLAIM_NAMES = [...SCOPE_CLAIMS.profile, ...SCOPE_CLAIMS.email, ...SCOPE_CLAIMS.asn] as const;

/** In every ID token, asked for or not. */
export const ALWAYS_IN_ID_TOKEN = ['sub', 'acr', 'amr', 'auth_time'];
