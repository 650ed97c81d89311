import { readFile } from 'node:fs/promises';
import type { MutualTls } from './clients/mutual-tls.js';
import type { Config } from './config/settings.js';
import type { Clock } from './kernel/clock.js';
import type { MutualTlsParts } from './oidc/clients/mutual-tls.js';
import { authoritiesIn, type Authorities } from './security/certificates.js';
import { clientCertificates } from './web/client-certificate.js';

/** What registrations may ask for; undefined where mutual TLS is off. */
export const mutualTlsRules = (config: Config): MutualTls | undefined =>
  config.clientCertificateHeader === undefined
    ? undefined
    : { authorities: config.clientCertificateAuthorities !== undefined };

/** Reads `CLIENT_CERTIFICATE_AUTHORITIES`. Throws one clear line for a file that cannot be used. */
export async function loadAuthorities({
  clientCertificateAuthorities: file,
}: Config): Promise<Authorities | undefined> {
  if (file === undefined) return undefined;
  try {
    return authoritiesIn(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`CLIENT_CERTIFICATE_AUTHORITIES: ${error instanceof Error ? error.message : 'cannot be read'}`, {
      cause: error,
    });
  }
}

/** The host of the origin for clients with certificates, which is served like the others. */
export const certificateHosts = ({ clientCertificateOrigin: origin }: Config): readonly string[] =>
  origin === undefined ? [] : [new URL(origin).host];

/** Mutual TLS as the settings have it (docs/adr/0028). */
export async function loadMutualTls(config: Config, clock: Clock): Promise<MutualTlsParts | undefined> {
  const { clientCertificateHeader: header, trustedProxies } = config;
  if (header === undefined) return undefined;
  return {
    certificates: clientCertificates({ header, trustedProxies, clock }),
    authorities: await loadAuthorities(config),
    origin: config.clientCertificateOrigin,
  };
}
