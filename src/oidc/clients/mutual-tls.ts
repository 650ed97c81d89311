import type { Configuration } from 'oidc-provider';
import { CERTIFICATE_METHODS } from '../../clients/client-schema.js';
import type { CertificateSubject } from '../../clients/mutual-tls.js';
import type { Clock } from '../../kernel/clock.js';
import type { Authorities } from '../../security/certificates.js';
import { saysOfItself, type SubjectKind } from '../../security/certificate-subject.js';
import type { ClientCertificates } from '../../web/client-certificate.js';
import type { Endpoints } from '../endpoints.js';

/** How client certificates reach us, and whose are believed (RFC 8705). */
export interface MutualTlsParts {
  readonly certificates: ClientCertificates;
  readonly authorities: Authorities | undefined;
  /** A second origin of ours at which the proxy asks for certificates; browsers never go there. */
  readonly origin: string | undefined;
}

type Feature = NonNullable<NonNullable<Configuration['features']>['mTLS']>;

const KINDS: Readonly<Record<CertificateSubject, SubjectKind>> = {
  tls_client_auth_subject_dn: 'dn',
  tls_client_auth_san_dns: 'dns',
  tls_client_auth_san_uri: 'uri',
  tls_client_auth_san_ip: 'ip',
  tls_client_auth_san_email: 'email',
};

/** The provider's feature, as this installation has it; `undefined` parts are an installation without certificates. */
export function mutualTlsFeature(parts: MutualTlsParts | undefined, clock: Clock): Feature {
  if (parts === undefined) return { enabled: false };
  const { certificates, authorities } = parts;
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: authorities !== undefined,
    getCertificate: (ctx) => certificates.of(ctx.req),
    certificateAuthorized(ctx) {
      const certificate = certificates.of(ctx.req);
      return certificate !== undefined && authorities?.issued(certificate, clock.now()) === true;
    },
    certificateSubjectMatches(ctx, property, expected) {
      const certificate = certificates.of(ctx.req);
      return certificate !== undefined && saysOfItself(certificate, KINDS[property], expected);
    },
  };
}

/** Ways of client authentication that certificates add. */
export const certificateMethods = (
  parts: MutualTlsParts | undefined,
): readonly (typeof CERTIFICATE_METHODS)[number][] =>
  CERTIFICATE_METHODS.filter(
    (method) => parts !== undefined && (method !== 'tls_client_auth' || parts.authorities !== undefined),
  );

/** Endpoints that clients call themselves (RFC 8705 section 5), in the order of the discovery document. */
const CALLED: Readonly<Partial<Record<keyof Endpoints, string>>> = {
  token: 'token_endpoint',
  userinfo: 'userinfo_endpoint',
  pushed_authorization_request: 'pushed_authorization_request_endpoint',
  introspection: 'introspection_endpoint',
  revocation: 'revocation_endpoint',
  device_authorization: 'device_authorization_endpoint',
};

/** `mtls_endpoint_aliases` of the discovery document, where clients with certificates have an origin of their own. */
export function endpointAliases(
  parts: MutualTlsParts | undefined,
  at: { path: string; endpoints: Endpoints },
): { mtls_endpoint_aliases?: Record<string, string> } {
  const { origin } = parts ?? {};
  if (origin === undefined) return {};
  const aliases = Object.entries(CALLED).map(([name, member]) => [
    member,
    `${origin}${at.path}${at.endpoints[name as keyof Endpoints]}`,
  ]);
  return { mtls_endpoint_aliases: Object.fromEntries(aliases) as Record<string, string> };
}
