import { epochSeconds } from '../kernel/clock.js';
import type { KeyedDigest } from '../security/digests.js';
import { holdsSecret, secretDigest, type ClientEntry } from './client-secrets.js';
import type { ClientRegistration } from './client-schema.js';
import { mayUse, type Entitled } from './entitlement.js';
import { OWN_CLIENTS, ownRegistrations, type Own } from './own-clients.js';
import type { RelyingParties } from './relying-parties.js';

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

/** A client whose registration is kept, and that nobody may use. */
export interface SwitchedOff {
  readonly clientId: string;
  readonly name: string;
  readonly since: Date;
}

/** Every client that may be used, in memory: asked several times in each request, and never waited for (ADR 0026). */
export interface ClientRegistry extends RelyingParties {
  /** Undefined for a client that is unknown or disabled. */
  registration(clientId: string): ClientRegistration | undefined;
  /** Of a client that is disabled, or left the clients file. */
  switchedOff(clientId: string): SwitchedOff | undefined;
  /** All of them, the built-in ones last. */
  registrations(): readonly ClientRegistration[];
  /** Whether a client may prove itself with this secret now. */
  holdsSecret(clientId: string, secret: string, now: Date): boolean;
  /** Whether a token of a client issued then (seconds since 1970) outlived what ended the client since. */
  tokenLives(clientId: string, issuedAt: number): boolean;
  /** What a person may open from the launcher, in the order of the file. */
  servicesFor(person: Entitled, roles: readonly string[]): readonly Service[];
}

/** The registry of a process, which is told when the table has changed. */
export interface LiveClientRegistry extends ClientRegistry {
  /** From now on these are the clients, and the built-in ones; those that are switched off are known by name only. */
  replace(entries: readonly ClientEntry[], switchedOff?: readonly SwitchedOff[]): void;
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

interface Known {
  readonly registration: ClientRegistration;
  readonly entry: ClientEntry | undefined;
  readonly formOrigins: readonly string[];
}

export function clientRegistry(entries: readonly ClientEntry[], own: Own, keyed: KeyedDigest): LiveClientRegistry {
  const builtIn = ownRegistrations(own);
  let registered: readonly ClientRegistration[] = [];
  let byId = new Map<string, Known>();

  let offById = new Map<string, SwitchedOff>();

  const replace = (next: readonly ClientEntry[], off: readonly SwitchedOff[] = []): void => {
    offById = new Map(off.map((client) => [client.clientId, client]));
    registered = next.map(({ registration }) => registration);
    const known = (registration: ClientRegistration, entry?: ClientEntry): [string, Known] => [
      registration.client_id,
      { registration, entry, formOrigins: formOriginsOf(registration) },
    ];
    byId = new Map([
      ...next.map((entry) => known(entry.registration, entry)),
      ...builtIn.map((registration) => known(registration)),
    ]);
  };
  replace(entries);

  return {
    replace,
    registration: (clientId) => byId.get(clientId)?.registration,
    switchedOff: (clientId) => offById.get(clientId),
    registrations: () => [...registered, ...builtIn],
    holdsSecret: (clientId, secret, now) =>
      holdsSecret(byId.get(clientId)?.entry?.secrets ?? [], secretDigest(keyed, clientId, secret), now),

    tokenLives(clientId, issuedAt) {
      const known = byId.get(clientId);
      if (known === undefined) return false;
      const endedAt = known.entry?.endedAt;
      // Issued within the same second: nobody can tell what came first.
      return endedAt === undefined || issuedAt > epochSeconds(endedAt);
    },

    find(clientId) {
      const known = byId.get(clientId);
      if (known === undefined) return undefined;
      const { registration, formOrigins } = known;
      const isOwnAccount = clientId === OWN_CLIENTS.portal.fresh;
      return { name: registration.client_name, href: startOf(registration), isOwnAccount, formOrigins };
    },

    servicesFor: (person, roles) =>
      registered.flatMap((client): Service[] => {
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
