import { generateKeyPairSync } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { Account } from '../accounts/accounts.js';
import type { RelyingParties } from '../sign-in/relying-parties.js';
import type { ClientRegistration } from './client-schema.js';
import { mayUse } from './entitlement.js';

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

/** A service as the launcher shows it. */
export interface Service {
  readonly clientId: string;
  readonly name: string;
  readonly category: string;
  readonly icon: string | undefined;
  readonly description: string | undefined;
  readonly href: string;
  /** A second factor is asked again there. */
  readonly asksAgain: boolean;
}

export interface ClientRegistry extends RelyingParties {
  registration(clientId: string): ClientRegistration | undefined;
  /** What a person may open from the launcher, in the order of the file. */
  servicesFor(person: Pick<Account, 'employment' | 'agency'>, roles: readonly string[]): readonly Service[];
  /** All registrations in the form the provider takes, the built-in clients among them. */
  readonly metadata: readonly ClientMetadata[];
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

/** A source expression of Content Security Policy for an address; a phone's own scheme has no origin. */
function sourceOf(address: string, native: boolean): string {
  const url = new URL(address);
  if (url.origin === 'null') return url.protocol;
  // RFC 8252 section 7.3: a native client listens on whatever port is free.
  return native && url.protocol === 'http:' ? `http://${url.hostname}:*` : url.origin;
}

/** Every origin that a redirect chain of this client may pass: browsers hold `form-action` against all of it. */
function formOriginsOf(client: ClientRegistration): readonly string[] {
  const addresses = [
    ...client.redirect_uris,
    ...client.post_logout_redirect_uris,
    ...[client.client_uri, client.initiate_login_uri, client.x.launch_uri].filter((address) => address !== undefined),
    ...(client.x.redirect_origins ?? []),
  ];
  return [...new Set(addresses.map((address) => sourceOf(address, client.application_type === 'native')))];
}

const startOf = (client: ClientRegistration): string | undefined => client.x.launch_uri ?? client.client_uri;

/** The metadata the provider knows; a client that logs nobody in has no response type. */
const metadataOf = (client: ClientRegistration): ClientMetadata => ({
  ...(client as ClientMetadata),
  response_types: client.response_types ?? (client.grant_types.includes('authorization_code') ? ['code'] : []),
});

/** Pages of ours: what they are called at the login, and where they begin. */
interface OwnPages {
  readonly origin: string;
  readonly path: string;
  readonly name: string;
}

/** What the built-in clients are called on the pages, and where they are. */
interface Own {
  readonly issuer: URL;
  readonly name: string;
  readonly console: { readonly origin: string; readonly name: string };
}

/** All clients by id: those of the file and the built-in ones. */
export function clientRegistry(registrations: readonly ClientRegistration[], own: Own): ClientRegistry {
  const portal = { origin: own.issuer.origin, path: '/', name: own.name };
  const helpdesk = { ...own.console, path: '/helpdesk' };
  const all = [
    ...registrations,
    ownRegistration(portal, OWN_CLIENTS.portal.usual),
    ownRegistration(portal, OWN_CLIENTS.portal.fresh, FRESH_SECONDS),
    ownRegistration(helpdesk, OWN_CLIENTS.console.usual, CONSOLE_SECONDS),
    ownRegistration(helpdesk, OWN_CLIENTS.console.fresh, FRESH_SECONDS),
  ];
  const byId = new Map(all.map((client) => [client.client_id, client]));
  const formOrigins = new Map(all.map((client) => [client.client_id, formOriginsOf(client)]));
  return {
    metadata: all.map(metadataOf),
    registration: (clientId) => byId.get(clientId),

    find(clientId) {
      const client = byId.get(clientId);
      if (client === undefined) return undefined;
      const isOwnAccount = clientId === OWN_CLIENTS.portal.fresh;
      const origins = formOrigins.get(clientId) ?? [];
      return { name: client.client_name, href: startOf(client), isOwnAccount, formOrigins: origins };
    },

    servicesFor: (person, roles) =>
      registrations.flatMap((client): Service[] => {
        const href = startOf(client);
        if (href === undefined || client.x.category === undefined || !mayUse(client.x, person, roles)) return [];
        return [
          {
            clientId: client.client_id,
            name: client.client_name,
            category: client.x.category,
            icon: client.x.icon,
            description: client.x.description,
            href,
            asksAgain: client.x.max_age_seconds !== undefined,
          },
        ];
      }),
  };
}
