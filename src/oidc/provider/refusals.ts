import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

/** The request itself is not one that we take: nothing a person could do would change it. */
const MALFORMED: readonly string[] = [
  'invalid_request',
  'invalid_request_object',
  'invalid_request_uri',
  'invalid_scope',
  'invalid_target',
  'registration_not_supported',
  'request_not_supported',
  'request_uri_not_supported',
  'unauthorized_client',
  'unsupported_response_mode',
  'unsupported_response_type',
];

interface Refused {
  readonly error?: string;
  allow_redirect?: boolean;
}

/**
 * Who opens a malformed request stays here, on a page that says so: the browser is sent on only after its person was
 * asked who they are (RFC 9700 section 4.11.2, docs/adr/0028). A silent request has nobody before it and is answered
 * at its registered address (OpenID Connect Core section 3.1.2.6), as is all that a login ends with.
 */
export function keepMalformedRequestsHere(provider: Provider): void {
  provider.on('authorization.error', (ctx: KoaContextWithOIDC, error: Refused) => {
    if (ctx.oidc.route !== 'authorization' || !MALFORMED.includes(error.error ?? '')) return;
    const { params, client } = ctx.oidc as unknown as {
      params?: { prompt?: unknown; response_mode?: string | undefined };
      client?: { responseModes?: readonly string[] };
    };
    if (params?.prompt === 'none') {
      // In a form that the client is registered for.
      if (client?.responseModes?.includes(params.response_mode ?? '') === false) params.response_mode = undefined;
    } else error.allow_redirect = false;
  });
}
