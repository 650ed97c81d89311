import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { isFapi2 } from '../../clients/fapi2.js';
import type { ClientRegistration } from '../../clients/client-schema.js';
import { epochSeconds } from '../../kernel/clock.js';
import { createKeyedDigest } from '../../security/digests.js';
import { isOutOfTime, isReadAgain, requireShortRequestObject } from '../clients/client-proofs.js';
import { USER_CODES } from '../device/device-codes.js';
import { introspectionPolicy } from '../tokens/introspection-policy.js';
import { liveAccounts } from '../login/person-account.js';
import { mutualTlsFeature } from '../clients/mutual-tls.js';
import { resourceServer } from '../tokens/resources.js';
import type { Client, SettingsParts } from './settings.js';

/**
 * What the provider can do, each by name, also what is off (SECURITY.md section 8). What only some clients may do is
 * decided by their registration (docs/adr/0028).
 */
export function featureSettings(parts: SettingsParts): NonNullable<Configuration['features']> {
  const { registry, adminResource, pages, issuer, clock, cookieKeys } = parts;
  const registrationOf = (client: Client | undefined): ClientRegistration | undefined =>
    registry.registration(client?.clientId ?? '');
  const own = (_ctx: KoaContextWithOIDC, client: Client, token: { clientId?: string | undefined }): boolean =>
    token.clientId === client.clientId;
  const usesFapi2 = (client: Client | undefined): boolean => {
    const registration = registrationOf(client);
    return registration !== undefined && isFapi2(registration);
  };

  return {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    // No address and no browser of the device is kept.
    deviceFlow: { enabled: true, ...USER_CODES, deviceInfo: () => ({}), ...pages.device },
    dPoP: {
      enabled: true,
      allowReplay: false,
      nonceSecret: createKeyedDigest(Buffer.from(cookieKeys[0] ?? ''))('dpop nonce', issuer.href),
      requireNonce: (ctx) => isOutOfTime(ctx.get('DPoP'), epochSeconds(clock.now())),
    },
    encryption: { enabled: true },
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    fapi: {
      enabled: true,
      profile: (_ctx, client) => (usesFapi2(client) ? '2.0' : undefined),
    },
    introspection: {
      enabled: true,
      allowedPolicy: introspectionPolicy({ registry, accounts: liveAccounts(parts) }),
    },
    jwtResponseModes: { enabled: true },
    mTLS: mutualTlsFeature(parts.mutualTls, clock),
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: {
      enabled: true,
      assertJwtClaimsAndHeader(ctx, claims, header, client) {
        if (isReadAgain(ctx)) return;
        const now = epochSeconds(clock.now());
        const { issuer: here } = ctx.oidc;
        requireShortRequestObject({ claims, header, client, issuer: here, now, isFapi2: usesFapi2(client) });
      },
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, _client, oneOf) => oneOf,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource, client) =>
        resourceServer(registrationOf(client), resource, adminResource),
    },
    revocation: { enabled: true, allowedPolicy: own },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: pages.logoutSource,
      postLogoutSuccessSource: pages.postLogoutSuccessSource,
    },
    userinfo: { enabled: true },

    jwtIntrospection: { enabled: false },
    jwtUserinfo: { enabled: false },
    registration: { enabled: false },
  };
}
