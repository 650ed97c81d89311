import { X509Certificate } from 'node:crypto';

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** RFC 5280 section 4.2.1.12: for the client's side of TLS. */
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';
const LEAST_RSA_BITS = 2048;

function parsed(bytes: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * A certificate as proxies hand it over: `:base64 of DER:` (RFC 9440), or PEM with its lines percent-encoded as
 * nginx and cloud balancers do. Undefined for anything else, and for more than one.
 */
export function certificateIn(header: string): X509Certificate | undefined {
  const der = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(header)?.[1];
  if (der !== undefined) return parsed(Buffer.from(der, 'base64'));
  const pem = unescaped(header)?.trim();
  const [first, second] = pem?.match(PEM) ?? [];
  return first !== undefined && second === undefined && first === pem ? parsed(first) : undefined;
}

const isInForce = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now <= validToDate;

function isStrong({ publicKey }: X509Certificate): boolean {
  const { modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  return modulusLength === undefined || modulusLength >= LEAST_RSA_BITS;
}

/** Undefined for a certificate that is not valid yet or any more, or whose key is too small. */
export const usable = (certificate: X509Certificate | undefined, now: Date): X509Certificate | undefined =>
  certificate !== undefined && isInForce(certificate, now) && isStrong(certificate) ? certificate : undefined;

/** Whose certificates are believed. */
export interface Authorities {
  /** Whether one of them issued this certificate for clients, and is itself in force. */
  issued(certificate: X509Certificate, now: Date): boolean;
}

/**
 * Reads a bundle of authorities. Each issues certificates of clients directly: no chain is built, so an intermediate
 * authority is listed itself, and nothing that it signs further counts. Throws for a bundle with anything else.
 */
export function authoritiesIn(bundle: string): Authorities {
  const anchors = (bundle.match(PEM) ?? []).map((pem) => new X509Certificate(pem));
  if (anchors.length === 0) throw new Error('holds no certificate');
  const other = anchors.find((anchor) => !anchor.ca);
  if (other !== undefined) throw new Error(`holds a certificate that is no authority: ${other.fingerprint256}`);
  return {
    issued(certificate, now) {
      const uses = certificate.keyUsage as readonly string[] | undefined;
      if (certificate.ca || uses?.includes(CLIENT_AUTHENTICATION) === false) return false;
      return anchors.some(
        (anchor) => isInForce(anchor, now) && certificate.checkIssued(anchor) && certificate.verify(anchor.publicKey),
      );
    },
  };
}
