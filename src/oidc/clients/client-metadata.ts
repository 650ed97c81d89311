import type { ClientMetadata } from 'oidc-provider';
import { usesSecret, type ClientRegistration } from '../../clients/client-schema.js';
import { withFapi2 } from '../../clients/fapi2.js';

/** The provider asks for one where redirect addresses differ, and makes no subject from it (subjects.ts). */
const SECTOR = 'https://sector.invalid/';

/** The provider wants one of every client with a shared secret; ours are digests, compared elsewhere (overrides.ts). */
const NOT_KEPT = 'kept as a digest only';

/**
 * A registration in the form that the provider takes, with what its profile switches on. A client that logs nobody in
 * has no response type.
 */
export function clientMetadata(registration: ClientRegistration): ClientMetadata {
  const client = withFapi2(registration);
  const logsIn = client.grant_types.includes('authorization_code');
  return {
    ...(client as ClientMetadata),
    ...(client.subject_type === 'pairwise' ? { sector_identifier_uri: SECTOR } : {}),
    response_types: client.response_types ?? (logsIn ? ['code'] : []),
    response_modes: client.response_modes ?? usualResponseModes(client),
    ...(usesSecret(client) ? { client_secret: NOT_KEPT } : {}),
  };
}

/** A client that registers none gets no signed responses; code of a page may have it in the fragment. */
const usualResponseModes = ({ token_endpoint_auth_method: method }: ClientRegistration): string[] =>
  method === 'none' ? ['query', 'form_post', 'fragment'] : ['query', 'form_post'];
