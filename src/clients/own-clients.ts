import { generateKeyPairSync } from 'node:crypto';
import type { ClientRegistration } from './client-schema.js';

/**
 * Our own pages, as clients of the provider: the portal with the account pages, and the helpdesk console. `fresh` are
 * the same pages where they are about to change an account.
 */
export const OWN_CLIENTS = {
  portal: { usual: 'asn-digital', fresh: 'asn-account' },
  console: { usual: 'helpdesk', fresh: 'helpdesk-act' },
} as const;
/** Age of a second factor with which an account is changed. */
const FRESH_SECONDS = 5 * 60;
/** Age of a second factor with which the console is opened. */
const CONSOLE_SECONDS = 15 * 60;

/** Pages of ours: what they are called at the login, and where they begin. */
interface OwnPages {
  readonly origin: string;
  readonly path: string;
  readonly name: string;
}

/** What the built-in clients are called on the pages, and where they are. */
export interface Own {
  readonly issuer: URL;
  readonly name: string;
  readonly console: { readonly origin: string; readonly name: string };
}

export const ownRedirectUri = (origin: string): string => `${origin}/session/callback`;

/**
 * A built-in client. Its codes are redeemed in process; at the token endpoint it would have to sign with a key
 * that nobody has, since the private half is thrown away here.
 */
function ownRegistration({ origin, name, path }: OwnPages, id: string, maxAge?: number): ClientRegistration {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    client_id: id,
    client_name: name,
    application_type: 'web',
    grant_types: ['authorization_code'],
    redirect_uris: [ownRedirectUri(origin)],
    post_logout_redirect_uris: [`${origin}${path}`],
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'ES256',
    jwks: { keys: [{ ...(publicKey.export({ format: 'jwk' }) as { kty: string }) }] },
    scope: 'openid',
    x: { claims: [], launch_uri: `${origin}${path}`, ...(maxAge === undefined ? {} : { max_age_seconds: maxAge }) },
  };
}

/** The clients that are part of this program. They are in no file and no table. */
export function ownRegistrations(own: Own): readonly ClientRegistration[] {
  const portal = { origin: own.issuer.origin, path: '/', name: own.name };
  const helpdesk = { ...own.console, path: '/helpdesk' };
  return [
    ownRegistration(portal, OWN_CLIENTS.portal.usual),
    ownRegistration(portal, OWN_CLIENTS.portal.fresh, FRESH_SECONDS),
    ownRegistration(helpdesk, OWN_CLIENTS.console.usual, CONSOLE_SECONDS),
    ownRegistration(helpdesk, OWN_CLIENTS.console.fresh, FRESH_SECONDS),
  ];
}
