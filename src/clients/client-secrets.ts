import { sameBytes, type KeyedDigest } from '../security/digests.js';
import type { ClientRegistration } from './client-schema.js';

/** A secret of a client as it is kept: a keyed digest, never the secret. */
export interface ClientSecret {
  readonly digest: Buffer;
  /** Absent for the one in use; set for one that was rotated and goes on for a while. */
  readonly expiresAt: Date | undefined;
}

/** A registration with its secrets beside it. */
export interface ClientEntry {
  readonly registration: Omit<ClientRegistration, 'client_secret'>;
  readonly secrets: readonly ClientSecret[];
  /** Tokens issued up to then are dead. */
  readonly endedAt: Date | undefined;
}

/** Bound to its client: the same secret of two clients gives two digests. */
export const secretDigest = (keyed: KeyedDigest, clientId: string, secret: string): Buffer =>
  keyed('client secret', `${clientId}\n${secret}`);

/** Takes the secret, when there is one, out of a registration as it was written. */
export function entryOf(
  { client_secret: secret, ...registration }: ClientRegistration,
  keyed: KeyedDigest,
): ClientEntry {
  const { client_id: clientId } = registration;
  const secrets = secret === undefined ? [] : [{ digest: secretDigest(keyed, clientId, secret), expiresAt: undefined }];
  return { registration, secrets, endedAt: undefined };
}

/** Whether what a client sent is one of its secrets at that moment. */
export function holdsSecret(secrets: readonly ClientSecret[], sent: Buffer, now: Date): boolean {
  return secrets.some(
    ({ digest, expiresAt }) => (expiresAt === undefined || expiresAt > now) && sameBytes(digest, sent),
  );
}
