import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { COSEALG, decodeAttestationObject, isoCBOR } from '@simplewebauthn/server/helpers';
import { z } from 'zod';
import type { Passkey } from '../devices/passkey.js';

/** Who we are to a browser: the host that passkeys belong to, and the one origin they may be used on. */
export interface RelyingPartyIdentity {
  readonly id: string;
  readonly origin: string;
  /** Shown by the authenticator. */
  readonly name: string;
}

/** What the browser's script hands to `navigator.credentials`, as JSON. */
export type CreationOptions = Awaited<ReturnType<typeof generateRegistrationOptions>>;
export type RequestOptions = Awaited<ReturnType<typeof generateAuthenticationOptions>>;

/** A new credential that proved itself, not yet bound to anybody. */
export interface MadeCredential {
  readonly credentialId: Buffer;
  readonly publicKey: Buffer;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly backupEligible: boolean;
  readonly backedUp: boolean;
}

/** What a right assertion says besides being right. */
export interface Assertion {
  readonly counter: number;
  readonly backedUp: boolean;
}

/** Five minutes: long enough to find the other phone, the time that the challenge lives too. */
export const CEREMONY_SECONDS = 5 * 60;

/** What every authenticator knows: EdDSA, ES256, and RS256 for the chips of older computers. */
const ALGORITHMS = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256];

const base64url = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .regex(/^[\w-]*$/);
const id = base64url(1400);
const common = { id, rawId: id, type: z.literal('public-key') };

const CREATED = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url(4000),
    attestationObject: base64url(12_000),
    transports: z
      .array(
        z
          .string()
          .max(32)
          .regex(/^[a-z-]+$/),
      )
      .max(8)
      .optional(),
  }),
});

const ASSERTED = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64url(4000),
    authenticatorData: base64url(4000),
    signature: base64url(4000),
    userHandle: base64url(100).nullish(),
  }),
});

/** A posted assertion: read, not yet believed. */
export interface TypedAssertion {
  readonly credentialId: Buffer;
  readonly userHandle: Buffer | undefined;
  readonly json: AuthenticationResponseJSON;
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined for anything that is not the JSON of an assertion (WebAuthn Level 3, AuthenticationResponseJSON). */
export function readAssertion(text: string): TypedAssertion | undefined {
  const parsed = ASSERTED.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { userHandle, ...response } = parsed.data.response;
  return {
    credentialId: bytes(parsed.data.id),
    userHandle: userHandle === undefined || userHandle === null ? undefined : bytes(userHandle),
    json: { ...parsed.data, response, clientExtensionResults: {} },
  };
}

/** A posted new credential: read, not yet believed. */
export interface TypedCreation {
  readonly credentialId: Buffer;
  readonly json: RegistrationResponseJSON;
}

/** Undefined for anything that is not the JSON of a new credential (WebAuthn Level 3, RegistrationResponseJSON). */
export function readCreation(text: string): TypedCreation | undefined {
  const parsed = CREATED.safeParse(parseJson(text));
  if (!parsed.success) return undefined;
  const { transports, ...response } = parsed.data.response;
  return {
    credentialId: bytes(parsed.data.id),
    json: {
      ...parsed.data,
      response: { ...response, ...(transports === undefined ? {} : { transports }) },
      clientExtensionResults: {},
    },
  };
}

const described = ({ credentialId, transports }: Pick<Passkey, 'credentialId' | 'transports'>) => ({
  id: credentialId.toString('base64url'),
  transports: [...transports],
});

/** For `navigator.credentials.create`: the user is verified, the passkey may be found without a name, no attestation. */
export function creationOptions(
  rp: RelyingPartyIdentity,
  user: { handle: Buffer; label: string; name: string },
  ceremony: { challenge: Buffer; known: readonly Passkey[] },
): Promise<CreationOptions> {
  return generateRegistrationOptions({
    rpName: rp.name,
    rpID: rp.id,
    userID: new Uint8Array(user.handle),
    userName: user.label,
    userDisplayName: user.name,
    challenge: new Uint8Array(ceremony.challenge),
    timeout: CEREMONY_SECONDS * 1000,
    attestationType: 'none',
    excludeCredentials: ceremony.known.map(described),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    supportedAlgorithmIDs: [...ALGORITHMS],
  });
}

/** For `navigator.credentials.get`. Without `allowed` the person chooses among the passkeys that can be found. */
export function requestOptions(
  rp: RelyingPartyIdentity,
  { challenge, allowed }: { challenge: Buffer; allowed: readonly Passkey[] },
): Promise<RequestOptions> {
  return generateAuthenticationOptions({
    rpID: rp.id,
    challenge: new Uint8Array(challenge),
    timeout: CEREMONY_SECONDS * 1000,
    userVerification: 'required',
    allowCredentials: allowed.map(described),
  });
}

/**
 * The same without its attestation statement. We ask for none and trust none, so what some authenticator sends all the
 * same is not looked at: its certificates could name addresses to be fetched.
 */
function withoutAttestation(json: RegistrationResponseJSON): RegistrationResponseJSON {
  const sent = decodeAttestationObject(new Uint8Array(bytes(json.response.attestationObject)));
  const bare = new Map<string, string | Uint8Array | Map<never, never>>([
    ['fmt', 'none'],
    ['attStmt', new Map<never, never>()],
    ['authData', sent.get('authData')],
  ]);
  const attestationObject = Buffer.from(isoCBOR.encode(bare)).toString('base64url');
  return { ...json, response: { ...json.response, attestationObject } };
}

/** The credential, when it was made for this challenge, origin and host with its user verified; else undefined. */
export async function verifyCreation(
  rp: RelyingPartyIdentity,
  { json }: TypedCreation,
  challenge: Buffer,
): Promise<MadeCredential | undefined> {
  try {
    const { verified, registrationInfo: made } = await verifyRegistrationResponse({
      response: withoutAttestation(json),
      expectedChallenge: challenge.toString('base64url'),
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...ALGORITHMS],
    });
    if (!verified || made.credential.id !== json.id) return undefined;
    return {
      credentialId: bytes(made.credential.id),
      publicKey: Buffer.from(made.credential.publicKey),
      counter: made.credential.counter,
      transports: made.credential.transports ?? [],
      backupEligible: made.credentialDeviceType === 'multiDevice',
      backedUp: made.credentialBackedUp,
    };
  } catch {
    // The library tells every way of being wrong by throwing; to whoever posts, they are one answer.
    return undefined;
  }
}

/** What it says, when this passkey signed it for this challenge, origin and host with its user verified. */
export async function verifyAssertion(
  rp: RelyingPartyIdentity,
  { json }: TypedAssertion,
  { challenge, passkey }: { challenge: Buffer; passkey: Passkey },
): Promise<Assertion | undefined> {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: json,
      expectedChallenge: challenge.toString('base64url'),
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId.toString('base64url'),
        publicKey: new Uint8Array(passkey.publicKey),
        // The counter is held against the stored one where it is spent, in one statement.
        counter: 0,
      },
    });
    // What can be copied was said at its registration and does not change (WebAuthn Level 3, section 7.2, step 18).
    const isSameKind = (authenticationInfo.credentialDeviceType === 'multiDevice') === passkey.backupEligible;
    if (!verified || !isSameKind) return undefined;
    return { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp };
  } catch {
    return undefined;
  }
}
