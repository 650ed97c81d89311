/** Addresses of the protocol endpoints below the issuer's path (docs/CONTRACT, Endpoints). */
export interface Endpoints {
  readonly authorization: string;
  readonly token: string;
  readonly userinfo: string;
  readonly jwks: string;
  readonly end_session: string;
  readonly pushed_authorization_request: string;
  readonly introspection: string;
  readonly revocation: string;
  readonly device_authorization: string;
  /** Ours (registration-routes.ts): the provider's own is not served. */
  readonly registration: string;
  /** Only what follows its path is open: a person's way back from the login (provider.ts). */
  readonly code_verification: string;
}

export type EndpointStyle = 'standard' | 'keycloak';

/** Where everything lies in the style `keycloak`. */
export const REALM = '/protocol/openid-connect';

/** `keycloak`: where the clients of a Keycloak realm expect them, so that they need no change. */
export const ENDPOINTS: Readonly<Record<EndpointStyle, Endpoints>> = {
  standard: {
    authorization: '/oidc/auth',
    token: '/oidc/token',
    userinfo: '/oidc/userinfo',
    jwks: '/oidc/jwks',
    end_session: '/oidc/logout',
    pushed_authorization_request: '/oidc/par',
    introspection: '/oidc/introspect',
    revocation: '/oidc/revoke',
    device_authorization: '/oidc/device',
    registration: '/oidc/register',
    code_verification: '/oidc/device/verification',
  },
  keycloak: {
    authorization: `${REALM}/auth`,
    token: `${REALM}/token`,
    userinfo: `${REALM}/userinfo`,
    jwks: `${REALM}/certs`,
    end_session: `${REALM}/logout`,
    pushed_authorization_request: `${REALM}/ext/par/request`,
    introspection: `${REALM}/token/introspect`,
    revocation: `${REALM}/revoke`,
    device_authorization: `${REALM}/auth/device`,
    registration: '/clients-registrations/openid-connect',
    code_verification: `${REALM}/auth/device/verification`,
  },
};

/** The path below which the provider is mounted: that of the issuer, empty when it has none. */
export const mountPath = (issuer: URL): string => issuer.pathname.replace(/\/$/, '');
