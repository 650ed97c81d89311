import type { ClientRegistration } from '../../clients/client-schema.js';

/** The example of RFC 7636 appendix B: whoever tries a request can redeem its code by hand. For nothing but trying. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** A whole authorization request to paste into a browser; none for a client that must push or sign its requests. */
export function trialOf(
  client: ClientRegistration,
  authorization: string,
): { readonly address: string; readonly verifier: string } | undefined {
  const [redirectUri] = client.redirect_uris;
  const isOther =
    client.require_pushed_authorization_requests === true ||
    client.require_signed_request_object === true ||
    client.x.profile !== undefined;
  if (redirectUri === undefined || isOther) return undefined;
  const query = new URLSearchParams({
    client_id: client.client_id,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: redirectUri,
    state: 'uji-coba',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  });
  return { address: `${authorization}?${query.toString()}`, verifier: VERIFIER };
}
