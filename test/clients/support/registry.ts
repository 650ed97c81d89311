import { clientRegistry, type LiveClientRegistry } from '#src/clients/client-registry.js';
import type { ClientRegistration } from '#src/clients/client-schema.js';
import { entryOf } from '#src/clients/client-secrets.js';
import type { Own } from '#src/clients/own-clients.js';
import { createKeyedDigest, type KeyedDigest } from '#src/security/digests.js';

/** Keeps the secrets of the clients in tests. */
export const testDigests = createKeyedDigest(Buffer.alloc(32, 7));

/** The registry over registrations as they stand in a file, secrets in clear among them. */
export const registryOf = (registrations: readonly ClientRegistration[], own: Own): LiveClientRegistry =>
  clientRegistry(
    registrations.map((registration) => entryOf(registration, testDigests)),
    own,
    testDigests,
  );

const OWN: Own = {
  issuer: new URL('https://sso.asn.example'),
  name: 'ASN Digital',
  console: { origin: 'https://sso.asn.example', name: 'Helpdesk SSO ASN' },
};

/** Only the built-in clients. */
export const emptyRegistry = (digest: KeyedDigest): LiveClientRegistry => clientRegistry([], OWN, digest);
/** For tests that keep tokens of clients that nobody registered. */
export const anyClient: LiveClientRegistry = { ...emptyRegistry(testDigests), tokenLives: () => true };
