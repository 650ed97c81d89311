import { isIP } from 'node:net';

/** How this installation knows client certificates: its proxy hands them over (docs/adr/0028). */
export interface MutualTls {
  /** There are authorities whose certificates are believed: `tls_client_auth` works. */
  readonly authorities: boolean;
}

/** RFC 8705 section 2.1.2: what a certificate of an authority must say for a client to be this one. */
export const CERTIFICATE_SUBJECTS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;
export type CertificateSubject = (typeof CERTIFICATE_SUBJECTS)[number];

export interface CertificateFields extends Readonly<Partial<Record<CertificateSubject, string | undefined>>> {
  readonly token_endpoint_auth_method: string;
  readonly tls_client_certificate_bound_access_tokens?: boolean | undefined;
  readonly dpop_bound_access_tokens?: boolean | undefined;
}

/** What is wrong with a registration as far as certificates go. */
export function* certificateProblems(
  client: CertificateFields,
  mutualTls: MutualTls | undefined,
): Generator<{ field: string; problem: string }> {
  const { token_endpoint_auth_method: method, tls_client_certificate_bound_access_tokens: bound } = client;
  const usesCertificates = method === 'tls_client_auth' || method === 'self_signed_tls_client_auth';
  if (mutualTls === undefined && (usesCertificates || bound === true)) {
    const field = usesCertificates ? 'token_endpoint_auth_method' : 'tls_client_certificate_bound_access_tokens';
    yield { field, problem: 'needs a proxy that hands client certificates over (CLIENT_CERTIFICATE_HEADER)' };
  }
  if (method === 'tls_client_auth' && mutualTls?.authorities === false) {
    yield { field: 'token_endpoint_auth_method', problem: 'tls_client_auth needs CLIENT_CERTIFICATE_AUTHORITIES' };
  }
  if (bound === true && client.dpop_bound_access_tokens === true) {
    yield { field: 'dpop_bound_access_tokens', problem: 'either to a DPoP key or to a certificate, not both' };
  }
  const named = CERTIFICATE_SUBJECTS.filter((field) => client[field] !== undefined);
  if (method === 'tls_client_auth' && named.length !== 1) {
    yield {
      field: 'tls_client_auth_subject_dn',
      problem: `exactly one of ${CERTIFICATE_SUBJECTS.join(', ')} is needed`,
    };
  }
  if (method !== 'tls_client_auth') {
    for (const field of named) yield { field, problem: `is of no use with ${method}` };
  }
  const { tls_client_auth_san_ip: ip } = client;
  if (ip !== undefined && isIP(ip) === 0) yield { field: 'tls_client_auth_san_ip', problem: 'must be an address' };
}
