import { webcrypto, X509Certificate } from 'node:crypto';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const HOUR_MS = 3_600_000;

type Pair = webcrypto.CryptoKeyPair;

/** A certificate with its keys, of one who can issue others. */
export interface Authority {
  readonly name: string;
  readonly keys: Pair;
  readonly certificate: X509Certificate;
}

export interface Wanted {
  /** As RFC 4514 writes it. */
  readonly name?: string;
  readonly names?: readonly { type: 'dns' | 'ip' | 'url' | 'email'; value: string }[];
  readonly from?: Date;
  readonly to?: Date;
  readonly isAuthority?: boolean;
  readonly isForServers?: boolean;
  /** Bits of an RSA key in place of P-256. */
  readonly rsaBits?: number;
}

const makeKeys = (rsaBits?: number): Promise<Pair> =>
  webcrypto.subtle.generateKey(
    rsaBits === undefined
      ? ALGORITHM
      : {
          name: 'RSASSA-PKCS1-v1_5',
          hash: 'SHA-256',
          modulusLength: rsaBits,
          publicExponent: new Uint8Array([1, 0, 1]),
        },
    true,
    ['sign', 'verify'],
  );

/** A certificate by `issuer`, or by itself. */
export async function issue(wanted: Wanted = {}, issuer?: Authority): Promise<Authority> {
  const { name = 'CN=client.example', isAuthority = false, names = [] } = wanted;
  const keys = await makeKeys(wanted.rsaBits);
  const signer = issuer?.keys ?? keys;
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)).with(0, 1)).toString('hex'),
    subject: name,
    issuer: issuer?.name ?? name,
    notBefore: wanted.from ?? new Date(Date.now() - HOUR_MS),
    notAfter: wanted.to ?? new Date(Date.now() + HOUR_MS),
    signingAlgorithm: signer.privateKey.algorithm.name === 'ECDSA' ? ALGORITHM : signer.privateKey.algorithm,
    publicKey: keys.publicKey,
    signingKey: signer.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      ...(isAuthority
        ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)]
        : [
            new x509.ExtendedKeyUsageExtension([
              wanted.isForServers === true ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
            ]),
          ]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
    ],
  });
  return { name, keys, certificate: new X509Certificate(Buffer.from(made.rawData)) };
}

/** As RFC 9440 has it in a header. */
export const byteSequence = ({ certificate }: Authority): string => `:${certificate.raw.toString('base64')}:`;

/** As nginx has it in `$ssl_client_escaped_cert`. */
export const escapedPem = ({ certificate }: Authority): string => encodeURIComponent(certificate.toString());
