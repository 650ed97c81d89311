import { demoKey } from '#src/clients/demo-clients.js';
import type { JsonWebKey } from 'node:crypto';

/** A client's own signing key, the same in every run. */
export const keyOf = (clientId: string): JsonWebKey => demoKey(Buffer.alloc(32, 7), clientId);

export function jwks(clientId: string): { keys: object[] } {
  const { kty, crv, x, y, kid, alg, use } = keyOf(clientId);
  return { keys: [{ kty, crv, x, y, kid, alg, use }] };
}

export const SECRET = 'a-shared-secret-of-forty-characters-long';
export const API = 'https://api.example/archive';

/** A client with a key of its own, as it stands in a clients file. */
export const web = (id: string, rest: object = {}): object => ({
  client_id: id,
  client_name: `Client ${id}`,
  redirect_uris: [`https://${id}.example/cb`],
  post_logout_redirect_uris: [`https://${id}.example/bye`],
  jwks: jwks(id),
  ...rest,
});

export const withSecret = (id: string, method: string, rest: object = {}): object => ({
  ...web(id, rest),
  jwks: undefined,
  token_endpoint_auth_method: method,
  client_secret: SECRET,
});

/** Clients of every kind, as they stand in a clients file. */
export const registrations = (adminResource: string): object[] =>
  (
    [
      web('web', { grant_types: ['authorization_code', 'refresh_token'] }),
      web('other', {
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: 'https://other.example/backchannel',
        backchannel_logout_session_required: true,
      }),
      withSecret('legacy', 'client_secret_basic', {
        grant_types: ['authorization_code', 'refresh_token'],
        id_token_signed_response_alg: 'RS256',
        backchannel_logout_uri: 'https://legacy.example/backchannel',
        x: { claims_in_id_token: true },
      }),
      withSecret('poster', 'client_secret_post', { x: { require_pkce: false } }),
      {
        ...web('spa', { grant_types: ['authorization_code', 'refresh_token'] }),
        jwks: undefined,
        token_endpoint_auth_method: 'none',
      },
      web('fresh', { x: { max_age_seconds: 300 } }),
      web('pushed', { require_pushed_authorization_requests: true }),
      web('signed', { require_signed_request_object: true }),
      web('jarm', { response_modes: ['jwt', 'query.jwt', 'form_post.jwt', 'fragment.jwt'] }),
      web('fapi', { grant_types: ['authorization_code', 'refresh_token'], x: { profile: 'fapi2' } }),
      web('limited', {
        grant_types: ['authorization_code', 'refresh_token'],
        x: { allowed_employment: ['PPPK'], launch_uri: 'https://limited.example/' },
      }),
      web('officers', { x: { allowed_roles: ['helpdesk'] } }),
      web('strong', { x: { acr: 'phr' } }),
      web('bare', { x: { claims: [] } }),
      web('few', { x: { claims: ['name', 'nip'] } }),
      web('roles', { x: { claims: ['name', 'roles'] } }),
      web('archive', {
        grant_types: ['authorization_code', 'refresh_token'],
        x: { resources: { [API]: ['read', 'write'] } },
      }),
      web('admin', {
        grant_types: ['authorization_code', 'refresh_token'],
        x: { resources: { [adminResource]: ['accounts:read', 'accounts:mfa-reset'] } },
      }),
      {
        client_id: 'service',
        client_name: 'Client service',
        jwks: jwks('service'),
        grant_types: ['client_credentials'],
        x: { agency: '3300', resources: { [API]: ['read'], [adminResource]: ['accounts:read'] } },
      },
      withSecret('batch', 'client_secret_basic', {
        grant_types: ['client_credentials'],
        redirect_uris: undefined,
        post_logout_redirect_uris: undefined,
      }),
      {
        client_id: 'phone',
        client_name: 'Client phone',
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/cb', 'id.example.phone:/cb'],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ] as object[]
  ).map((client) => JSON.parse(JSON.stringify(client)) as object);
