import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** Concise Binary Object Representation (RFC 8949), as much of it as a credential needs. */
type Cbor = number | string | Buffer | ReadonlyMap<number | string, Cbor>;

function head(major: number, value: number): Buffer {
  if (value < 24) return Buffer.from([(major << 5) | value]);
  if (value < 256) return Buffer.from([(major << 5) | 24, value]);
  return Buffer.from([(major << 5) | 25, value >> 8, value & 255]);
}

function encode(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, member]) => [encode(key), encode(member)])]);
}

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const base64url = (data: Buffer): string => data.toString('base64url');

/** What `navigator.credentials.create` is given, as far as it matters here. */
export interface CreationOptions {
  readonly rp: { readonly id: string; readonly name: string };
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
  readonly challenge: string;
  readonly attestation: string;
  readonly timeout: number;
  readonly excludeCredentials: readonly { readonly id: string }[];
  readonly authenticatorSelection: { readonly residentKey: string; readonly userVerification: string };
}

/** What `navigator.credentials.get` is given. */
export interface RequestOptions {
  readonly rpId: string;
  readonly challenge: string;
  readonly timeout: number;
  readonly userVerification: string;
  readonly allowCredentials: readonly { readonly id: string; readonly transports: readonly string[] }[];
}

/** What a browser or authenticator may do otherwise than it should. */
export interface Misdeeds {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  /** False: nobody gave a finger or a PIN. */
  readonly verified?: boolean;
  /** False: nobody was there at all. */
  readonly present?: boolean;
  readonly counter?: number;
  readonly userHandle?: Buffer | undefined;
  /** Says of itself that it can be copied, or not, contrary to what it is. */
  readonly synced?: boolean;
  readonly signWith?: KeyObject;
}

export interface SoftwareAuthenticator {
  readonly id: string;
  readonly privateKey: KeyObject;
  /** The JSON that the page's script posts after `create`. */
  create(options: CreationOptions, misdeeds?: Misdeeds & { readonly format?: string }): string;
  /** The JSON that the page's script posts after `get`. */
  get(options: Pick<RequestOptions, 'challenge'>, misdeeds?: Misdeeds): string;
}

const FLAGS = { present: 0x01, verified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 };

/** One passkey on a device of its own, made by hand from WebAuthn Level 3; not by the library that judges it. */
export function softwareAuthenticator(own: {
  /** Of the page it is used on. */
  origin: string;
  /** It can be copied to other devices. */
  synced?: boolean;
  /** It does not count its uses. */
  uncounted?: boolean;
}): SoftwareAuthenticator {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const credentialId = randomBytes(32);
  let handle: Buffer | undefined;
  let uses = 0;

  const clientData = (type: string, challenge: string, { origin = own.origin, ...bad }: Misdeeds): Buffer =>
    Buffer.from(
      JSON.stringify({ type: bad.type ?? type, challenge: bad.challenge ?? challenge, origin, crossOrigin: false }),
    );

  function authenticatorData(misdeeds: Misdeeds, attested: Buffer = Buffer.alloc(0)): Buffer {
    const {
      verified = true,
      present = true,
      synced = own.synced === true,
      rpId = new URL(own.origin).hostname,
    } = misdeeds;
    if (own.uncounted !== true) uses += 1;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(misdeeds.counter ?? uses);
    const flags =
      (present ? FLAGS.present : 0) |
      (verified ? FLAGS.verified : 0) |
      (synced ? FLAGS.backupEligible | FLAGS.backedUp : 0) |
      (attested.length > 0 ? FLAGS.attested : 0);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), counter, attested]);
  }

  return {
    id: base64url(credentialId),
    privateKey,

    create(options, { format = 'none', ...misdeeds } = {}) {
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      // COSE_Key: EC2, ES256, P-256 (RFC 9053 section 7.1).
      const key = new Map<number, Cbor>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, Buffer.from(x, 'base64url')],
        [-3, Buffer.from(y, 'base64url')],
      ]);
      const idLength = Buffer.alloc(2);
      idLength.writeUInt16BE(credentialId.length);
      const attested = Buffer.concat([Buffer.alloc(16), idLength, credentialId, encode(key)]);
      const statement: ReadonlyMap<string, Cbor> =
        format === 'none'
          ? new Map()
          : new Map<string, Cbor>([
              ['ver', '1'],
              ['response', randomBytes(40)],
            ]);
      const object = new Map<string, Cbor>([
        ['fmt', format],
        ['attStmt', statement],
        ['authData', authenticatorData(misdeeds, attested)],
      ]);
      handle = Buffer.from(options.user.id, 'base64url');
      return JSON.stringify({
        id: base64url(credentialId),
        rawId: base64url(credentialId),
        type: 'public-key',
        response: {
          clientDataJSON: base64url(clientData('webauthn.create', options.challenge, misdeeds)),
          attestationObject: base64url(encode(object)),
          transports: ['internal'],
        },
      });
    },

    get(options, misdeeds = {}) {
      const client = clientData('webauthn.get', options.challenge, misdeeds);
      const data = authenticatorData(misdeeds);
      const signed = Buffer.concat([data, sha256(client)]);
      const userHandle = 'userHandle' in misdeeds ? misdeeds.userHandle : handle;
      return JSON.stringify({
        id: base64url(credentialId),
        rawId: base64url(credentialId),
        type: 'public-key',
        response: {
          clientDataJSON: base64url(client),
          authenticatorData: base64url(data),
          signature: base64url(sign('sha256', signed, misdeeds.signWith ?? privateKey)),
          ...(userHandle === undefined ? {} : { userHandle: base64url(userHandle) }),
        },
      });
    },
  };
}
